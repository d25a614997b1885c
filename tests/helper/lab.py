#!/usr/bin/env python3
"""lab: runs the commands of one section of sockctl-labs.7 and looks for what
the page says is seen.

    lab.py PAGE NUMBER         exit 1 with what is missing and what came out
    lab.py PAGE NUMBER show    prints what each terminal shows

The page's literal blocks begin with a line that says what they are:

    # terminal 1                  commands for that terminal's shell
    # terminal 1 on host a        the same on one of two hosts
    # terminal 1, after Ctrl-C    what runs there is interrupted first
    # seen in terminal 1          lines that come out there; "..." is any

Times, long numbers and free ports differ from run to run, so they compare
equal (same below). Commands run in the order of the page: the next block begins when what
is seen before it was seen, and what the last block started listens or has
ended. Comments say the rest:

    .\\" wait: REGEX              instead of listening: this comes out
    .\\" see: terminal 1: REGEX   like a line of "seen"
    .\\" check: EXPRESSION        n(TERMINAL, REGEX) is its group as a number

IN_A, IN_B are the commands that enter the two hosts, IN_ONE where the rest
runs; all may be empty."""
import os
import re
import shlex
import signal
import subprocess
import sys
import time

LIMIT = float(os.environ.get("WAIT_MAX", "20"))


def plain(line):
    for this, that in (("\\&", ""), ("\\-", "-"), ("\\(aq", "'"),
                       ("\\(ga", "`"), ("\\(ti", "~"), ("\\(ha", "^"),
                       ("\\e", "\\")):
        line = line.replace(this, that)
    return line


def same(line):
    """What does not differ from run to run: neither what was received, which
    stands before an event, nor the state after a close."""
    line = re.sub(r"^.*(#\d+ (step|close|accept) )", r"\1", line)
    line = re.sub(r"( close: .* [mu]?s), [A-Z_0-9]+$", r"\1", line)
    line = re.sub(r"xxh64:[0-9a-f]+", "HASH", line)
    line = re.sub(r"\b\d+(\.\d+)? (ns|us|ms|s)\b", "TIME", line)
    line = re.sub(r"\b\d+(\.\d+)? [KMGkmg]?(i?B|bit)(/s)?(?!\w)", "SIZE", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:+-]+", "DATE", line)
    if " retransmitted," in line or "window scale" in line:
        line = re.sub(r"[\d.]+", "NUMBER", line)
    line = re.sub(r"\d{5,}|\b\d+\.\d+\b|process \d+|\(\d+\)|\d+ ms a round",
                  "NUMBER", line)
    return " ".join(line.split())


def section(page, number):
    """The steps of a section: (kind, head, lines)."""
    steps, block, here = [], None, False
    for line in open(page, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith((".Ss ", ".Sh ")):
            here = line.startswith(".Ss %d. " % number)
        if not here:
            continue
        if line.startswith(".Bd -literal"):
            block = []
        elif line == ".Ed":
            head = block[0][2:] if block[0].startswith("# ") else None
            if head and head.startswith("seen in "):
                if not block[1:]:
                    sys.exit("section %d shows nothing" % number)
                steps.append(("seen", head[8:], block[1:]))
            elif head and head.startswith("terminal "):
                steps.append(("run", head, block[1:]))
            block = None
        elif block is not None:
            block.append(plain(line))
        else:
            found = re.match(r'\.\\" (wait|see|check): (.*)', line)
            if found:
                steps.append((found[1], found[2], None))
    return steps


class Terminal:
    def __init__(self, name):
        self.name = name
        self.file = name.replace(" ", "-") + ".out"
        open(self.file, "w").close()
        self.process = None
        self.begun = 0

    def text(self):
        return open(self.file, errors="replace").read()

    def start(self, lines, where):
        self.begun = len(self.text())
        shell = ["bash", "-c", "\n".join(lines)]
        self.process = subprocess.Popen(
            shlex.split(where) + shell, stdin=subprocess.PIPE,
            stdout=open(self.file, "a"), stderr=subprocess.STDOUT,
            start_new_session=True)

    def ended(self):
        return not self.process or self.process.poll() is not None

    def kill(self, number):
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, AttributeError):
            pass


class Lab:
    def __init__(self, steps):
        self.steps = steps
        self.terminals = {}
        self.started = None

    def fail(self, what):
        print(what)
        self.show()
        return 1

    def show(self):
        for t in self.terminals.values():
            print("---", t.name)
            print(t.text().rstrip("\n"))

    def until(self, holds):
        end = time.monotonic() + LIMIT
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def settled(self):
        t = self.started
        return not t or t.ended() or "listening" in t.text()[t.begun:]

    def number(self, name, regex):
        found = re.search(regex, self.terminals[name].text(), re.M)
        return float(found[1]) if found else None

    def run(self, head, lines):
        name = re.match(r"terminal \w+", head)[0]
        t = self.terminals.setdefault(name, None) or Terminal(name)
        self.terminals[name] = t
        if "Ctrl-C" in head:
            t.kill(signal.SIGINT)
        if not self.until(t.ended):
            return False
        host = re.search(r"on host ([ab])", head)
        where = "IN_" + (host[1].upper() if host else "ONE")
        t.start(lines, os.environ.get(where, ""))
        self.started = t
        return True

    def step(self, kind, head, lines):
        if kind == "run":
            if not self.until(self.settled):
                return "it neither listens nor ends: " + self.started.name
            return None if self.run(head, lines) else "does not end: " + head
        if kind == "wait":
            t, self.started = self.started, None
            good = self.until(lambda: re.search(head, t.text()[t.begun:]))
            return None if good else "waited in vain for " + head
        if kind == "see":
            name, _, regex = head.partition(": ")
            t = self.terminals[name]
            good = self.until(lambda: re.search(regex, t.text(), re.M))
            return None if good else "not seen in %s: %s" % (name, regex)
        if kind == "check":
            holds = {"n": self.number}
            return None if eval(head, holds) else "does not hold: " + head
        t = self.terminals[head]
        for line in lines:
            if line.strip() == "...":
                continue
            want = same(line)
            if not self.until(lambda: want in
                              map(same, t.text().splitlines())):
                return "not seen in %s: %s" % (head, line)
        return None

    def play(self, show):
        for kind, head, lines in self.steps:
            if show and kind in ("seen", "check"):
                continue
            wrong = self.step(kind, head, lines)
            if wrong and not show:
                return self.fail(wrong)
        if show:
            end = time.monotonic() + 3
            while time.monotonic() < end and \
                    not all(t.ended() for t in self.terminals.values()):
                time.sleep(0.05)
            self.show()
        return 0

    def end(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            for t in self.terminals.values():
                t.kill(number)
            end = time.monotonic() + 0.4
            while time.monotonic() < end and \
                    not all(t.ended() for t in self.terminals.values()):
                time.sleep(0.02)


def main():
    steps = section(sys.argv[1], int(sys.argv[2]))
    if not any(kind == "run" for kind, _, _ in steps) or \
            not any(kind in ("see", "seen") for kind, _, _ in steps):
        sys.exit("section %s has no commands or shows nothing" % sys.argv[2])
    lab = Lab(steps)
    try:
        sys.exit(lab.play("show" in sys.argv[3:]))
    finally:
        lab.end()


main()
