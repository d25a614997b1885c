"""scenes: the standard runs of each mode. A scene takes a Run, has both sides
talk, and returns whether all arrived; None where a server did not start."""

import random
import socket
import threading

SAID = random.Random(1).randbytes(40000)  # by the server
ASKED = random.Random(2).randbytes(30000)  # by the client
LATE = 1.0  # seconds: no datagram is so
FAST = ["connect", "--fin", "0"]


def prepare(run):
    run.write("said", SAID)
    run.write("asked", ASKED)


def address(server):
    return ["127.0.0.1", server.port]


def left(run, server, client):
    """A client that failed may never have come to a server that waits."""
    if client.code != 0 and not server.ended(0.3):
        server.stop()
    server.end()


def once(run, server, args, source, target=None, piped=False):
    """One client of a server that serves one."""
    if not server:
        return None
    client = run.client(args + (target or address(server)), source, piped)
    client.end()
    left(run, server, client)
    run.drain()
    return client


def both_ways(run, piped):
    server = run.server(["serve", "-1"], "said", piped)
    if not once(run, server, FAST, "asked",
                server and ["localhost", server.port], piped):
        return None
    return run.read("server.out") == ASKED and run.read("client.out") == SAID


def talk(run):
    """serve -1 and connect, by name, streams are files"""
    return both_ways(run, False)


def talk_pipes(run):
    """the same with pipes"""
    return both_ways(run, True)


def exchange(s, data, answer):
    """By a bare socket: whether the answer came."""
    got = b""
    try:
        s.sendall(data)
        while len(got) < len(answer):
            more = s.recv(65536)
            if not more:
                break
            got += more
    except OSError:
        pass
    return got == answer


def goes_on(run, server, args, source, expected, bystander):
    """A client of a server that serves on, while a bystander is there, and
    then one more."""
    if not server:
        return None
    there = None
    try:
        there = bystander and run.dial(server)
    except OSError as error:
        if not (server.faulted and run.may_end()):
            run.wrong(f"the server does not answer: {error}")
    client = run.client(args + address(server), source)
    client.end()
    complete = client.code == 0 and run.read("client.out") == expected
    if run.side == "server":
        run.served("the client", complete)
    if there and not run.lasting and not server.ended(0):
        well = bystander(there)
        run.served("the bystander", well)
        if run.side == "client" and not well:
            run.wrong("the bystander was harmed")

    def well():
        after = run.client(args + address(server), source, name="after",
                           side=None)
        return after.end() == 0 and run.read("after.out") == expected

    run.goes_on(server, well)
    return complete


def reply(run):
    """serve --reply"""
    server = run.server(["serve", "--reply", "said"])
    return goes_on(run, server, FAST, None, SAID,
                   lambda s: exchange(s, b"", SAID))


def log(run):
    """serve --reply with its events in a file, all that is seen, a dump"""
    server = run.server(["serve", "--reply", "said", "-x", "dump", "--stats",
                         "--log", "log", "--nodelay", "--show-sockopts"])
    return goes_on(run, server, FAST + ["-x", "dump2", "--stats"], None, SAID,
                   lambda s: exchange(s, b"", SAID))


def forward(run):
    """serve --forward to an echo server"""
    far = run.server(["echo"], name="far", side=None)
    server = run.server(["serve", "--forward", "127.0.0.1:" + far.port])
    complete = goes_on(run, server, FAST, "asked", ASKED,
                       lambda s: exchange(s, b"hello", b"hello"))
    far.stop()
    return complete


def execute(run):
    """serve --exec cat"""
    server = run.server(["serve", "--exec", "cat"])
    return goes_on(run, server, FAST, "asked", ASKED,
                   lambda s: exchange(s, b"hello", b"hello"))


def broker(run):
    """serve --broker: what one says all hear"""
    server = run.server(["serve", "--broker"])
    if not server:
        return None
    try:
        ears = run.dial(server)
    except OSError:
        return None
    client = run.client(FAST + address(server), "asked")
    client.end()
    heard = client.code == 0 and not server.ended(0) and \
        exchange(ears, b"", ASKED)
    if run.side == "server":
        run.served("the listener", heard)

    def well():
        s = run.dial(server)
        t = run.dial(server)
        # What the client said may still be on its way.
        t.sendall(b"here\n")
        return hears(s, b"here\n")

    run.goes_on(server, well)
    return heard


