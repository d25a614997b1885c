"""loads: the standard runs of the modes that carry files, measure and probe;
as in scenes."""

import os

import stage
from scenes import ASKED, SAID, address, left


def put(run):
    """A folder to send: three files, one of them empty."""
    os.makedirs(run.path("tree/sub"))
    os.makedirs(run.path("in"))
    run.write("tree/a", SAID)
    run.write("tree/sub/b", ASKED)
    run.write("tree/empty", b"")


FILES = {"tree/a": SAID, "tree/sub/b": ASKED, "tree/empty": b""}


def arrived(run, folder):
    """All whole; none under its name that is not."""
    whole = 0
    for name, data in FILES.items():
        got = run.read(f"{folder}/{name}")
        if got is not None and got != data:
            run.wrong(f"{name} is not whole")
        whole += got == data
    return whole == len(FILES)


def parts(run, folder):
    """What is kept of files that did not come to their end."""
    return [n for _, _, names in os.walk(run.path(folder)) for n in names
            if n.endswith(".part")]


def told(run, folder, client):
    """Whether all arrived: the sender's exit code and what lies there agree."""
    complete = arrived(run, folder)
    if client.code == 0 and not complete:
        run.wrong("a sender ended with 0, but not all is there")
    if complete and parts(run, folder):
        run.wrong("a part was left beside whole files")
    return complete


def ended(run, receiver, whole, *ends):
    """All is well; for a receiver also where its last word did not go: it has
    what it was told is all."""
    return whole and (run.side == receiver or all(p.code == 0 for p in ends))


def files(run):
    """sendfile -r to a recvfile that serves on"""
    put(run)
    server = run.server(["recvfile", "-d", "in", "--fsync"])
    if not server:
        return None
    client = run.client(["sendfile", "-r"] + address(server) + ["tree"])
    client.end()
    complete = told(run, "in", client) and client.code == 0
    if run.side == "server":
        run.served("the client", complete)

    def well():
        # A name of its own, since what is in place stays there.
        name = f"after{len(run.processes)}"
        run.write(name, ASKED)
        after = run.client(["sendfile"] + address(server) + [name],
                           name="after", side=None)
        return after.end() == 0 and run.read("in/" + name) == ASKED

    run.goes_on(server, well)
    return complete


def restarted(run):
    """a kept part is begun anew"""
    put(run)
    run.write("in/.a.part", SAID[:20000])
    return one_file(run, ["--no-resume"])


def files_once(run):
    """sendfile to recvfile -1: both end"""
    put(run)
    server = run.server(["recvfile", "-1", "-d", "in", "--overwrite"])
    if not server:
        return None
    client = run.client(["sendfile", "-r"] + address(server) + ["tree"])
    client.end()
    left(run, server, client)
    return ended(run, "server", told(run, "in", client), client, server)


def files_pulled(run):
    """recvfile fetches from a sendfile that listens"""
    put(run)
    server = run.server(["sendfile", "-1", "-r", "tree"])
    if not server:
        return None
    client = run.client(["recvfile", "-d", "in"] + address(server))
    client.end()
    left(run, server, client)
    complete = arrived(run, "in")
    if server.code == 0 and not server.stopped and not complete:
        run.wrong("the sender ended with 0, but not all is there")
    return ended(run, "client", complete, client, server)


def resumed(run):
    """a kept part is resumed"""
    put(run)
    run.write("in/.a.part", SAID[:20000])
    return one_file(run, [])


def one_file(run, args):
    server = run.server(["recvfile", "-1", "-d", "in"] + args)
    if not server:
        return None
    client = run.client(["sendfile"] + address(server) + ["tree/a"])
    client.end()
    left(run, server, client)
    got = run.read("in/a")
    if got not in (None, SAID) or (got is None and client.code == 0):
        run.wrong(f"the sender ended with {client.code}, a is not whole")
    return ended(run, "server", got == SAID, client, server)


def file_streams(run):
    """sendfile of standard input to recvfile -O -"""
    run.write("asked", ASKED)
    server = run.server(["recvfile", "-1", "-O", "-"])
    if not server:
        return None
    client = run.client(["sendfile", "--as", "x"] + address(server) + ["-"],
                        "asked")
    client.end()
    left(run, server, client)
    complete = run.read("server.out") == ASKED
    if client.code == 0 and not complete:
        run.wrong("the sender ended with 0, but not all is there")
    return ended(run, "server", complete, client, server)


def raw(run):
    """sendfile --raw to recvfile --raw"""
    run.write("asked", ASKED)
    server = run.server(["recvfile", "-1", "--raw", "-O", "in"])
    if not server:
        return None
    client = run.client(["sendfile", "--raw"] + address(server) + ["asked"])
    client.end()
    left(run, server, client)
    got = run.read("in")
    if client.code == 0 and server.code == 0 and not server.stopped and \
            got != ASKED:
        run.wrong("both ended with 0, but not all is there")
    return got == ASKED and client.code == 0


def load(run, server_args, args):
    server = run.server(server_args)
    if not server:
        return None
    client = run.client(["flood", "--workers", "1"] + args + address(server))
    complete = client.end() == 0
    if run.side == "server":
        run.served("the client", complete)

    def well():
        return run.client(["flood"] + args + address(server), name="after",
                          side=None).end() == 0

    run.goes_on(server, well)
    return complete


def flood(run):
    """flood, plain"""
    return load(run, ["flood"], ["-n", "2M"])


def flood_bidir(run):
    """flood --bidir --verify on two connections"""
    run.lossy = True  # a line that says what is meant goes whole or not
    return load(run, ["flood"], ["-n", "400K", "-P", "2", "--bidir",
                                 "--verify", "--chunk", "40K"])


def flood_udp(run):
    """flood -u"""
    run.datagrams()
    return load(run, ["flood", "-u"], ["-u", "-n", "100K", "--rate", "8M/s"])


def flood_rr(run):
    """flood --rr against echo"""
    return load(run, ["echo"], ["--rr=100", "-n", "2000"])


def flood_crr(run):
    """flood --crr against echo"""
    return load(run, ["echo"], ["--crr", "-n", "20", "--idle", "1"])


def workers(run):
    """flood on two processes"""
    run.also = {stage.LOCAL, stage.LOST}  # a worker ended early
    run.lossy = True  # what the boss says, too
    server = run.server(["flood"])
    if not server:
        return None
    client = run.client(["flood", "--workers", "2", "-P", "2", "-n", "1M"] +
                        address(server))
    complete = client.end() == 0
    server.stop()
    return complete


def probed(run, args):
    run.write("motd", b"hello there\n")
    server = run.server(["serve", "--reply", "motd"], side=None)
    client = run.client(["probe"] + args + address(server))
    complete = client.end() == 0
    server.stop()
    return complete


def probe(run):
    """probe of an open port"""
    return probed(run, [])


def probe_expect(run):
    """probe --banner --expect --info"""
    run.also = {stage.ASSERT}
    return probed(run, ["--banner", "--expect", "hello", "--info"])


def probe_many(run):
    """probe of several ports, a name"""
    run.write("motd", b"hello there\n")
    server = run.server(["serve", "--reply", "motd"], side=None)
    client = run.client(["probe", "-4", "localhost,127.0.0.1",
                         f"{server.port},{server.port}"])
    complete = client.end() == 0
    server.stop()
    return complete


def probe_wait(run):
    """probe --wait"""
    return probed(run, ["--wait", "10", "--interval", "20ms"])
