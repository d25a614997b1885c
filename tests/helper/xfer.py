#!/usr/bin/env python3
"""A peer of sendfile and recvfile that speaks (or misspeaks) the wire format of
sockctl-protocol(7), written from the page alone, and a proxy that flips a bit.

  xfer.py offer PORT NAME...     a sender of one file for each NAME (hex:... for
                                 its bytes): prints verdict, reason and text of
                                 the answer, the receipt's status, and the type
                                 of the last frame
  xfer.py say PORT WORD          says what SAY or REPLY calls WORD, prints the
                                 types of the frames that come back
  xfer.py listen WORD PORTFILE   the same to whoever connects
  xfer.py receivers SOCKCTL WORD...
                                 the same to a recvfile --once for each WORD:
                                 WORD, its exit code, the types
  xfer.py senders SOCKCTL WORD...  the same to a sendfile of "abc"
  xfer.py flip PORT PORTFILE BYTE BIT
                                 passes one connection on to PORT, with one bit
                                 of what the client sends changed
  xfer.py flips SOCKCTL FILE BYTE:BIT...
                                 sends FILE that way each time, into a folder
                                 "in": BYTE:BIT, both exit codes (sendfile's
                                 first), and what lies there
  xfer.py hash FILE              XXH64, as xxhsum -H1
"""
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

M = (1 << 64) - 1
P1, P2, P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P4, P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
MAGIC = b"\x89SCT\r\n\x1a\n"
HELLO, OFFER, ANSWER, START, DATA, END, RECEIPT, WAIT, DONE, ERROR = range(1, 11)


def rot(v, b):
    return ((v << b) | (v >> (64 - b))) & M


def mix(a, i):
    return rot((a + i * P2) & M, 31) * P1 & M


def xxh64(d):
    n, i = len(d), 0
    h = P5
    if n >= 32:
        v = [(P1 + P2) & M, P2, 0, -P1 & M]
        while i + 32 <= n:
            for k, x in enumerate(struct.unpack_from("<4Q", d, i)):
                v[k] = mix(v[k], x)
            i += 32
        h = (rot(v[0], 1) + rot(v[1], 7) + rot(v[2], 12) + rot(v[3], 18)) & M
        for x in v:
            h = ((h ^ mix(0, x)) * P1 + P4) & M
    h = (h + n) & M
    while i + 8 <= n:
        h = (rot(h ^ mix(0, struct.unpack_from("<Q", d, i)[0]), 27) * P1 + P4) & M
        i += 8
    if i + 4 <= n:
        h = (rot(h ^ (struct.unpack_from("<I", d, i)[0] * P1 & M), 23) * P2 + P3) & M
        i += 4
    for c in d[i:]:
        h = rot(h ^ (c * P5 & M), 11) * P1 & M
    h = (h ^ (h >> 33)) * P2 & M
    h = (h ^ (h >> 29)) * P3 & M
    return h ^ (h >> 32)


def frame(kind, payload=b"", flags=0):
    head = struct.pack(">BBHI", kind, flags, 0, len(payload)) + payload
    return head + struct.pack(">Q", xxh64(head))


def block(number, content, whole=None):
    p = struct.pack(">I", number) + content
    h = xxh64(content if whole is None else whole)
    return struct.pack(">BBHI", DATA, 0, 0, len(p) + 8) + p + struct.pack(">Q", h)


def hello(role, low=1, high=1):
    return frame(HELLO, struct.pack(">BHHII", role, low, high, 0, 1 << 20))


def offer(number, name, size, kind=1, mode=0o644):
    return frame(OFFER, struct.pack(">IBIQqIH", number, kind, mode, size, 1000000000, 5, len(name)) + name)


def start(number, offset=0):
    return frame(START, struct.pack(">IQ", number, offset))


def end(number, content):
    return frame(END, struct.pack(">IQQ", number, len(content), xxh64(content)))


def done(files=1, size=3):
    return frame(DONE, struct.pack(">IQ", files, size))


def text(s):
    return struct.pack(">H", len(s)) + s


def answer(number, verdict=1, reason=0, offset=0, digest=xxh64(b"")):
    return frame(ANSWER, struct.pack(">IBHQQ", number, verdict, reason, offset, digest) + text(b""))


def receipt(number, content, status=1, reason=0):
    return frame(RECEIPT, struct.pack(">IBHQQ", number, status, reason, len(content), xxh64(content)) + text(b""))


