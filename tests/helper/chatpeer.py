"""Members of a chat, for tests: what a bare socket sees, line by line."""
import re
import select
import socket
import sys
import time

WAIT = 30


class Peer:
    """A client by TCP. Everything that came stands in lines."""

    def __init__(self, port, name=None, host="127.0.0.1"):
        self.s = socket.create_connection((host, port), WAIT)
        self.rest = b""
        self.lines = []
        self.at = 0
        self.ended = False
        self.expect(r"^-- welcome, you are guest\d+")
        self.name = self.last.split()[4].rstrip(";")
        if name:
            self.say("/nick " + name)
            self.expect("^-- you are now " + name + "$")
            self.name = name

    def say(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.s.sendall(data + b"\n")

    def read(self, timeout):
        """Takes what comes within timeout; false when nothing did."""
        if self.ended or not select.select([self.s], [], [], timeout)[0]:
            return False
        try:
            data = self.s.recv(65536)
        except ConnectionResetError:
            data = b""
        self.ended = not data
        self.take(data)
        return True

    def take(self, data):
        parts = (self.rest + data).split(b"\n")
        self.rest = parts.pop()
        self.lines += [p.decode("utf-8") for p in parts]

    def expect(self, pattern):
        """The next line, not yet looked at, that fits; self.last."""
        end = time.time() + WAIT
        while True:
            while self.at < len(self.lines):
                self.last = self.lines[self.at]
                self.at += 1
                if re.search(pattern, self.last):
                    return self.last
            if self.ended or time.time() > end:
                sys.exit("%s: no %r in %r" % (self.name if hasattr(
                    self, "name") else "?", pattern, self.lines[-30:]))
            self.read(0.2)

    def next(self):
        """The very next line."""
        return self.expect("")

    def sync(self):
        """Everything that was on its way has come."""
        self.say("/who " + self.name)
        self.expect(r"^-- \d+ " + re.escape(self.name) + " ")

    def end(self):
        """Reads to the end of the connection."""
        end = time.time() + WAIT
        while not self.ended:
            self.read(0.2)
            if time.time() > end:
                sys.exit("no end")

    def close(self):
        self.s.close()


class Datagrams(Peer):
    """A client by UDP: a line a datagram."""

    def __init__(self, port, name=None, enter=True, local="127.0.0.1"):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind((local, 0))
        self.s.connect(("127.0.0.1", port))
        self.rest = b""
        self.lines = []
        self.at = 0
        self.ended = False
        if not enter:
            return
        self.say("x" * 30)
        number = re.match(r"-- enter (\d+)$", self.next()).group(1)
        self.say(number)
        self.expect(r"^-- welcome, you are guest\d+")
        self.name = self.last.split()[4].rstrip(";")
        if name:
            self.say("/nick " + name)
            self.expect("^-- you are now " + name + "$")
            self.name = name

    def read(self, timeout):
        if not select.select([self.s], [], [], timeout)[0]:
            return False
        data = self.s.recv(65536)
        self.take(data + (b"" if data.endswith(b"\n") else b"\n"))
        return True
