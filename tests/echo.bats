#!/usr/bin/env bats
# sockctl echo: the server, also with the clients of other tools, and the
# client, also against the servers of other tools.

load helper/common
bats_require_minimum_version 1.5.0

# Sends standard input to the server and prints what comes back until its FIN.
talk() {
	"$SOCKCTL" connect --fin 0 "$@" 127.0.0.1 "$port"
}

# Lines of a python program with s, a connection to the server.
py() {
	python3 - "$port" <<- END
		import socket, sys, time
		port = int(sys.argv[1])
		def connect():
		    s = socket.create_connection(("127.0.0.1", port))
		    s.settimeout($WAIT_MAX)
		    return s
		def udp(local=("127.0.0.1", 0)):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.bind(local)
		    s.settimeout($WAIT_MAX)
		    s.connect(("127.0.0.1", port))
		    return s
		def all_of(s):
		    data = b""
		    while True:
		        piece = s.recv(65536)
		        if not piece:
		            return data
		        data += piece
		$(cat)
	END
}

children() {
	cat "/proc/$1/task/$1/children" 2> /dev/null
}

@test "server: bytes come back as they were, then FIN" {
	server s echo
	head -c 3000000 /dev/urandom > data
	talk < data > back
	cmp data back
	printf 'a\0b' | talk > back
	printf 'a\0b' | cmp - back
}

@test "server: nc, ncat and socat are clients" {
	needs ncat socat nc.openbsd
	server s echo
	head -c 300000 /dev/urandom > data
	nc.openbsd -N 127.0.0.1 "$port" < data | cmp - data
	ncat 127.0.0.1 "$port" < data | cmp - data
	socat -t 20 - "TCP:127.0.0.1:$port" < data | cmp - data
}

@test "server: all clients at once, one that never reads stops nobody" {
	server s echo
	py <<- 'END'
		stuck = connect()
		stuck.settimeout(1)
		sent = 0
		try:
		    while True:
		        sent += stuck.send(b"x" * 65536)
		except socket.timeout:
		    pass
		many = [connect() for i in range(50)]
		for i, s in enumerate(many):
		    s.send(b"%d" % i)
		for i, s in enumerate(many):
		    assert s.recv(10) == b"%d" % i
	END
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	is_san || ((rss < 20000)) || fail "$rss KiB"
}

@test "server: --reverse by UTF-8 character, the line's end stays" {
	server s echo --reverse
	printf 'hello\n你好\r\n\na\r\n' | talk > back
	printf 'olleh\n好你\r\n\na\r\n' | cmp - back
	printf 'ab\xff\xc3cd\n' | talk > back
	printf 'dc\xc3\xffba\n' | cmp - back
	printf 'no end' | talk > back
	printf 'dne on' | cmp - back
	printf 'a\rb\r\n' | talk > back
	printf 'b\ra\r\n' | cmp - back
}

@test "server: a line is answered when it is whole, not before" {
	server s echo --reverse
	py <<- 'END'
		s = connect()
		s.send(b"ab")
		time.sleep(0.1)
		s.send(b"c\nde")
		assert s.recv(100) == b"cba\n"
		s.shutdown(socket.SHUT_WR)
		assert all_of(s) == b"ed"
	END
}

@test "server: --until answers first, then closes; the next client is served" {
	server s echo --reverse --until bye
	printf 'one\nbye\nnever\n' | talk > back
	printf 'eno\neyb\n' | cmp - back
	printf 'goodbye\nbyebye\nbye\r\nnever\n' | talk > back
	printf 'eybdoog\neybeyb\neyb\r\n' | cmp - back
	stop "$pid"
	server s echo --until bye
	printf 'x\nbye' | talk > back
	printf 'x\nbye' | cmp - back
	stop "$pid"
	((code == 0))
}

