"""activate.py PORTS WHAT[,WHAT...] COMMAND...: socket activation in small.

Opens each WHAT (tcp, udp, unix:PATH, file), passes them on from descriptor 3
as sd_listen_fds(3) says, and becomes COMMAND. PORTS gets the TCP and UDP ports.
"""
import os
import socket
import sys


def opened(what):
    if what == "file":
        return open("/dev/null")
    if what.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.bind(what[5:])
    else:
        kind = socket.SOCK_DGRAM if what == "udp" else socket.SOCK_STREAM
        s = socket.socket(type=kind)
        s.bind(("127.0.0.1", 0))
    if s.type == socket.SOCK_STREAM:
        s.listen(16)
    return s


things = [opened(what) for what in sys.argv[2].split(",")]
ports = [
    str(s.getsockname()[1])
    for s in things
    if getattr(s, "family", None) == socket.AF_INET
]
for i, thing in enumerate([os.dup(t.fileno()) for t in things]):
    os.dup2(thing, 30 + i)
for i in range(len(things)):
    os.dup2(30 + i, 3 + i, inheritable=True)
os.environ.update(
    LISTEN_PID=str(os.getpid()),
    LISTEN_FDS=str(len(things)),
    LISTEN_FDNAMES=":".join("name%d" % i for i in range(len(things))),
)
with open(sys.argv[1] + ".tmp", "w") as f:
    print(*ports, file=f)
os.rename(sys.argv[1] + ".tmp", sys.argv[1])
os.execvp(sys.argv[3], sys.argv[3:])
