#!/usr/bin/env python3
"""options.py SOCKCTL walk|abbreviate|show: every option of every mode, by the
table in `sockctl completion bash`, its argument's word by --help.

walk gives each option values that are malformed, empty, negative, too large:
exit status 2 and one line on standard error that names the option and where to
look, nothing on standard output. An option that several modes share is walked
in one. abbreviate does the same with shortened and unknown names. show prints
mode, letter, name and word, for other tests."""
import concurrent.futures
import re
import subprocess
import sys

program = sys.argv[1]
HUGE = "99999999999999999999999"
# Bad values by the word of the argument; every argument may not be empty.
BAD = {
    "N": ["x", "-1", "1.5", " 1", "1x", HUGE, "0x10"],
    "N[,TIME]": ["x", "-1", HUGE, "1,", "1,x", "1,-1", ",1"],
    "SIZE": ["x", "-1", "1Q", "1.5K", HUGE, "99999999999T", "0"],
    "TIME": ["x", "-1", "5x", HUGE + "h", "1e3", "0.0.1", "+1"],
    "RATE": ["x", "5", "-1mbit", "0mbit", "5M", HUGE + "gbit", "M/s"],
    "TEXT": ["\\q", "\\x", "a\\"],
    "CIDR": ["x", "10.0.0.0/33", "::1/129", "1.2.3.4.5", "10.0.0.0/", "/8",
             "10.0.0.0/-1"],
    "PORT": ["65536", "-1", HUGE, "1.5", "80 "],
    "OCTAL": ["8", "x", "-1", "17777777777"],
    "PERCENT": ["x", "-1", "101", "nan", "inf", "1e1"],
    "SECONDS": ["x", "-1", "0.5", HUGE, "1s"],
    "URL": ["x", "ftp://h:1", "socks5://", "http://:1", "http://h:99999"],
    "NAME[=VALUE]": ["nosuch", "nosuch=1", "=1", "ttl=x", "ttl=-1", "ttl=256",
                     "sndbuf=" + HUGE, "nodelay=maybe"],
    "TARGET": ["x", "h:99999", "h:", "::1", "unix:"],
    "STEPS": ["frobnicate", "send", "(", "recv x", "recv -1", "sleep",
              "recv " + HUGE],
    "[=IDLE[,INTERVAL[,COUNT]]]": ["x", "-1", "1,x", "1,2,3,4", HUGE, "1,,2"],
}


def run(args):
    try:
        return subprocess.run([program, *args], capture_output=True, text=True,
                              timeout=20, stdin=subprocess.DEVNULL,
                              errors="replace")
    except subprocess.TimeoutExpired:
        return None


def options():
    """(mode, letter, name, kind, word) of every row, and the modes in order."""
    rows = []
    helps = {}
    table = run(["completion", "bash"]).stdout
    for line in table.splitlines():
        part = line.split("\t")
        if len(part) != 5 or not part[0] or part[1] == "*":
            continue
        mode, letter, name, kind, _ = part
        if name == "--help":
            continue
        if mode not in helps:
            helps[mode] = run([mode, "--help"]).stdout
        shown = re.search(rf"^ +(?:-\S, )?{re.escape(name or letter)}"
                          r"(\[\S+| \S+)?(?:\s|$)", helps[mode], re.M)
        word = (shown.group(1) or "").strip() if shown else "?"
        # Two blanks part the word from the help of a flag.
        if shown and re.match(rf"^ +(?:-\S, )?{re.escape(name or letter)}  ",
                              helps[mode][shown.start():].lstrip("\n")):
            word = ""
        if not kind and not word.startswith("["):
            word = ""
        rows.append((mode, letter, name, kind, word))
    return rows


def judge(mode, args, named):
    """None, or what is wrong with a usage error."""
    p = run([mode, *args])
    shown = " ".join([mode, *args])
    if p is None:
        return f"{shown}: does not end"
    lines = p.stderr.splitlines()
    if p.returncode != 2:
        return f"{shown}: exit {p.returncode}: {p.stderr.strip()}"
    if p.stdout:
        return f"{shown}: says on standard output: {p.stdout.strip()}"
    if len(lines) != 1 or not p.stderr.endswith("\n"):
        return f"{shown}: {len(lines)} lines: {p.stderr!r}"
    if not lines[0].startswith(f"sockctl {mode}: "):
        return f"{shown}: {lines[0]}"
    if not lines[0].endswith(f"; try 'sockctl {mode} --help'"):
        return f"{shown}: no way out is named: {lines[0]}"
    if named not in lines[0]:
        return f"{shown}: {named} is not named: {lines[0]}"
    return None


def cases_walk(rows):
    seen = set()
    for mode, letter, name, kind, word in rows:
        if (letter, name, word) in seen:
            continue
        seen.add((letter, name, word))
        option = name or letter
        if word == "?":
            yield mode, ["--help"], option
            continue
        if not word:
            if name:
                yield mode, [name + "=1", "127.0.0.1", "1"], name
            continue
        values = BAD.get(word, [])
        if "|" in word or kind.startswith("words") and "sockopt" not in name:
            values = ["x", "offf", "-1"]
        for value in [*values, ""]:
            if name:
                yield mode, [f"{name}={value}", "127.0.0.1", "1"], name
                yield mode, ["--json", f"{name}={value}", "h", "1"], name
            if letter and value:
                yield mode, ["127.0.0.1", "1", letter + value], letter
            elif letter and not word.startswith("["):
                yield mode, ["127.0.0.1", "1", letter, ""], letter
        if not word.startswith("["):
            yield mode, ["127.0.0.1", "1", option], option


def cases_abbreviate(rows):
    names = {}
    for mode, _, name, _, _ in rows:
        names.setdefault(mode, set()).add(name)
    for mode, known in names.items():
        yield mode, ["--no-such-option"], "--no-such-option"
        yield mode, ["--no-such-option=1", "h", "1"], "--no-such-option"
        yield mode, ["-\u00e9"], "-"
        for name in sorted(known):
            short = name[:-1]
            if name and short not in known and len(short) > 2:
                yield mode, [short + "=1", "127.0.0.1", "1"], short


def main():
    rows = options()
    if sys.argv[2] == "show":
        for mode, letter, name, _, word in rows:
            print(mode, letter or "-", name or "-", word or "-", sep="\t")
        return 0
    cases = list(cases_walk(rows) if sys.argv[2] == "walk"
                 else cases_abbreviate(rows))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        wrong = [w for w in pool.map(lambda c: judge(*c), cases) if w]
    print(len(cases), "cases,", len(wrong), "wrong")
    print("\n".join(wrong))
    return 1 if wrong or len(cases) < 50 else 0


sys.exit(main())
