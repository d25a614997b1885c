# serve --forward: every pair of transports, half-closes, refusals, many at once.
load helper/common

echo_server() { # echo_server NAME KIND: prints its port
	bg "$1" python3 -c '
import socket, sys, threading
kind = sys.argv[1]
if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1], flush=True)
    while True:
        d, a = s.recvfrom(65536); s.sendto(d, a)
def serve(c):
    while True:
        d = c.recv(65536)
        if not d: break
        c.sendall(d)
    c.shutdown(socket.SHUT_WR); c.close()
if kind == "unix":
    s = socket.socket(socket.AF_UNIX); s.bind("echo.sock")
else:
    s = socket.socket(); s.bind(("127.0.0.1", 0))
s.listen(256)
print(s.getsockname()[1] if kind == "tcp" else 1, flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()' "$2"
	wait_for test -s "$1.out"
	target=$(cat "$1.out")
}

@test "TCP to TCP: bytes both ways, half-closes pass" {
	echo_server e tcp
	server s serve --forward "127.0.0.1:$target" --json
	head -c 8388608 /dev/urandom > data
	"$SOCKCTL" connect 127.0.0.1 "$port" < data > got
	cmp data got
	wait_grep '"close"' s.err
	json s.err 'ev("close")[0]["rx"] == 8388608 and ev("close")[0]["tx"] == 8388608'
}

@test "TCP to Unix, Unix to TCP" {
	echo_server e unix
	server s serve --forward "unix:$PWD/echo.sock"
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf hello)
	assert_output hello
	echo_server t tcp
	bg u "$SOCKCTL" serve -U "$PWD/in.sock" --forward "127.0.0.1:$target"
	wait_grep listening u.err
	run -0 "$SOCKCTL" connect "unix:$PWD/in.sock" < <(printf hello)
	assert_output hello
}

@test "datagrams stay datagrams: UDP to UDP, UDP to TCP, TCP to UDP" {
	echo_server e udp
	server s serve -u --forward "udp:127.0.0.1:$target"
	run -0 "$SOCKCTL" connect -u --datagram line 127.0.0.1 "$port" < <(printf 'one\ntwo\n')
	assert_output "$(printf 'one\ntwo')"
	server x serve --forward "udp:127.0.0.1:$target"
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf query)
	assert_output query
	echo_server t tcp
	server y serve -u --forward "127.0.0.1:$target"
	run -0 "$SOCKCTL" connect -u 127.0.0.1 "$port" < <(printf x)
	assert_output x
}

@test "a target that refuses: the client is reset, the event says why, serve lives" {
	server d serve
	dead=$port
	stop "$pid"
	server s serve --forward "127.0.0.1:$dead" --json
	sp=$pid
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" drain
	ended "$pid"
	assert_equal "$(cat c.out)" "drain 0 reset"
	wait_grep '"close"' s.err
	json s.err 'ev("error")[0]["op"] == "connect" and ev("close")[0]["reason"] == "error" and "target" in ev("close")[0]["why"]'
	kill -0 "$sp"
	run_err -2 "$SOCKCTL" serve -p 0 --forward nowhere
}

@test "a target that comes later is met with --retry; -w ends the wait" {
	server d serve
	later=$port
	stop "$pid"
	server s serve --forward "127.0.0.1:$later" --retry inf,50ms
	front=$port
	bg c "$SOCKCTL" connect --recv-only 127.0.0.1 "$front"
	c=$pid
	wait_grep '#1 accept' s.err
	printf ok > ok
	bg t "$SOCKCTL" serve -p "$later" --reply ok
	ended "$c"
	assert_equal "$(cat c.out)" ok
}

@test "the target's reset reaches the client; --forward-bind is where it comes from" {
	server t serve --script 'recv 10; reset'
	server s serve --forward "127.0.0.1:$port" --forward-bind 127.0.0.5
	run_err -5 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf x)
	wait_grep 'accept 127.0.0.5:' t.err
}

@test "200 connections at once, each 1 MiB both ways, one stuck one harms nobody" {
	echo_server e tcp
	server s serve --forward "127.0.0.1:$target" --quiet
	sp=$pid
	bg stuck python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" \
		rcvbuf=4096 mark=in sendn=30000000 sleep=60
	wait_for test -e in
	cat > many.py <<- 'END'
		import hashlib, os, selectors, socket, sys
		port, count, size = map(int, sys.argv[1:4])
		data = os.urandom(size)
		sel = selectors.DefaultSelector()
		for _ in range(count):
		    s = socket.create_connection(("127.0.0.1", port)); s.setblocking(False)
		    sel.register(s, 3, [0, 0, hashlib.md5()])
		good, want = 0, hashlib.md5(data).digest()
		while sel.get_map():
		    for key, mask in sel.select():
		        s, st = key.fileobj, key.data
		        if mask & 2:
		            st[0] += s.send(data[st[0]:st[0] + 65536])
		            if st[0] == size:
		                s.shutdown(socket.SHUT_WR); sel.modify(s, 1, st)
		        if mask & 1:
		            got = s.recv(65536)
		            if got:
		                st[1] += len(got); st[2].update(got)
		            else:
		                good += st[1] == size and st[2].digest() == want
		                sel.unregister(s); s.close()
		print(good)
	END
	run -0 python3 many.py "$port" 200 1048576
	assert_output 200
	if ! is_san; then
		assert [ "$(awk '/VmRSS/ { print $2 }' "/proc/$sp/status")" -lt 200000 ]
	fi
}

@test "-x shows what passes, with time, connection and direction" {
	echo_server e tcp
	server s serve --forward "127.0.0.1:$target" -x dump
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf 'see me')
	wait_grep 'see me' dump
	assert_equal "$(grep -c 'see me' dump)" 2
}

@test "socat and nc through it, on either side" {
	needs socat nc.openbsd
	printf 'from socat' > f
	bg so socat TCP-LISTEN:0,bind=127.0.0.1,reuseaddr,fork OPEN:f
	wait_for sh -c "ss -tlnpH | grep -q 'pid=$pid,'"
	target=$(ss -tlnpH | grep "pid=$pid," | sed 's/.*127.0.0.1:\([0-9]*\) .*/\1/')
	server s serve --forward "127.0.0.1:$target"
	run -0 nc.openbsd -N 127.0.0.1 "$port" < /dev/null
	assert_output 'from socat'
}
