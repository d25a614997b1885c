#!/usr/bin/env python3
"""chatcrowd PORT N CONSOLE: N members of a chat at once, and among them one that
never reads, one that sends 1 MiB without a newline, one that sends escapes, NULs
and broken UTF-8, one that comes and goes all the time. Each of the N says one
line; all others must see it, whole, and all in the order of CONSOLE (a file:
what the server's own member saw)."""
import re
import select
import socket
import sys
import time

port, count, console = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
end = time.time() + 90
SIZE = 700


def connect(small=False):
    s = socket.socket()
    if small:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.settimeout(60)
    s.connect(("127.0.0.1", port))
    return s


class Member:
    def __init__(self):
        self.s = connect()
        self.data = self.tail = b""
        self.said = 0

    def read(self):
        piece = self.s.recv(1 << 20)
        if not piece:
            sys.exit("a member was dropped")
        self.data += piece
        fresh = self.tail + piece
        self.said += fresh.count(b"\n<guest")
        self.tail = fresh[-6:]


def pump(done):
    """Reads for all until done() holds."""
    by_fd = {m.s.fileno(): m for m in members}
    poll = select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    while not done():
        if time.time() > end:
            sys.exit("too slow: " + repr(sorted({m.said for m in members})))
        for fd, _ in poll.poll(100):
            by_fd[fd].read()


stuck = connect(small=True)
members = [Member() for i in range(count)]
pump(lambda: all(b"welcome" in m.data for m in members))
for i, m in enumerate(members):
    m.name = re.search(rb"you are (guest\d+)", m.data).group(1)
    m.text = b"line of %d " % i + b"x" * SIZE

endless, dirty = connect(), connect()
endless.sendall(b"z" * (1 << 20))
dirty.sendall(b"\x1b[2J\x1b]0;title\x07a\x00b\xff\xfe\xe2\x80\xae\xc3\n")
for i, m in enumerate(members):
    m.s.sendall(m.text + b"\n")
    if i % 25 == 0:
        connect().close()
        # Who is 256 KiB behind is dropped: none of these may be.
        pump(lambda: all(m.said > i for m in members))
pump(lambda: all(m.said >= count for m in members))
endless.sendall(b"\nstill here\n")
pump(lambda: all(m.said >= count + 1 for m in members))

order = []
while len(order) < count + 2 and time.time() < end:
    order = [line for line in open(console, "rb").read().split(b"\n")
             if line.startswith(b"<guest")]
    time.sleep(0.01)
if len(set(order)) != count + 2 or len(order) != count + 2:
    sys.exit("the console saw %d lines" % len(order))
for m in members:
    got = [line for line in m.data.split(b"\n") if line.startswith(b"<guest")]
    want = [line for line in order
            if not line.startswith(b"<" + m.name + b">")]
    if got != want:
        sys.exit("%r saw other lines, or in another order" % m.name)
    if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", m.data):
        sys.exit("control characters came through")
if not any(b"[2J]0;titleab\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" in line
           for line in order):
    sys.exit("the dirty line did not come clean")
stuck.settimeout(60)
try:
    while stuck.recv(1 << 16):
        pass
    sys.exit("the one that never read was not reset")
except ConnectionResetError:
    pass
