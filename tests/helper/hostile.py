#!/usr/bin/env python3
"""hostile.py ATTACK N KIND:PORT...: N clients that mean no good, at each server.
KIND says what the server speaks (a key of TALK). Prints "under way", waits for a
line of standard input, and leaves; what is over by itself only prints "over".

slow    all send what a client says, a byte each INTERVAL (0.05) s, 12 of them,
        and then no more
stuck   all ask for as much as can be had, and read nothing
churn   connect and leave: by FIN, by RST, by RST behind a byte; N in all
giant   one sends N MiB without a newline, another a name of 1 MiB
urgent  what a client says, every byte of it urgent
cuts    what a client says, ended behind each of its bytes by FIN and by RST

hostile.py datagrams N KIND:PORT...: N addresses send rubbish of all sizes.
hostile.py half-open N HOST:PORT FIRST: N connections from local ports FIRST on,
        begun and left alone.
hostile.py answers PORTFILE WORD STEP: to each client what TALK calls WORD, cut
        by FIN, then by RST, then the same STEP bytes later; "over" behind its
        end."""
import errno
import os
import resource
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import xfer  # noqa: E402

INTERVAL = float(os.environ.get("INTERVAL", "0.05"))
PATIENCE = 20
MUCH = 500  # pieces of 64000 bytes
SINK = b"SOCKCTL-FLOOD/1 role=sink run=a stream=1/1 verify=1\n"
SOURCE = b"SOCKCTL-FLOOD/1 role=source run=a stream=1/1 bytes=1000000000000\n"
# What a client of each kind of server says.
TALK = {
    "bytes": b"hello\nthere\n",
    "lines": b"hello\n\xff\xfe\r\nthere",
    "chat": b"/nick ana\nhello\n/me waves\n/msg bob x\n/list\n\xff\xf4\xff\xfd\x06\n/quit\n",
    "file": xfer.SAY["good"][0],
    "give": xfer.R + xfer.answer(1) + xfer.receipt(1, b"abc") + xfer.done(),
    "flood": SINK + bytes(range(256)),
    # What a server says to a client.
    "socks": b"\x05\x02\x01\x00\x05\x00\x00\x03\x09localhost\x00\x50hello\n",
    "http": b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nhello\n",
    "result": b"SOCKCTL-FLOOD/1 result bytes=1000 seconds=0.5\n",
    "ok": b"SOCKCTL-FLOOD/1 ok\nSOCKCTL-FLOOD/1 result bytes=1000 seconds=0.5\n",
    "welcome": b"-- welcome, you are guest1; /help\n<guest2> hello \xe2\x82\xac\n-- bye\n",
}
ASK = {"flood": SOURCE, "give": xfer.R + xfer.answer(1)}


