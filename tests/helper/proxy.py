"""proxy.py BEHAVIOUR PORTFILE: a proxy that does not do its work well.

Each client's request is taken (a CONNECT's head, or the steps of SOCKS 5 up to
the request), then answered as BEHAVIOUR says. Ends with its parent's kill.
"""
import os
import socket
import sys
import threading
import time

OK = b"HTTP/1.1 200 Connection established\r\nVia: tests\r\n\r\n"
SOCKS_OK = b"\5\0\0\1\0\0\0\0\0\0"


def head(c):
    got = b""
    while b"\r\n\r\n" not in got:
        more = c.recv(4096)
        if not more:
            raise OSError("gone")
        got += more


def socks(c):
    c.recv(2 + 255)
    c.sendall(b"\5\0")
    c.recv(4 + 256 + 2)


def slowly(c, data):
    for i in range(len(data)):
        c.sendall(data[i : i + 1])
        time.sleep(0.001)


def echo(c):
    while True:
        data = c.recv(65536)
        if not data:
            break
        c.sendall(data)


def http_slow(c):
    head(c)
    slowly(c, OK + b"first ")
    echo(c)


def socks_slow(c):
    c.recv(2 + 255)
    slowly(c, b"\5\0")
    c.recv(4 + 256 + 2)
    slowly(c, SOCKS_OK + b"first ")
    echo(c)


def http_early(c):
    head(c)
    c.sendall(OK + b"first ")
    echo(c)


def hang_up(c):
    c.recv(4096)


def hang_up_half_way(c):
    head(c)
    c.sendall(OK[:30])


def nonsense(c):
    c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    c.recv(4096)
    time.sleep(60)


def stall(c):
    c.recv(4096)
    time.sleep(60)


def socks_stall(c):
    socks(c)
    time.sleep(60)


def headers(c):
    head(c)
    c.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Padding: aaaaaaaaaaaaaaaa\r\n" * 40000)
    time.sleep(60)


def forbids(c):
    head(c)
    c.sendall(b"HTTP/1.1 403 \x1b[31mNo\r\nContent-Length: 2\r\n\r\nno")


def socks_refuses(c):
    socks(c)
    c.sendall(b"\5\2\0\1\0\0\0\0\0\0")


def serve(c, behaviour):
    try:
        behaviour(c)
    except OSError:
        pass
    c.close()


def main():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(16)
    with open(sys.argv[2] + ".tmp", "w") as f:
        f.write(str(s.getsockname()[1]))
    os.rename(sys.argv[2] + ".tmp", sys.argv[2])
    while True:
        c, _ = s.accept()
        threading.Thread(
            target=serve, args=(c, globals()[sys.argv[1]]), daemon=True
        ).start()


main()