S = MAGIC + hello(1)
R = MAGIC + hello(2)
# What is said, all at once; True at the end: and then nothing, the line open.
SAY = {
    "good": (S + offer(1, b"g", 3) + start(1) + block(1, b"abc") + end(1, b"abc") + done(), False),
    "http": (b"GET / HTTP/1.0\r\n\r\n", False),
    "random": (bytes(range(7, 250, 3)) * 40, False),
    "silence": (b"", True),
    "nothing": (b"", False),
    "half": (MAGIC[:5], True),
    "mangled": (b"\x89SCT\n\x1a\n" + hello(1), True),
    "newer": (MAGIC + hello(1, 2, 3), True),
    "wider": (MAGIC + hello(1, 1, 9) + done(0, 0), False),
    "receiver": (R, True),
    "sender": (S, True),
    "ignorable": (S + frame(77, b"x" * 5000, 1) + frame(WAIT) + done(0, 0), False),
    "unknown": (S + frame(77, b"x"), True),
    "twice": (S + hello(1), True),
    "early": (MAGIC + offer(1, b"g", 3), True),
    "fin": (S + offer(1, b"g", 3), False),
    "unagreed": (S + offer(1, b"g", 3) + start(2), True),
    "unstarted": (S + offer(1, b"g", 3) + block(1, b"abc"), True),
    "longer": (S + offer(1, b"g", 3) + start(1) + block(1, b"abcd"), True),
    "shorter": (S + offer(1, b"g", 3) + start(1) + block(1, b"ab") + end(1, b"ab"), True),
    "wronghash": (S + offer(1, b"g", 3) + start(1) + block(1, b"abc", b"abd"), True),
    "wrongend": (S + offer(1, b"g", 3) + start(1) + block(1, b"abc") + end(1, b"abd"), True),
    "unfinished": (S + offer(1, b"g", 3) + done(), True),
    "after": (S + done(0, 0) + offer(1, b"g", 3), True),
    "many": (S + b"".join(offer(i, b"g%d" % i, 1) for i in range(65)), True),
    "same": (S + offer(1, b"g", 3) + offer(1, b"h", 3), True),
    "backward": (S + frame(ANSWER, struct.pack(">IBHQQH", 1, 1, 0, 0, 0, 0)), True),
    "huge": (S + struct.pack(">BBHI", DATA, 0, 0, 0xFFFFFFFF), True),
    "claims": (S + struct.pack(">BBHI", OFFER, 0, 0, 1 << 20), True),
    "error": (S + frame(ERROR, struct.pack(">H", 999) + text(b"no \x1b[31mmore")), True),
    "folder": (S + offer(1, b"d", 0, 2) + offer(2, b"d/e", 3) + start(2) + block(2, b"abc") + end(2, b"abc") + done(), False),
    "receives": (R, True),
}
# To a sender of one file, "abc": what follows its offer, and what its end.
REPLY = {
    "takes": (answer(1), receipt(1, b"abc")),
    "unasked": (answer(5), b""),
    "again": (answer(1) + answer(1), b""),
    "skips": (answer(1, 2), b""),
    "refuses": (answer(1, 3, 8), b""),
    "ahead": (answer(1, 1, 0, 1 << 40), b""),
    "hasty": (answer(1) + receipt(1, b"abc"), b""),
    "fails": (answer(1), receipt(1, b"abc", 2, 12)),
    "others": (answer(1), receipt(1, b"abd")),
    "fewer": (answer(1), receipt(1, b"ab")),
    "premature": (done(), b""),
    "resumes": (answer(1, 1, 0, 2, xxh64(b"ab")), receipt(1, b"abc")),
    "differs": (answer(1, 1, 0, 2, xxh64(b"xy")), receipt(1, b"abc")),
    "offers": (offer(1, b"g", 3), b""),
    "block": (block(1, b"abc"), b""),
}