def connect(port, rcvbuf=0):
    s = socket.socket()
    if rcvbuf:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    s.settimeout(PATIENCE)
    s.connect(("127.0.0.1", port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def put(s, data, flags=0):
    """As far as the server takes it, which may be gone."""
    try:
        return s.send(data, flags | socket.MSG_NOSIGNAL)
    except BlockingIOError:
        return 0
    except OSError as e:
        if e.errno not in (errno.ECONNRESET, errno.EPIPE):
            raise
        return -1


def drain(s):
    """To the server's end, which must come."""
    try:
        while s.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass


def under_way(clients):
    print("under way", flush=True)
    sys.stdin.readline()
    for i, s in enumerate(clients):
        if i % 2:
            reset(s)
        else:
            s.close()


def slow(n, servers):
    clients = [(connect(port), TALK[kind]) for kind, port in servers for _ in range(n)]
    for at in range(12):
        for s, talk in clients:
            put(s, talk[at:at + 1])
        time.sleep(INTERVAL)
    under_way([s for s, _ in clients])


def stuck(n, servers):
    clients = []
    pieces = {}

    def count(s):
        pieces[s] = pieces.get(s, 0) + 1
        return pieces[s]

    for kind, port in servers:
        for _ in range(n):
            s = connect(port, 4096)
            put(s, ASK.get(kind, b""))
            s.setblocking(False)
            clients.append((s, kind))
    # Until nothing more goes; a chat would read many lines slowly, one by one.
    piece = (b"x" * 3999 + b"\n") * 16
    for i in range(15):
        for s, kind in clients:
            if kind == "chat":
                put(s, piece[:4000])
    left, quiet = [s for s, kind in clients if kind not in ASK and kind != "chat"], 0
    while quiet < 10:
        moved = [s for s in left if put(s, piece) > 0]
        quiet = 0 if moved else quiet + 1
        if not moved:
            time.sleep(0.02)
        # A server that drops what comes takes for ever.
        left = [s for s in left if s not in moved or count(s) < MUCH]
    under_way([s for s, _ in clients])


def churn(n, servers):
    for i in range(n):
        for _, port in servers:
            s = socket.socket()
            s.connect(("127.0.0.1", port))
            if i % 4 == 1:
                s.send(b"x")
            if i % 4 == 3:
                s.setblocking(False)
                put(s, b"\x00" * 5000)
            # Few by FIN, or the ports of the machine are used up.
            if i % 16 == 0:
                s.close()
            else:
                reset(s)


def both_ways(streams):
    """Each (socket, bytes) is sent whole while what comes is dropped."""
    left = {}
    for s, data in streams:
        s.setblocking(False)
        left[s] = memoryview(data)
    last = time.time()
    while left:
        r, w, _ = select.select(list(left), [s for s in left if left[s] is not None], [], 1)
        if r or w:
            last = time.time()
        if time.time() - last > PATIENCE:
            sys.exit("a server neither reads nor ends")
        for s in w:
            n = put(s, left[s][:1 << 18])
            left[s] = left[s][n:] if n >= 0 else left[s][:0]
            if not left[s]:
                left[s] = None
                try:
                    s.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        for s in r:
            try:
                if s.recv(1 << 18):
                    continue
            except BlockingIOError:
                continue
            except ConnectionResetError:
                pass
            s.close()
            del left[s]


def giant(n, servers):
    name = b"n" * (1 << 20)
    names = {
        "chat": b"/nick " + name + b"\n/msg " + name + b" x\n/" + name + b"\n",
        "file": xfer.S + struct.pack(">BBHI", xfer.OFFER, 0, 0, 65000) + name,
        "give": xfer.R + struct.pack(">BBHI", xfer.ERROR, 0, 0, 1 << 20) + name,
        "flood": b"SOCKCTL-FLOOD/1 role=" + name + b"\n",
    }
    line = b"a" * (n << 20)
    for kind, port in servers:
        both_ways([(connect(port), line), (connect(port), names.get(kind, name))])


def urgent(n, servers):
    clients = [(connect(port), TALK[kind]) for kind, port in servers for _ in range(n)]
    for s, talk in clients:
        for at in range(len(talk)):
            put(s, talk[at:at + 1], socket.MSG_OOB)
        try:
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    for s, _ in clients:
        drain(s)
        s.close()


def cuts(n, servers):
    for kind, port in servers:
        talk = TALK[kind]
        for at in range(0, len(talk) + 1, n):
            s = connect(port)
            put(s, talk[:at])
            reset(s)
            s = connect(port)
            if put(s, talk[:at]) >= 0:
                s.shutdown(socket.SHUT_WR)
                drain(s)
            s.close()


def datagrams(n, servers):
    for kind, port in servers:
        for i in range(n):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.1", port))
            for size in (0, 1, 31 + i % 3, 1400, 65507 if i % 16 == 0 else 100):
                data = (TALK[kind] * (size // len(TALK[kind]) + 1))[:size]
                try:
                    s.send(data if i % 2 else os.urandom(size))
                except (BlockingIOError, ConnectionRefusedError):
                    pass
            s.close()


def half_open(n, word, first):
    host, _, port = word.partition(":")
    clients = []
    for i in range(n):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", int(first) + i))
        s.setblocking(False)
        s.connect_ex((host, int(port)))
        clients.append(s)
    under_way(clients)


def answers(path, word, step):
    talk = TALK[word]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        xfer.port_file(path, listener)
        for at in (at for i in range(0, len(talk) + step, step) for at in (i, -i - 1)):
            s = listener.accept()[0]
            s.settimeout(PATIENCE)
            if at < 0:
                put(s, talk[:-at - 1])
                time.sleep(0.01)
                reset(s)
                continue
            put(s, talk[:at])
            s.shutdown(socket.SHUT_WR)
            drain(s)
            s.close()


def main(attack, n, *args):
    if attack == "answers":
        answers(n, args[0], int(args[1]))
    elif attack == "half-open":
        half_open(int(n), *args)
    else:
        servers = [a.split(":") for a in args]
        known = {f.__name__: f for f in (slow, stuck, churn, giant, urgent, cuts, datagrams)}
        known[attack](int(n), [(kind, int(port)) for kind, port in servers])
    print("over", flush=True)


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
main(*sys.argv[1:])
