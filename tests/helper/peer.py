#!/usr/bin/env python3
"""peer: a TCP or Unix peer that does exactly what it is told, for the tests.

    peer.py listen PORTFILE STEP...     takes one connection
    peer.py connect PORT STEP...        PORT, or a path

    rcvbuf=N  before the connection      recv=N    exactly N bytes
    send=TEXT (\\n \\r)                    sendn=N   N bytes of x
    drain     read to the end            fin       shut the sending side down
    rst       close with RST             close     plain close
    sleep=S   wait                       file=F    wait until F exists
    mark=F    make F                     nofin=S   for S seconds no FIN comes
    peek      wait for data, leave it
Each receiving step prints what it got: "recv TEXT", "drain N eof|reset"."""
import os
import socket
import struct
import sys
import time


def connection(how, where, rcvbuf):
    if how == "connect":
        path = not where.isdigit()
        s = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.connect(where if path else ("127.0.0.1", int(where)))
        return s
    listener = socket.socket()
    if rcvbuf:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    with open(where + ".new", "w") as f:
        print(listener.getsockname()[1], file=f)
    os.rename(where + ".new", where)
    return listener.accept()[0]


def drain(s):
    total = 0
    try:
        while True:
            got = s.recv(1 << 16)
            if not got:
                return total, "eof"
            total += len(got)
    except ConnectionResetError:
        return total, "reset"


def step(s, name, value):
    if name == "send":
        s.sendall(value.encode().decode("unicode_escape").encode("latin-1"))
    elif name == "sendn":
        s.sendall(b"x" * int(value))
    elif name == "recv":
        got = b""
        while len(got) < int(value):
            more = s.recv(int(value) - len(got))
            if not more:
                break
            got += more
        print("recv", got.decode("latin-1"), flush=True)
    elif name == "drain":
        print("drain", *drain(s), flush=True)
    elif name == "fin":
        s.shutdown(socket.SHUT_WR)
    elif name == "rst":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    elif name == "close":
        s.close()
    elif name == "sleep":
        time.sleep(float(value))
    elif name == "file":
        while not os.path.exists(value):
            time.sleep(0.01)
    elif name == "nofin":
        s.settimeout(float(value))
        try:
            print("fin" if not s.recv(1) else "data", flush=True)
        except TimeoutError:
            print("no fin", flush=True)
        s.settimeout(None)
    elif name == "peek":
        s.recv(1, socket.MSG_PEEK)
    elif name == "mark":
        open(value, "w").close()
    else:
        sys.exit("no step " + name)


def main():
    steps = [a.partition("=")[::2] for a in sys.argv[3:]]
    rcvbuf = next((int(v) for n, v in steps if n == "rcvbuf"), 0)
    s = connection(sys.argv[1], sys.argv[2], rcvbuf)
    for name, value in steps:
        if name != "rcvbuf":
            step(s, name, value)


main()