def unix(run):
    """serve -U, connect -U"""
    server = run.start("server", ["serve", "-1", "-U", "path"], "said",
                       "server")
    server.port = server.before = 0
    if not run.appears(server, "path"):
        return None
    client = run.client(FAST + ["-U", "path"], "asked")
    client.end()
    left(run, server, client)
    if run.read("path.lock") is not None and not server.faulted:
        run.wrong("path.lock was left")
    return run.read("server.out") == ASKED and run.read("client.out") == SAID


def udp(run):
    """connect -u to echo -u"""
    run.datagrams()
    run.write("line", b"hello\n")
    server = run.server(["echo", "-u"])
    return goes_on(run, server, ["connect", "-u", "--expect", "hello"], "line",
                   b"hello\n", None)


def serve_udp(run):
    """serve -u, connect -u"""
    run.datagrams()
    run.write("line", b"hello\n")
    server = run.server(["serve", "-u"])
    if not server:
        return None
    client = run.client(["connect", "-u", "-q", "0"] + address(server), "line")
    client.end()
    def heard():
        return run.read("server.out") == b"hello\n"

    run.until(lambda: server.ended(0) or client.code != 0 or heard(), LATE)
    complete = heard()

    def well():
        run.client(["connect", "-u", "-q", "0"] + address(server), "line",
                   name="after", side=None).end()
        return run.until(lambda: run.read("server.out").endswith(b"hello\n"))

    run.goes_on(server, well)
    return complete


def echo_run(run, server_args, args):
    server = run.server(["echo"] + server_args)
    if not server:
        return None
    client = run.client(["echo", "--count", "20", "--size", "500"] + args +
                        address(server))
    complete = client.end() == 0
    if run.side == "server":
        run.served("the client", complete)

    def well():
        return run.client(["echo", "--count", "20"] + args + address(server),
                          name="after", side=None).end() == 0

    run.goes_on(server, well)
    return complete


def echo(run):
    """echo server and client"""
    return echo_run(run, [], [])


def echo_fork(run):
    """echo --fork"""
    return echo_run(run, ["--fork"], [])


def echo_udp(run):
    """echo -u"""
    run.datagrams()
    return echo_run(run, ["-u"], ["-u"])


def chat(run):
    """chat server and client, with a bystander in the room"""
    run.write("lines", b"hello\n/list\n/quit\n")
    run.write("motd", b"welcome\n")
    server = run.server(["chat", "--no-console", "--transcript", "log",
                         "--motd", "motd"])
    if not server:
        return None
    try:
        room = run.dial(server)
    except OSError:
        return None
    greeted = hears(room, b"guest")
    client = run.client(["chat", "-n", "ann"] + address(server), "lines")
    complete = client.end() == 0
    heard = complete and greeted and not server.ended(0) and \
        hears(room, b"<ann> hello")
    if run.side == "server":
        run.served("the client", complete)
        if not run.lasting and not server.ended(0):
            run.served("the bystander", greeted and (heard or not complete))

    def well():
        return run.client(["chat", "-n", "bob"] + address(server), "lines",
                          name="after", side=None).end() == 0

    run.goes_on(server, well)
    return complete and (heard or run.side == "server")


def socks(listener):
    """A proxy of RFC 1928 for one client, itself the far side: an echo."""
    try:
        s, _ = listener.accept()
        with s, s.makefile("rwb", buffering=0) as f:
            exactly(f, exactly(f, 2)[1])
            f.write(b"\5\0")
            exactly(f, 10)
            f.write(b"\5\0\0\1" + bytes(6))
            while data := s.recv(65536):
                s.sendall(data)
    except (OSError, IndexError):
        pass  # the client is gone


def exactly(f, n):
    got = b""
    while len(got) < n and (more := f.read(n - len(got))):
        got += more
    return got


def proxied(run):
    """connect --proxy"""
    run.also = {8}  # the proxy hangs up
    listener = socket.create_server(("127.0.0.1", 0))
    run.sockets.append(listener)
    threading.Thread(target=socks, args=(listener,), daemon=True).start()
    port = listener.getsockname()[1]
    client = run.client(FAST + ["--proxy", f"socks5://127.0.0.1:{port}",
                                "127.0.0.1", "9"], "asked")
    client.end()
    return run.read("client.out") == ASKED


def hears(s, text):
    """The text comes, sooner or later."""
    got = b""
    s.settimeout(5)
    try:
        while text not in got:
            more = s.recv(65536)
            if not more:
                return False
            got += more
    except OSError:
        return False
    return True