@test "server: a line over 64 KiB comes back in pieces of that size" {
	server s echo --reverse
	py <<- 'END'
		for n in 65535, 65536, 65537, 65538, 131072, 200000:
		    for end in b"", b"\n", b"\r\n":
		        s = connect()
		        data = (b"abcdefg" * (n // 7 + 1))[:n]
		        s.sendall(data + end)
		        s.shutdown(socket.SHUT_WR)
		        want = b"".join(data[i:i + 65536][::-1]
		                        for i in range(0, n, 65536)) + end
		        got = all_of(s)
		        assert got == want, (n, end, len(got), len(want))
		s = connect()
		s.sendall("你".encode() * 30000)
		s.shutdown(socket.SHUT_WR)
		assert all_of(s) == "你".encode() * 30000
	END
}

@test "server: --serial serves one client after the other" {
	server s echo --serial
	py <<- 'END'
		a, b = connect(), connect()
		b.send(b"b")
		a.send(b"a")
		assert a.recv(9) == b"a"
		b.settimeout(0.3)
		try:
		    b.recv(9)
		    raise SystemExit("served at the same time")
		except socket.timeout:
		    pass
		b.settimeout(20)
		a.close()
		assert b.recv(9) == b"b"
	END
}

@test "server: --fork serves by children, which are reaped" {
	server s echo --fork --json
	echo "$pid" > pid
	py <<- 'END'
		a, b = connect(), connect()
		for s in a, b:
		    s.send(b"abc")
		for s in a, b:
		    assert s.recv(9) == b"abc"
		pid = open("pid").read().strip()
		kids = open(f"/proc/{pid}/task/{pid}/children").read().split()
		assert len(kids) == 2, kids
	END
	[ -z "$(children "$pid")" ] || wait_for eval '[ -z "$(children "$pid")" ]'
	stop "$pid"
	((code == 0))
	json s.err 'last["connections"] == 2 and last["rx"] == 6 == last["tx"]'
	json s.err 'len(ev("accept")) == 2 == len(ev("close"))'
}

@test "server: --fork, TERM ends parent and children" {
	server s echo --fork
	py <<- 'END' &
		s = connect()
		s.send(b"x")
		s.recv(1)
		open("there", "w").close()
		assert s.recv(1) == b""
	END
	client=$!
	wait_for test -e there
	child=$(children "$pid")
	[ -n "$child" ]
	stop "$pid"
	((code == 0))
	wait "$client"
	# shellcheck disable=SC2086
	run kill -0 $child
	assert_failure
}

@test "server: --fork, a killed parent leaves no child behind" {
	server s echo --fork
	is_portable && skip "needs prctl"
	exec 5<> "/dev/tcp/127.0.0.1/$port"
	echo x >&5
	read -r -u 5 line
	child=$(children "$pid")
	stop "$pid" KILL
	# shellcheck disable=SC2086
	wait_for common_gone $child
	exec 5>&-
}

@test "server: UDP" {
	needs socat
	server s echo -u
	printf 'abc' | socat -t 1 - "UDP:127.0.0.1:$port,shut-none" > back &
	wait_for grep -q abc back
	py <<- 'END'
		s = udp()
		for n in 0, 1, 1400, 65507:
		    s.send(b"d" * n)
		    assert s.recv(70000) == b"d" * n
	END
	stop "$pid"
	server s echo -u --reverse --until bye --json
	py <<- 'END'
		s = udp()
		s.send(b"ab\ncd")
		assert s.recv(100) == b"ba\ndc"
		s.send(b"bye\n")
		assert s.recv(100) == b"eyb\n"
	END
	stop "$pid"
	json s.err 'ev("close")[0]["reason"] == "local" and ev("close")[0]["rx"] == 9'
	json s.err 'last["connections"] == 1 and last["tx"] == 9'
}

@test "server: UDP never answers ports 7, 13, 17, 19 and its own" {
	server s echo -u -s 127.0.0.1
	py <<- 'END'
		quiet = []
		for p in 7, 13, 17, 19, port:
		    try:
		        s = udp(("127.0.0.2", p))
		    except PermissionError:
		        continue
		    s.send(b"loop")
		    quiet.append(s)
		assert quiet
		s = udp()
		s.send(b"x")
		assert s.recv(9) == b"x"
		for s in quiet:
		    s.setblocking(False)
		    try:
		        raise SystemExit("answered %r" % s.recv(9))
		    except BlockingIOError:
		        pass
	END
}

@test "server: a UDP peer ends after --idle" {
	server s echo -u --idle 0.2 --json
	py <<- 'END'
		s = udp()
		s.send(b"x")
		assert s.recv(9) == b"x"
	END
	wait_grep '"event":"close".*"reason":"idle"' s.err
}

@test "server: -1 ends with its client's result" {
	server s echo -1
	printf 'x' | talk > back
	ended "$pid"
	((code == 0))
	server s echo -1 -w 0.1
	ended "$pid"
	((code == 4))
	server s echo -u -1 --until bye
	py <<- 'END'
		a, b = udp(), udp()
		a.send(b"a")
		assert a.recv(9) == b"a"
		b.send(b"b")
		a.send(b"bye")
		assert a.recv(9) == b"bye"
	END
	ended "$pid"
	((code == 0))
	server s echo -1 --fork
	py <<- 'END'
		import struct
		s = connect()
		s.send(b"x")
		s.recv(1)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		    struct.pack("ii", 1, 0))
		s.close()
	END
	ended "$pid"
	((code == 5))
}

@test "server: --max-clients, --deny, --allow" {
	server s echo -m 1
	py <<- 'END'
		a, b = connect(), connect()
		b.send(b"b")
		a.send(b"a")
		assert a.recv(9) == b"a"
		a.close()
		assert b.recv(9) == b"b"
	END
	stop "$pid"
	server s echo --deny 127.0.0.1 --json
	printf x | run talk
	stop "$pid"
	json s.err 'ev("denied")[0]["rule"] and last["denied"] == 1'
	server s echo -u --allow 127.0.0.2 --json
	py <<- 'END'
		a, b = udp(), udp(("127.0.0.2", 0))
		a.send(b"x")
		b.send(b"y")
		assert b.recv(9) == b"y"
	END
	stop "$pid"
	json s.err 'len(ev("denied")) == 1 and last["connections"] == 1'
}

@test "server: SIGTERM sends what is queued, SIGUSR1 tells progress" {
	server s echo
	echo "$pid" > pid
	py <<- 'END'
		import os, signal
		s = connect()
		s.setblocking(False)
		sent = 0
		try:
		    while sent < 8 << 20:
		        sent += s.send(b"x" * 65536)
		        time.sleep(0.001)
		except BlockingIOError:
		    pass
		os.kill(int(open("pid").read()), signal.SIGTERM)
		time.sleep(0.2)
		s.settimeout(20)
		got = len(all_of(s))
		assert got > 200000, (sent, got)
	END
	ended "$pid"
	((code == 0))
	server s echo
	printf 'abc' | talk
	kill -USR1 "$pid"
	wait_grep 'so far: 1 connections, 3 received, 3 sent' s.err
	stop "$pid"
	((code == 0))
}

@test "server: an idle one uses no CPU time" {
	server s echo --poll 50us
	exec 5<> "/dev/tcp/127.0.0.1/$port"
	echo x >&5
	read -r -u 5 line
	before=$(cpu_ms "$pid")
	sleep 0.5
	after=$(cpu_ms "$pid")
	exec 5>&-
	((after - before <= 20))
}

# Nothing woke it for half a second.
sleeps() {
	local before

	before=$(grep ctxt "/proc/$1/status")
	sleep 0.5
	[ "$before" = "$(grep ctxt "/proc/$1/status")" ]
}

@test "both: thousands of connections that are silent wake nobody" {
	[ -r /proc/self/status ] || skip "no /proc"
	server s echo --quiet
	server=$pid
	run_err "$SOCKCTL" flood 127.0.0.1 "$port" --rr=64 -P 1000 -t 0.5
	((status == 0)) || fail "$stderr"
	bg f "$SOCKCTL" flood --hold 1500 -t 90 127.0.0.1 "$port"
	wait_for eval '[ "$(ls "/proc/$server/fd" | wc -l)" -gt 1500 ]'
	wait_for sleeps "$server"
	wait_for sleeps "$pid"
}

@test "both: --unix, stream and datagram, --poll" {
	bg s "$SOCKCTL" echo -U sock
	wait_for test -S sock
	run "$SOCKCTL" echo --count 5 unix:sock
	assert_success
	run "$SOCKCTL" echo --count 5 -U sock
	assert_success
	bg d "$SOCKCTL" echo -u -U dsock --poll 20us --json
	wait_for test -S dsock
	run "$SOCKCTL" echo --count 5 -u -U dsock --poll 20us
	assert_success
	assert_output --partial 'polling 20 us'
	stop "$pid"
	json d.err 'last["poll_us"] == 20'
}

@test "client: --count and --size, the summary" {
	server s echo
	run "$SOCKCTL" echo --count 200 --size 1000 127.0.0.1 "$port"
	assert_success
	assert_output --regexp \
		'^summary: 200 sent, 200 ok, rtt min .* mean .* p50 .* p99 .* max '
	"$SOCKCTL" echo --json --count 200 127.0.0.1 "$port" > out
	json out 'last["event"] == "summary" and last["exit"] == 0'
	json out '(last["count"], last["ok"], last["wrong"], last["lost"]) == (200, 200, 0, 0)'
	json out '(lambda r: 0 < r["min"] <= r["p50"] <= r["p99"] <= r["max"] and r["min"] <= r["mean"] <= r["max"])(last["rtt_us"])'
	run "$SOCKCTL" echo --quiet --count 3 --size 2M "127.0.0.1:$port"
	assert_success
	refute_output
}

@test "both: IPv6" {
	needs_ipv6
	server s echo
	run "$SOCKCTL" echo --count 2 ::1 "$port"
	assert_success
}

@test "client: lines from standard input" {
	server s echo
	printf 'one\ntwo\nlast' > lines
	run "$SOCKCTL" echo -v 127.0.0.1 "$port" < lines
	assert_success
	assert_output --partial 'message 1: 4 bytes, '
	assert_output --partial 'message 3: 4 bytes, '
	assert_output --partial 'summary: 3 sent, 3 ok'
	head -c 300000 /dev/zero | tr '\0' x > long
	"$SOCKCTL" echo --json 127.0.0.1 "$port" < long > out
	json out 'last["count"] == 5 == last["ok"]'
	"$SOCKCTL" echo --json 127.0.0.1 "$port" < /dev/null > out
	json out 'last["count"] == 0 and last["rtt_us"]["min"] is None'
}

@test "client: --interval" {
	server s echo
	"$SOCKCTL" echo --json --count 4 --interval 100ms 127.0.0.1 "$port" > out
	json out 'last["ts"] - ev("connect")[0]["ts"] >= 0.3'
	printf 'a\nb\nc\n' |
		"$SOCKCTL" echo --json --interval 100ms 127.0.0.1 "$port" > out
	json out 'last["ok"] == 3 and last["ts"] - ev("connect")[0]["ts"] >= 0.2'
}

@test "client: a wrong answer is exit 8" {
	server s echo --reverse
	printf 'aba\nabc\nxyx\n' > lines
	run "$SOCKCTL" echo 127.0.0.1 "$port" < lines
	((status == 8))
	assert_output --partial 'wrong answer to message 2: not the same from byte 0'
	assert_output --partial 'summary: 3 sent, 2 ok, 1 wrong'
	stop "$pid"
	server s echo -u --reverse
	run "$SOCKCTL" echo -u 127.0.0.1 "$port" < lines
	((status == 8))
	assert_output --partial 'summary: 3 sent, 2 ok, 1 wrong'
}

@test "client: no answer is exit 4, a peer that leaves 5, nobody 1" {
	server s serve --discard
	run "$SOCKCTL" echo --count 2 -w 0.2 127.0.0.1 "$port"
	((status == 4))
	assert_output --partial 'no answer to message 1 within 200 ms'
	assert_output --partial 'summary: 1 sent, 0 ok, 1 lost'
	stop "$pid"
	run "$SOCKCTL" echo --count 2 127.0.0.1 "$port"
	((status == 1))
	server s serve --daytime
	run "$SOCKCTL" echo --count 1 --size 100 127.0.0.1 "$port"
	((status == 8 || status == 5))
	stop "$pid"
	server s serve -u --discard
	run "$SOCKCTL" echo -u --count 2 -w 0.1 127.0.0.1 "$port"
	((status == 4))
	assert_output --partial 'summary: 2 sent, 0 ok, 2 lost'
	stop "$pid"
	run "$SOCKCTL" echo -u --count 2 127.0.0.1 "$port"
	((status == 1))
	assert_output --partial 'Connection refused'
}

@test "client: against ncat and socat with cat" {
	needs ncat socat
	port=$(python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	bg n ncat -l -k --exec /bin/cat 127.0.0.1 "$port"
	wait_for "$SOCKCTL" echo --count 1 127.0.0.1 "$port"
	run "$SOCKCTL" echo --count 20 --size 10K 127.0.0.1 "$port"
	assert_success
	stop "$pid"
	bg n socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" EXEC:cat
	wait_for "$SOCKCTL" echo --count 1 127.0.0.1 "$port"
	run "$SOCKCTL" echo --count 20 127.0.0.1 "$port"
	assert_success
	stop "$pid"
	bg n socat "UDP-LISTEN:$port,bind=127.0.0.1" PIPE
	wait_for "$SOCKCTL" echo -u --count 1 -w 0.2 127.0.0.1 "$port"
}

@test "client: SIGINT tells the summary and dies of it" {
	server s echo
	bg c env --default-signal=INT "$SOCKCTL" echo --count inf --interval 10ms --json 127.0.0.1 "$port"
	wait_grep '"event":"connect"' c.out
	sleep 0.1
	stop "$pid" INT
	((code == 130))
	json c.out 'last["exit"] == 130 and last["ok"] > 0 and last["lost"] == 0'
	run "$SOCKCTL" echo --count inf --interval 1 --deadline 0.2 127.0.0.1 "$port"
	((status == 4))
}

@test "usage errors" {
	local line

	while read -r line; do
		# shellcheck disable=SC2086
		run_err "$SOCKCTL" echo $line
		((status == 2)) || fail "$line: $status"
		[ "${#stderr_lines[@]}" = 1 ] || fail "$line: $stderr"
	done <<- 'END'
		-p 0 --fork --serial
		-p 0 -u --fork
		-p 0 --count 3
		-p 0 --size 10
		-p 0 localhost 7
		-p 0 -w 3
		-p 0 --until
		localhost 7 --reverse
		localhost 7 --fork
		localhost 7 -1
		localhost 7 --count 0
		localhost 7 --count -1
		localhost 7 --size 0
		localhost 7 --size 65M
		localhost 7 -u --size 65508
		localhost 7 --interval x
		localhost 7 --poll -1
		localhost
		localhost 7 8
	END
}
