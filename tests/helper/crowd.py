"""crowd.py PORT N WHAT [WORD]: N clients at one time.

hold    opens them, prints "open", waits for a line of standard input, then
        sends a byte and FIN on each and waits for the server's FIN on all
hear    opens them, prints "open", and waits until each has received WORD
broker  the same, but after a line of standard input the first client sends
        WORD to the others, while the second never reads
"""
import resource
import selectors
import socket
import sys

port, n, what = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
word = sys.argv[4].encode() if len(sys.argv) > 4 else b""
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def all_have(clients, enough):
    """Until enough(bytes received, ended) holds for each client."""
    selector = selectors.DefaultSelector()
    got = {c: b"" for c in clients}
    for c in clients:
        c.setblocking(False)
        selector.register(c, selectors.EVENT_READ)
    while got:
        for key, _ in selector.select():
            c = key.fileobj
            data = c.recv(65536)
            got[c] += data
            if enough(got[c], not data):
                selector.unregister(c)
                del got[c]
            elif not data:
                sys.exit("a client ended with %r" % got[c])


clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(n)]
print("open", flush=True)
if what == "hold":
    sys.stdin.readline()
    for c in clients:
        c.sendall(b"x")
        c.shutdown(socket.SHUT_WR)
    all_have(clients, lambda got, ended: ended)
elif what == "hear":
    all_have(clients, lambda got, ended: got == word)
else:
    sys.stdin.readline()
    clients[0].sendall(word)
    all_have(clients[2:], lambda got, ended: got == word)
print("done", flush=True)
