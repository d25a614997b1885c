"""A program on a pseudo-terminal, and what its screen shows: for tests. Knows
only the control sequences that a line editor may use; any other is an error."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata

WAIT = 30


def width(c):
    if unicodedata.combining(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


class Screen:
    def __init__(self, argv, columns=80, rows=24, background=False):
        self.columns, self.rows = columns, rows
        self.lines = [[]]
        self.row = self.column = 0
        self.raw = b""
        self.held = b""
        self.status = None
        mine = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
        pid, self.fd = pty.fork()
        if pid == 0:
            self.child(argv, background)
        signal.pthread_sigmask(signal.SIG_SETMASK, mine)
        self.pid = self.leader = pid
        self.resize(columns, rows)
        self.before = self.mode()
        if background:
            self.pid = None
            self.wait(r"^pid \d+ ready", lambda: re.search(
                rb"pid (\d+) ready", self.raw))
            self.pid = int(re.search(rb"pid (\d+) ready", self.raw).group(1))
        os.kill(self.leader, signal.SIGUSR2)  # the size is set: go

    def child(self, argv, background):
        """Starts when it is told to; background: in a group of its own that
        comes to the foreground with SIGUSR1."""
        signal.pthread_sigmask(signal.SIG_BLOCK,
                               {signal.SIGUSR1, signal.SIGUSR2})
        for number in signal.SIGINT, signal.SIGHUP, signal.SIGQUIT:
            signal.signal(number, signal.SIG_DFL)
        if background:
            r, w = os.pipe()
            job = os.fork()
            if job == 0:
                os.setpgid(0, 0)
                os.read(r, 1)
                signal.pthread_sigmask(signal.SIG_SETMASK, set())
                os.execv(argv[0], argv)
            print("pid %d ready" % job, flush=True)
            signal.sigwait({signal.SIGUSR2})
            os.write(w, b"x")
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            signal.sigwait({signal.SIGUSR1})
            os.tcsetpgrp(0, job)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]) & 255)
        signal.sigwait({signal.SIGUSR2})
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.execv(argv[0], argv)

    def mode(self):
        return termios.tcgetattr(self.fd)

    def is_raw(self):
        return not self.mode()[3] & termios.ICANON

    def resize(self, columns, rows=24):
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())

    # What comes out.

    def read(self, timeout=0.05):
        if not select.select([self.fd], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.raw += data
        self.held += data
        self.draw()
        return bool(data)

    def draw(self):
        while self.held:
            m = re.match(rb"\x1b\[(\d*)([A-Za-z])", self.held)
            if m:
                self.control(int(m.group(1) or 0), m.group(2))
                self.held = self.held[m.end():]
                continue
            if self.held[0] == 0x1b:
                if re.fullmatch(rb"\x1b(\[\d*)?", self.held):
                    return
                sys.exit("unknown sequence %r" % self.held[:10])
            for n in 1, 2, 3, 4:
                try:
                    c = self.held[:n].decode()
                    break
                except UnicodeDecodeError:
                    if n == 4 or n == len(self.held):
                        return
            self.put(c)
            self.held = self.held[len(c.encode()):]

    def control(self, n, what):
        line = self.lines[self.row]
        if what == b"K":
            del line[self.column:]
        elif what == b"C":
            self.column = min(self.column + (n or 1), self.columns - 1)
        elif what == b"H":
            self.row = self.column = 0
        elif what == b"m":
            pass
        elif what == b"J" and n == 2:
            self.lines = [[] for _ in self.lines]
        else:
            sys.exit("unknown sequence %r %r" % (n, what))

    def put(self, c):
        if c == "\r":
            self.column = 0
        elif c == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append([])
        elif c < " ":
            if c != "\a":
                sys.exit("control character %r" % c)
        else:
            self.glyph(c)

    def glyph(self, c):
        w = width(c)
        if w and self.column + w > self.columns:
            self.put("\r")
            self.put("\n")
        line = self.lines[self.row]
        if w == 0:
            line[self.column - 1] += c
            return
        while len(line) < self.column + w:
            line.append(" ")
        line[self.column] = c
        if w == 2:
            line[self.column + 1] = ""
        self.column += w

    def text(self):
        return ["".join(line).rstrip() for line in self.lines]

    def at(self):
        """The row of the cursor, and its column."""
        return self.text()[self.row], self.column

    def wait(self, what, holds):
        end = time.time() + WAIT
        while not holds():
            if time.time() > end:
                sys.exit("in vain: %s; the screen:\n%s\ncursor %r" % (
                    what, "\n".join(self.text()), self.at()))
            if not self.read():
                time.sleep(0.01)

    def expect(self, pattern):
        self.wait(pattern, lambda: any(
            re.search(pattern, line) for line in self.text()))

    def expect_row(self, text, column=None):
        """The row of the cursor is text, the cursor at its end or column."""
        want = (text.rstrip(), sum(map(width, text))
                if column is None else column)
        self.wait(repr(want), lambda: self.at() == want)

    def stopped(self):
        """Waits until it is stopped."""
        self.wait("stop", lambda: self.poll(os.WUNTRACED) and
                  os.WIFSTOPPED(self.status))
        self.status = None

    def poll(self, flags=0):
        if self.status is None:
            pid, status = os.waitpid(self.leader, flags | os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def end(self, code):
        """Waits for its end: code, or minus a signal."""
        self.wait("end", self.poll)
        while self.read(0):
            pass
        got = os.waitstatus_to_exitcode(self.status)
        if got != code:
            sys.exit("ended with %d, not %d:\n%s" % (
                got, code, "\n".join(self.text())))
        if self.mode() != self.before:
            sys.exit("the terminal is not as it was: %r %r" % (
                self.mode(), self.before))