def recv_all(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_frame(s):
    """The next frame as (type, payload); a data frame's checksum is its hash."""
    head = recv_all(s, 8)
    kind, length = head[0], struct.unpack(">I", head[4:])[0]
    payload = recv_all(s, length)
    if kind != DATA:
        if struct.unpack(">Q", recv_all(s, 8))[0] != xxh64(head + payload):
            raise ValueError("checksum")
    return kind, payload


def connect(port):
    s = socket.create_connection(("127.0.0.1", int(port)))
    s.settimeout(20)
    return s


def greeting(s):
    if recv_all(s, 8) != MAGIC:
        raise ValueError("magic")
    return read_frame(s)


def offer_one(port, name):
    """A good sender but for the name. What is said of it."""
    s = connect(port)
    content = b"abc"
    raw = bytes.fromhex(name[4:]) if name.startswith("hex:") else os.fsencode(name)
    s.sendall(S + offer(1, raw, len(content)))
    greeting(s)
    kind, p = read_frame(s)
    if kind != ANSWER:
        return "type %d" % kind
    told = "verdict %d reason %d %s" % (p[4], struct.unpack(">H", p[5:7])[0], p[27:].decode(errors="replace"))
    if p[4] == 1:
        s.sendall(start(1) + block(1, content) + end(1, content))
        kind, p = read_frame(s)
        told += " receipt %d" % p[4]
    s.sendall(done())
    return told + " type %d" % read_frame(s)[0]


def say(s, name):
    data, hold = SAY[name] if name in SAY else (R, True)
    after_offer, after_end = REPLY.get(name, (b"", b""))
    types = []
    try:
        s.sendall(data)
        if not hold:
            s.shutdown(socket.SHUT_WR)
    except OSError:
        types.append("reset")
    try:
        types.append(greeting(s)[0])
        while True:
            types.append(read_frame(s)[0])
            if types[-1] == OFFER:
                s.sendall(after_offer)
            elif types[-1] == END:
                s.sendall(after_end)
            elif types[-1] == DONE and name in REPLY:
                s.sendall(done())
                s.shutdown(socket.SHUT_WR)
    except EOFError:
        types.append("end")
    except OSError:
        types.append("reset")
    s.close()
    return " ".join(map(str, types))


def port_file(path, listener):
    with open(path + ".new", "w") as f:
        f.write("%d\n" % listener.getsockname()[1])
    os.rename(path + ".new", path)


def listen(name, path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port_file(path, listener)
        s, _ = listener.accept()
        s.settimeout(20)
        return say(s, name)


def receiver(sockctl):
    """A recvfile --once into a new folder "in", and its port."""
    shutil.rmtree("in", ignore_errors=True)
    os.mkdir("in")
    if os.path.exists("port"):
        os.unlink("port")
    p = subprocess.Popen([sockctl, "recvfile", "-p", "0", "-s", "127.0.0.1", "--port-file", "port",
                          "-d", "in", "-1", "--quiet"], stdin=subprocess.DEVNULL)
    while not os.path.exists("port"):
        time.sleep(0.005)
    with open("port") as f:
        return p, int(f.read())


def do_receivers(sockctl, *words):
    for word in words:
        p, port = receiver(sockctl)
        types = say(connect(port), word)
        print(word, p.wait(20), types, *sorted(os.listdir("in")), flush=True)


def do_senders(sockctl, *words):
    with open("abc", "w") as f:
        f.write("abc")
    for word in words:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            p = subprocess.Popen([sockctl, "sendfile", "127.0.0.1", str(listener.getsockname()[1]), "abc",
                                  "--quiet"], stdin=subprocess.DEVNULL)
            s, _ = listener.accept()
            s.settimeout(20)
            types = say(s, word)
        print(word, p.wait(20), types, flush=True)


def do_flips(sockctl, path, *places):
    for place in places:
        byte, bit = map(int, place.split(":"))
        r, port = receiver(sockctl)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            p = subprocess.Popen([sockctl, "sendfile", "127.0.0.1", str(listener.getsockname()[1]), path,
                                  "--quiet"], stdin=subprocess.DEVNULL)
            flip(listener, port, byte, bit)
        print(place, p.wait(40), r.wait(40), *sorted(os.listdir("in")), flush=True)
        for name in os.listdir("in"):
            with open(path, "rb") as f, open("in/" + name, "rb") as g:
                if not name.endswith(".part") and f.read() != g.read():
                    print("WRONG")


def pump(a, b, byte=-1, bit=0):
    at = 0
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            if at <= byte < at + len(data):
                data = bytearray(data)
                data[byte - at] ^= 1 << bit
            at += len(data)
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def flip(listener, port, byte, bit):
    a, _ = listener.accept()
    b = socket.create_connection(("127.0.0.1", port))
    back = threading.Thread(target=pump, args=(b, a))
    back.start()
    pump(a, b, byte, bit)
    back.join()
    a.close()
    b.close()


def do_flip(port, path, byte, bit):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port_file(path, listener)
        flip(listener, int(port), int(byte), int(bit))


def main(word, *args):
    if word == "offer":
        for name in args[1:]:
            print(offer_one(args[0], name))
    elif word == "say":
        print(say(connect(args[0]), args[1]))
    elif word == "listen":
        print(listen(*args))
    elif word == "receivers":
        do_receivers(*args)
    elif word == "senders":
        do_senders(*args)
    elif word == "flip":
        do_flip(*args)
    elif word == "flips":
        do_flips(*args)
    elif word == "hash":
        with open(args[0], "rb") as f:
            print("%016x" % xxh64(f.read()))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
