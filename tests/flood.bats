#!/usr/bin/env bats
# sockctl flood: both sides, and each side against peers that speak the
# protocol by themselves. What needs a link that loses and delays stands in
# flood_net.bats.

load helper/common
bats_require_minimum_version 1.5.0

# A python program that knows $port, and how to be a peer.
py() {
	python3 - "${port:-0}" <<- END
		import os, re, socket, struct, sys, time
		port = int(sys.argv[1])
		def connect():
		    s = socket.create_connection(("127.0.0.1", port))
		    s.settimeout($WAIT_MAX)
		    return s
		def udp():
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.bind(("127.0.0.1", 0))
		    s.settimeout($WAIT_MAX)
		    s.connect(("127.0.0.1", port))
		    return s
		def silent(s, seconds=0.3):
		    s.settimeout(seconds)
		    try:
		        print("unexpected:", s.recv(65536))
		        sys.exit(1)
		    except TimeoutError:
		        s.settimeout($WAIT_MAX)
		def listen(kind=socket.SOCK_STREAM):
		    s = socket.socket(socket.AF_INET, kind)
		    s.bind(("127.0.0.1", 0))
		    if kind == socket.SOCK_STREAM:
		        s.listen(8)
		    with open("port.new", "w") as f:
		        print(s.getsockname()[1], file=f)
		    os.rename("port.new", "port")
		    s.settimeout($WAIT_MAX)
		    return s
		def all_of(s):
		    data = b""
		    while True:
		        piece = s.recv(1 << 20)
		        if not piece:
		            return data
		        data += piece
		def line(s):
		    text = b""
		    while not text.endswith(b"\n"):
		        text += s.recv(1)
		    return text.decode()
		def ask(text, role="SOCKCTL-FLOOD/1 "):
		    s = connect()
		    s.sendall((role + text + "\n").encode())
		    return s
		def pattern(n, offset=0):
		    words = range(offset // 8, (offset + n) // 8 + 1)
		    data = b"".join(struct.pack(">Q", w * 0x9e3779b97f4a7c15 % 2**64) for w in words)
		    return data[offset % 8:offset % 8 + n]
		HELLO, COOKIE, DATA, END, RESULT = range(1, 6)
		def head(kind, sequence=0, run=7, flags=0, when=0):
		    return b"SCFU" + struct.pack(">BBHQQQ", 1, kind, flags, run, sequence, when)
		def parse(data):
		    assert data[:5] == b"SCFU\1", data
		    kind, flags, run, sequence, when = struct.unpack(">BHQQQ", data[5:32])
		    return kind, sequence, run, flags, when
		$(cat)
	END
}

# The same as a server in the background: $pid, $port.
py_server() {
	rm -f port
	py <&0 > peer.out 2> peer.err 3>&- &
	pid=$!
	COMMON_PIDS+=("$pid")
	wait_for test -s port
	port=$(cat port)
}

# $port refuses: it is bound, but nobody listens.
refusing_port() {
	py_server <<- END
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		with open("port.new", "w") as f:
		    print(s.getsockname()[1], file=f)
		os.rename("port.new", "port")
		time.sleep(30)
	END
}

# flood FILE OPTION... against the server at $port: FILE has its JSON.
flood() {
	local file=$1

	shift
	"$SOCKCTL" flood --json "$@" 127.0.0.1 "$port" > "$file" 2> "$file.err"
}

# Connections of the server at $port, with their timers.
connections() {
	ss -tnoH state established "sport = :$port"
}

count_connections() {
	[ "$(connections | wc -l)" -ge "$1" ]
}

keeps_alive() {
	connections | grep -Eq 'keepalive,(1[0-5]|[0-9])(\.|sec)'
}

@test "throughput: sender and receiver agree to the byte" {
	server far flood --json
	flood near -t 0.3
	json near 'last["event"] == "summary" and last["exit"] == 0
		and last["kind"] == "throughput" and last["bytes"] > 1e6
		and 0.29 < last["elapsed_s"] < 2
		and abs(last["bits_per_second"] - last["bytes"] * 8 / last["elapsed_s"]) < 1e6
		and last["connections"] == 1 and last["errors"] == 0'
	wait_grep '"result"' far.out
	cat near far.out > both
	json both 'ev("summary")[0]["bytes"] == ev("result")[0]["bytes"]'
	stop "$pid"
	assert_equal "$code" 0
	json far.out 'last["event"] == "summary" and last["exit"] == 0 and last["connections"] == 1'
}

@test "throughput: every member of the summary is there" {
	server far flood
	flood near -n 1M
	json near 'all(k in last for k in ("exit", "kind", "bytes", "elapsed_s", "bits_per_second",
		"connections", "errors", "retrans", "rtt_us", "connect_ms", "congestion",
		"cpu_user_s", "cpu_system_s", "limited_by")) and last["connect_ms"] > 0'
	is_portable || json near 'last["retrans"] is not None and last["rtt_us"] > 0
		and last["congestion"] == "reno" and last["chosen"] is True'
}

@test "throughput: --bytes are all connections' together" {
	server far flood --json
	flood near -n 1000003
	json near 'last["bytes"] == 1000003'
	flood near -n 1000003 -P 3
	json near 'last["bytes"] == 1000003 and last["connections"] == 3'
	flood near -n 1000003 -P 5 --workers 3
	json near 'last["bytes"] == 1000003 and last["connections"] == 5'
	flood near -n 1000003 -P 3 -R --workers 2
	json near 'last["bytes"] == 1000003'
	flood near -n 1000003 --bidir
	json near 'last["bytes_sent"] == last["bytes_received"] == 1000003
		and last["bytes"] == 2000006'
	flood near -n 7 -P 9
	json near 'last["bytes"] == 7'
	wait_for json far.out 'sum(e["bytes"] for e in ev("result")) == 7 + 6 * 1000003'
}

@test "throughput: by time, the far side sends, both send" {
	server far flood
	flood near -t 0.2 -R -P 2
	json near 'last["bytes"] > 1e6 and last["connections"] == 2 and 0.15 < last["elapsed_s"] < 2'
	flood near -t 0.2 --bidir
	json near 'last["bytes_sent"] > 1e6 and last["bytes_received"] > 1e6
		and last["bytes"] == last["bytes_sent"] + last["bytes_received"]'
}

@test "throughput: a plain sender adds no byte, and takes the peer's count" {
	py_server <<- END
		l = listen()
		s = l.accept()[0]
		data = all_of(s)
		print(len(data), b"SOCKCTL" in data)
		s.sendall(b"SOCKCTL-FLOOD/1 result bytes=4242 seconds=1.5\n")
		s.close()
		s = l.accept()[0]
		print(len(all_of(s)))
	END
	flood near -n 100000
	json near 'last["bytes"] == 4242 and last["exit"] == 0'
	flood near -n 100000
	json near 'last["bytes"] == 100000 and last["exit"] == 0'
	ended "$pid"
	assert_equal "$(cat peer.out)" "100000 False
100000"
}

@test "throughput: what a plain peer says is dropped" {
	py_server <<- END
		s = listen().accept()[0]
		s.sendall(b"SOCKCTL-FLOOD/1 nonsense" + b"x" * 300)
		n = 0
		while True:
		    data = s.recv(65536)
		    if not data:
		        break
		    n += len(data)
		    s.sendall(data)
		print(n)
	END
	flood near -n 5M
	json near 'last["bytes"] == 5 << 20 and last["exit"] == 0'
	assert_equal "$(cat peer.out)" $((5 << 20))
}

@test "throughput: a reset is a loss, with what arrived" {
	py_server <<- END
		s = listen().accept()[0]
		s.recv(100000)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		s.close()
	END
	run flood near -t 5
	assert_equal "$status" 5
	json near 'last["exit"] == 5 and last["errors"] == 1 and "reset by peer" in last["error"]
		and ev("error")[0]["errno"] in ("ECONNRESET", "EPIPE")'
}

@test "throughput: a peer that never reads ends the run, not the user" {
	py_server <<- END
		s = listen().accept()[0]
		time.sleep(30)
	END
	run flood near -t 0.2 --idle 0.5
	assert_equal "$status" 4
	json near 'last["exit"] == 4 and last["bytes"] >= 0 and ev("error")[0]["op"] == "wait"'
}

@test "throughput: nobody there, no such name" {
	refusing_port
	run flood near -t 1
	assert_equal "$status" 1
	json near 'last["event"] == "summary" and last["exit"] == 1 and last["bytes"] == 0'
	run "$SOCKCTL" flood -t 1 no-such-host.invalid 1
	assert_equal "$status" 3
}

# keeps_rate LEAST MOST WHAT OPTION...: a second's bytes, and what WHAT says of
# the summary. A busy machine may miss the least, and so what limits; that is
# tried again. It never passes the most.
keeps_rate() {
	flood near -t 1 "${@:4}"
	json near "last['bytes'] < $2" || exit 1
	json near "$1 < last['bytes'] and $3"
}

@test "throughput: --verify, --zerocopy, --skip-rx-copy, --chunk, --rate" {
	server far flood --json
	flood near -n 20M --verify
	json near 'last["bytes"] == 20 << 20'
	flood near -n 20M --verify -R
	json near 'last["bytes"] == 20 << 20'
	flood near -n 20M --zerocopy
	json near 'last["bytes"] == 20 << 20'
	flood near -n 20M --skip-rx-copy --zerocopy
	json near 'last["bytes"] == 20 << 20'
	json near 'last["skip_rx_copy"] is True'
	flood near -n 20M --skip-rx-copy -R
	json near 'last["bytes"] == 20 << 20'
	run -0 "$SOCKCTL" flood -n 1M --skip-rx-copy 127.0.0.1 "$port"
	assert_output --partial "dropped in the kernel"
	flood near -n 100K --chunk 1000
	json near 'last["bytes"] == 100 << 10'
	flood near -n 20M --chunk 5M
	json near 'last["bytes"] == 20 << 20'
	wait_for keeps_rate 8e6 12e6 'last["limited_by"] == "rate"' \
		--rate 80mbit -P 2
	wait_for keeps_rate 9e6 13e6 'last["limited_by"] is None' \
		--rate 10M/s -R
}

@test "throughput: a changed byte is found at either end" {
	py_server <<- END
		s = listen().accept()[0]
		print(line(s), end="")
		s.sendall(b"SOCKCTL-FLOOD/1 ok\n" + pattern(1000) + b"!" + pattern(1000, 1001))
		s.shutdown(socket.SHUT_WR)
		all_of(s)
	END
	run flood near -n 2001 -R --verify
	assert_equal "$status" 8
	json near 'ev("error")[0]["op"] == "protocol" and "1000" in ev("error")[0]["message"]'
	assert_regex "$(cat peer.out)" \
		'^SOCKCTL-FLOOD/1 role=source run=[0-9a-f]+ stream=1/1 bytes=2001 verify=1$'
	server far flood --json
	py <<- END
		s = ask("role=sink run=1 stream=1/1 verify=1")
		assert line(s) == "SOCKCTL-FLOOD/1 ok\n"
		s.sendall(pattern(5000) + b"?" + pattern(99, 5001))
		assert "SOCKCTL-FLOOD/1 error" in line(s)
		assert s.recv(1) == b""
	END
	wait_grep '"error"' far.out
}

# owes SAID [OPTION...]: what near says when a peer that said ok goes with that.
owes() {
	local said=$1

	shift
	py_server <<- END
		s = listen().accept()[0]
		print(line(s), end="")
		s.sendall(b"SOCKCTL-FLOOD/1 ok\n")
		$said
		s.shutdown(socket.SHUT_WR)
		all_of(s)
	END
	run flood near "$@"
	json near "last['errors'] == 1 and ev('error')[0]['errno'] is None"
	echo "$status $(sed -n 's/.*"op":"\([a-z]*\)".*"message":"\([^"]*\)".*/\1: \2/p' near)"
}

@test "throughput: a far side that ends before it has said all it owes" {
	local result='SOCKCTL-FLOOD/1 result bytes'

	run owes 's.sendall(b"x" * 900)' -R -n 1000
	assert_output '5 recv: the far side ended after 900 of 1000 bytes'
	run owes 's.sendall(b"x" * 5)' --bidir -n 1000
	assert_output '5 recv: the far side ended after 5 of 1000 bytes'
	run owes 's.sendall(b"x" * 900)' -R -t 60
	assert_output '5 recv: the far side ended before the time was over'
	run owes 'all_of(s)' --verify -n 1000
	assert_output '5 recv: the far side ended without its count'
	run owes "all_of(s); s.sendall(b'$result=999 seconds=1\n')" --verify -n 1000
	assert_output '8 protocol: the far side counted 999 of 1000 bytes'
}

# The intervals of a run with -t 0.6 -i 0.2 --rate 1M/s follow each other, and
# their bytes are the run's, but for the tenth of an interval that ends it. How
# much went out in each is the machine's affair.
add_up() {
	json "$1" 'len(ev("interval")) >= 3 and ev("interval")[0]["t0"] == 0
		and all(a["t1"] == b["t0"] and round(a["t1"] - a["t0"], 3) == 0.2
			for a, b in zip(ev("interval"), ev("interval")[1:]))
		and abs(ev("interval")[0]["bits_per_second"] - ev("interval")[0]["bytes"] * 40) <= 1
		and all("retrans" in e for e in ev("interval"))
		and 0 < sum(e["bytes"] for e in ev("interval")) <= last["bytes"]
		and last["bytes"] - sum(e["bytes"] for e in ev("interval")) < 100000'
}

# What was left out is not in the time; a busy machine may need longer than both.
omits() {
	flood near -t 0.3 --omit 0.5
	json near '0.25 < last["elapsed_s"] < 0.8'
}

# SIGUSR1 to $pid: what it told so far.
tells_bytes() {
	kill -USR1 "$pid"
	json "$1" 'any(e["bytes"] > 0 for e in ev("progress"))'
}

@test "throughput: --every, --omit, SIGUSR1" {
	server far flood
	flood near -t 0.6 -i 0.2 --rate 1M/s
	add_up near
	flood near -t 0.6 -i 0.2 --rate 1M/s -P 4 --workers 2
	add_up near
	wait_for omits
	flood near -n 3M --omit 0.2
	json near '3 << 20 <= last["bytes"] < 30 << 20'
	bg usr "$SOCKCTL" flood --json -t 60 127.0.0.1 "$port"
	wait_for count_connections 1
	wait_for tells_bytes usr.out
	stop "$pid"
}

@test "throughput: a signal gives the summary so far" {
	server far flood
	for options in "-t 20" "-t 20 -P 3 --workers 2" "-t 20 -R" "-t 20 --bidir" "--hold 5 -t 20"; do
		# shellcheck disable=SC2086
		bg near env --default-signal=INT "$SOCKCTL" flood --json $options 127.0.0.1 "$port"
		wait_for count_connections 1
		sleep 0.3
		stop "$pid" INT
		assert_equal "$code" 130
		json near.out 'last["event"] == "summary" and last["connections"] > 0'
		[[ $options == --hold* ]] || json near.out 'last["bytes"] > 0'
	done
	bg near "$SOCKCTL" flood --json -t 20 127.0.0.1 "$port"
	sleep 0.3
	stop "$pid" TERM
	assert_equal "$code" 143
	run flood near -t 20 --deadline 0.3
	assert_equal "$status" 4
	json near 'last["exit"] == 4 and last["bytes"] > 0'
}

@test "assertions: exit 9 when not met, 0 when met" {
	server far flood
	run flood near -t 0.2 --min-rate 900gbit
	assert_equal "$status" 9
	json near 'last["exit"] == 9 and "--min-rate" in last["error"]'
	flood near -t 0.2 --min-rate 1kbit
	server echo echo
	run flood near --rr -t 0.2 --max-p99 100ns
	assert_equal "$status" 9
	json near 'last["exit"] == 9 and "--max-p99" in last["error"]'
	flood near --rr -t 0.2 --max-p99 10s
}

@test "text: the report on standard output, --quiet only the exit code" {
	server far flood
	run_err "$SOCKCTL" flood -t 0.2 -i 0.1 127.0.0.1 "$port"
	assert_equal "$status" 0
	assert_equal "$stderr" ""
	assert_line --regexp '^0-0\.1 s: .*bit/s'
	assert_line --regexp '^summary: throughput, .*bit/s.*limited by'
	run_err "$SOCKCTL" flood -t 0.2 --quiet 127.0.0.1 "$port"
	assert_equal "$status$output$stderr" 0
	run_err "$SOCKCTL" flood -t 0.2 --quiet --min-rate 900gbit 127.0.0.1 "$port"
	assert_equal "$status$output" 9
	[ -n "$stderr" ]
}

@test "far side: a signal ends its workers without a complaint" {
	for options in "--workers 1" "--workers 3"; do
		# shellcheck disable=SC2086
		server far flood --json $options
		flood near -n 1000 -P 3
		wait_for json far.out 'len(ev("result")) == 3'
		stop "$pid"
		assert_equal "$code" 0
		json far.out 'ev("error") == [] and last["event"] == "summary"
			and last["exit"] == 0 and last["connections"] == 3'
		assert_file_empty far.err
	done
}

@test "far side: a plain client is told what arrived" {
	server far flood --json
	run -0 "$SOCKCTL" connect --fin 0 127.0.0.1 "$port" < <(printf hello)
	assert_output --regexp '^SOCKCTL-FLOOD/1 result bytes=5 seconds=[0-9.]+$'
	run -0 "$SOCKCTL" connect --fin 0 127.0.0.1 "$port" < <(printf 'GET / HTTP/1.0\r\n\r\n')
	assert_output --partial 'result bytes=18 '
	run -0 "$SOCKCTL" connect --fin 0 127.0.0.1 "$port" < <(printf SOCKCTL-FLO)
	assert_output --partial 'result bytes=11 '
	head -c 300000 /dev/urandom > data
	run -0 "$SOCKCTL" connect --fin 0 127.0.0.1 "$port" < data
	assert_output --partial 'result bytes=300000 '
	wait_for json far.out '[e["bytes"] for e in ev("result")] == [5, 18, 11, 300000]'
}

@test "far side: the line that asks, byte by byte and wrong" {
	server far flood --json --workers 1
	py <<- END
		s = connect()
		for c in b"SOCKCTL-FLOOD/1 role=sink run=a stream=1/1 new=1\n":
		    s.sendall(bytes([c]))
		    time.sleep(0.002)
		assert line(s) == "SOCKCTL-FLOOD/1 ok\n"
		s.sendall(b"12345")
		s.shutdown(socket.SHUT_WR)
		assert re.match(r"SOCKCTL-FLOOD/1 result bytes=5 seconds=[0-9.]+\n$", all_of(s).decode())
		for bad in ("role=drain run=1 stream=1/1", "run=1 stream=1/1", "role=sink bytes=x",
		            "role=sink " + "x" * 300):
		    s = ask(bad)
		    answer = all_of(s).decode()
		    assert re.match(r"SOCKCTL-FLOOD/1 error [^\n]+\n$", answer), answer
		s = ask("role=sink run=1 stream=1/1", "SOCKCTL-FLOOD/2 ")
		assert all_of(s).startswith(b"SOCKCTL-FLOOD/1 error ")
	END
	flood near -n 1000
}

@test "far side: roles, as the protocol says" {
	server far flood --json
	py <<- END
		def source(text):
		    s = ask("role=source run=1 stream=1/1 " + text)
		    assert line(s) == "SOCKCTL-FLOOD/1 ok\n"
		    return s
		assert len(all_of(source("bytes=123457"))) == 123457
		assert all_of(source("bytes=10000 verify=1")) == pattern(10000)
		# Our FIN right behind the line stops nothing that was asked for.
		s = source("bytes=5000000")
		s.shutdown(socket.SHUT_WR)
		assert len(all_of(s)) == 5000000
		t = time.monotonic()
		n = len(all_of(source("seconds=0.4 rate=1000000")))
		assert 0.3 < time.monotonic() - t < 5 and 200000 < n < 900000, n
		# Without a limit: until our FIN.
		s = source("rate=1000000")
		s.recv(1000)
		s.shutdown(socket.SHUT_WR)
		all_of(s)
		s = ask("role=both run=1 stream=1/1 bytes=70000 verify=1")
		assert line(s) == "SOCKCTL-FLOOD/1 ok\n"
		s.sendall(pattern(5000))
		s.shutdown(socket.SHUT_WR)
		assert all_of(s) == pattern(70000)
	END
	wait_for json far.out 'len(ev("result")) == 6 and ev("result")[-1]["bytes"] == 75000
		and ev("result")[-1]["bytes_received"] == 5000'
}

@test "far side: stall reads nothing, then step by step" {
	server far flood
	py <<- END
		s = ask("role=stall run=1 stream=1/1 wait=0.4 step=100")
		assert line(s) == "SOCKCTL-FLOOD/1 ok\n"
		s.sendall(b"x" * 250)
		t = time.monotonic()
		assert line(s) == "SOCKCTL-FLOOD/1 read bytes=100\n"
		assert time.monotonic() - t > 0.2
		assert line(s) == "SOCKCTL-FLOOD/1 read bytes=200\n"
		assert line(s) == "SOCKCTL-FLOOD/1 read bytes=250\n"
		s.shutdown(socket.SHUT_WR)
		assert line(s).startswith("SOCKCTL-FLOOD/1 result bytes=250 ")
		assert s.recv(1) == b""
	END
}

@test "far side: one that resets, or dies, holds nobody up" {
	server far flood --json
	far=$pid
	bg dies "$SOCKCTL" flood -t 20 127.0.0.1 "$port"
	bg source "$SOCKCTL" flood -t 20 -R 127.0.0.1 "$port"
	wait_for json far.out 'len(ev("accept")) == 2'
	kill -KILL "${COMMON_PIDS[@]: -2}"
	wait_for json far.out 'len(ev("close")) == 2'
	flood a -n 50M &
	flood b -n 50M
	wait $!
	json a 'last["bytes"] == 50 << 20'
	json b 'last["bytes"] == 50 << 20'
	wait_for json far.out 'len(ev("result")) == 4 and ev("result")[-1]["errors"] == 0'
	stop "$far"
	assert_equal "$code" 0
}

# The first child, once it is there.
child() {
	local all

	read -r all _ < "/proc/$1/task/$1/children" || true # no newline
	[ -n "$all" ] && echo "$all"
}

@test "far side: a worker that dies is told, and its clients have gone" {
	server far flood --workers 2 -m 2 --json
	far=$pid
	bg near "$SOCKCTL" flood --hold 2 -t 60 127.0.0.1 "$port"
	wait_for json far.out 'len(ev("accept")) == 2'
	kill -KILL "$(child "$far")"
	wait_for json far.out 'any(e["op"] == "exec" for e in ev("error"))'
	# There is room for one again, and this process serves.
	flood after -n 1M
	json after 'last["bytes"] == 1 << 20'
	stop "$far"
	assert_equal "$code" 0
}

@test "near side: a worker that dies before the start ends the run" {
	# Nobody accepts, so the second process waits for its connection.
	bg deaf "$SOCKCTL" serve -p 0 --port-file deaf.port --behave never-accept --backlog 1
	wait_for test -s deaf.port
	bg near "$SOCKCTL" flood --workers 2 -P 6 -n 1M -w 60 --json \
		127.0.0.1 "$(cat deaf.port)"
	near=$pid
	wait_for child "$near"
	kill -KILL "$(child "$near")"
	ended "$near"
	assert_equal "$code" 6
	json near.out 'last["exit"] == 6 and "worker" in last["error"]'
}

@test "far side: the system looks after clients that vanish" {
	is_portable && skip "by the sockets' own timers, which this build does not show"
	needs ss
	server far flood
	bg hold "$SOCKCTL" flood --hold 1 -t 20 127.0.0.1 "$port"
	wait_for keeps_alive
}

@test "far side: --once, -w, --idle, --allow, a port in use" {
	server far flood --once --json
	flood near -n 1000 -P 3 --workers 2
	json near 'last["bytes"] == 1000'
	ended "$pid"
	assert_equal "$code" 0
	json far.out 'last["bytes"] == 1000'
	run "$SOCKCTL" flood -p 0 --once -w 0.1 -s 127.0.0.1
	assert_equal "$status" 4
	server far flood --idle 0.2 --json
	py <<- END
		s = connect()
		assert s.recv(1) == b""
	END
	wait_for json far.out 'ev("close")[0]["reason"] == "idle"'
	json far.out 'ev("error")[0]["op"] == "wait" and ev("error")[0]["conn"] == 1'
	run "$SOCKCTL" flood -p "$port" -s 127.0.0.1
	assert_equal "$status" 7
	server far flood --deny 127.0.0.0/8 --json
	run flood near -n 1000
	assert_equal "$status" 5
	json far.out 'len(ev("denied")) == 1'
}

@test "far side: a client that resets, or goes quiet, is told with its counts" {
	server far flood --once --quiet
	py <<- END
		import socket, struct
		s = connect()
		s.sendall(b"abc")
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		s.close()
	END
	ended "$pid"
	assert_equal "$code" 5
	assert_equal "$(cat far.out)" ""
	grep -q "^sockctl flood: recv 127.*: reset by peer after 0 sent, .*(ECONNRESET)$" far.err ||
		fail "$(cat far.err)"
	server far flood --once --idle 0.2 --json
	py <<- END
		s = connect()
		s.sendall(b"abc")
		assert s.recv(1) == b""
	END
	ended "$pid"
	assert_equal "$code" 4
	json far.out 'ev("error")[0]["op"] == "wait" and "nothing moved" in last["error"]'
	server far flood -u --once --idle 0.2 --json
	bg near "$SOCKCTL" flood -u -t 60 --rate 1mbit 127.0.0.1 "$port"
	near=$pid
	wait_for json far.out 'len(ev("accept")) == 1'
	kill -KILL "$near"
	wait_for json far.out 'last["event"] == "summary"'
	json far.out 'last["exit"] == 4 and "nothing moved" in last["error"]'
}

@test "requests: a run without one answer is 4, however short it was" {
	server far flood
	for kind in --rr --crr "--rr -P 2 --max-p99 1"; do
		# shellcheck disable=SC2086 # words are wanted
		run -4 "$SOCKCTL" flood -t 0.3 $kind --json 127.0.0.1 "$port"
		printf '%s\n' "$output" > near
		json near 'last["transactions"] == 0 and "echo server" in ev("error")[0]["message"]'
	done
}

@test "requests: --rr and --crr against an echo server" {
	server echo echo
	flood near --rr -t 0.3
	json near 'last["kind"] == "rr" and last["transactions"] > 100
		and last["bytes"] == last["transactions"]
		and abs(last["per_second"] - last["transactions"] / last["elapsed_s"]) < 1
		and 0 < last["latency_us"]["min"] <= last["latency_us"]["p50"] <= last["latency_us"]["p90"]
			<= last["latency_us"]["p99"] <= last["latency_us"]["p999"] <= last["latency_us"]["max"]
		and last["latency_us"]["mean"] > 0'
	flood near --rr=70000 -P 3 --workers 2 -n 7000000
	json near 'last["transactions"] in (99, 100) and last["bytes"] == last["transactions"] * 70000'
	flood near --rr=64 --poll 50us -t 0.2
	json near 'last["transactions"] > 100 and last["poll_us"] == 50'
	flood near --crr -P 4 --workers 2 -n 400
	json near 'last["kind"] == "crr" and last["transactions"] == last["connections"] == 400
		and last["latency_us"]["p99"] > 0 and last["errors"] == 0'
	[ "$(ss -tnH state time-wait "sport = :$port or dport = :$port" | wc -l)" -lt 20 ]
}

@test "requests: without an echo server they end, and say why" {
	server far flood
	run flood near --rr -t 5 --idle 0.3
	assert_equal "$status" 4
	json near '"echo" in last["error"]'
	run flood near --crr -t 0.5 --idle 0.2
	assert_equal "$status" 4
	json near 'last["errors"] > 0 and "echo" in last["error"]'
	run flood near --crr -n 100M --idle 0.2
	assert_equal "$status" 4
	py_server <<- END
		l = listen()
		l.accept()[0].close()
	END
	run flood near --rr -t 5
	assert_equal "$status" 5
}

@test "hold: so many connections on each side, one process each" {
	server far flood --workers 1 --json
	far=$pid
	bg near "$SOCKCTL" flood --json --hold 1000 -t 1 127.0.0.1 "$port"
	wait_for json far.out 'len(ev("accept")) == 1000'
	assert_equal "$(cat "/proc/$far/task/$far/children")$(cat "/proc/$pid/task/$pid/children")" ""
	ended "$pid"
	assert_equal "$code" 0
	json near.out 'last["kind"] == "hold" and last["connections"] == 1000 and last["errors"] == 0
		and last["connect_ms"] > 0 and last["elapsed_s"] > 0.9'
	wait_for json far.out 'len(ev("close")) == 1000'
	# No memory of theirs: a thousand connections cost less than 2 KiB each.
	is_san || [ "$(awk '/VmHWM/ { print $2 }' "/proc/$far/status")" -lt 16000 ]
	flood near -n 1M -P 200 --workers 1
	json near 'last["bytes"] == 1 << 20'
}

@test "memory does not grow with time" {
	is_san && skip "a sanitizer keeps what was freed"
	server far flood --workers 1
	bg near "$SOCKCTL" flood -t 1.5 -i 0.01 --quiet 127.0.0.1 "$port"
	near=$pid
	sleep 0.5
	before=$(awk '/VmHWM/ { n += $2 } END { print n }' /proc/{$near,${COMMON_PIDS[0]}}/status)
	sleep 0.7
	after=$(awk '/VmHWM/ { n += $2 } END { print n }' /proc/{$near,${COMMON_PIDS[0]}}/status)
	[ $((after - before)) -lt 300 ]
}

@test "until-block: what fits is in the two queues" {
	is_portable && skip "the queues are unknown in this build"
	server far flood
	for options in "--chunk 1000" "--sndbuf 16K --chunk 100" "--sndbuf 8K --rcvbuf 8K"; do
		# shellcheck disable=SC2086
		flood near --until-block $options
		json near 'last["kind"] == "block" and len(ev("block")) == 2
			and ev("block")[0]["bytes"] == ev("block")[0]["sendq"] + ev("block")[0]["recvq"]
			and ev("block")[0]["resumed_after"] is None
			and ev("block")[1]["bytes"] == ev("block")[0]["bytes"] == last["bytes"]
			and 0 < ev("block")[1]["resumed_after"] <= ev("block")[0]["recvq"] + ev("block")[0]["sendq"]'
	done
}

@test "until-block: the far side reads later where the writer is slow" {
	is_portable && skip "the queues are unknown in this build"
	server far flood
	python3 - "$port" <<- END
		import select, socket, sys, time
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.sendall(b"SOCKCTL-FLOOD/1 role=stall run=1 stream=0/1 wait=0.2\\n")
		assert b" ok" in s.recv(100)
		s.sendall(bytes(40000))
		for i in range(10):
		    time.sleep(0.1)
		    s.sendall(bytes(1000))
		assert not select.select([s], [], [], 0)[0], s.recv(100)
	END
}

@test "until-block: the peer's queue is what the system says" {
	needs ss
	py_server <<- END
		s = listen().accept()[0]
		time.sleep(30)
	END
	bg near "$SOCKCTL" flood --json --until-block --chunk 500 --sndbuf 32K 127.0.0.1 "$port"
	wait_grep '"block"' near.out
	total=$(ss -tnH "sport = :$port or dport = :$port" |
		awk '{ n += $2 + $3 } END { print n }')
	json near.out "ev('block')[0]['bytes'] == $total and ev('block')[0]['recvq'] is None"
	ended "$pid"
	assert_equal "$code" 0
	json near.out 'len(ev("block")) == 1 and last["exit"] == 0'
}

# A busy machine may lose some, or miss the rate: that is tried again.
arrives_paced() {
	flood near -u -t 0.4 --rate 20mbit
	json near 'last["kind"] == "udp" and last["exit"] == 0 and last["sent"] > 300
		and last["sent"] == last["received"] and last["lost"] == last["reordered"] == last["duplicates"] == 0
		and last["bytes"] == last["received"] * 1400 and last["jitter_us"] >= 0
		and last["limited_by"] == "rate" and 15e6 < last["bits_per_second"] < 25e6'
}

@test "udp: what arrived, as the receiver counted it" {
	server paced flood -u
	wait_for arrives_paced
	server far flood -u --json
	flood near -u -n 100000 --chunk 100 --rate 8mbit
	json near 'last["sent"] == last["received"] == 1000 and last["bytes"] == 100000'
	flood near -u -n 100000 --chunk 100 --rate 8mbit --no-gso
	json near 'last["sent"] == last["received"] == 1000 and last["burst"] == 1'
	flood near -u -n 100000 --chunk 1000 --rate 8mbit -R
	json near 'last["sent"] == last["received"] == 100 and last["bytes"] == 100000'
	flood near -u -n 100000 --chunk 1000 --rate 8mbit --bidir
	json near 'last["received"] == 200 and last["bytes_sent"] == last["bytes_received"] == 100000'
	flood near -u -t 0.3 --omit 0.2 --rate 8mbit -P 2 --workers 2 -i 0.1
	json near 'last["lost"] == 0 and 150000 < last["bytes"] < 600000 and len(ev("interval")) >= 3'
	flood near -u -n 10M
	json near 'last["sent"] == last["received"] + last["lost"]'
	wait_for json far.out 'len(ev("result")) == 7 and ev("result")[0]["lost"] == 0'
}

@test "udp: nobody there, nobody who answers, an end without an answer" {
	refusing_port
	run flood near -u -t 1
	assert_equal "$status" 1
	py_server <<- END
		s = listen(socket.SOCK_DGRAM)
		time.sleep(30)
	END
	run flood near -u -t 1 -w 0.3
	assert_equal "$status" 4
	py_server <<- END
		s = listen(socket.SOCK_DGRAM)
		hello, peer = s.recvfrom(2000)
		assert parse(hello)[0] == HELLO
		s.sendto(head(COOKIE, 4711, parse(hello)[2]), peer)
		back, peer = s.recvfrom(2000)
		assert parse(back)[:2] == (COOKIE, 4711), parse(back)
		ends, numbers = [], []
		while len(ends) < 10:
		    data = s.recv(2000)
		    kind, sequence = parse(data)[:2]
		    if kind == DATA:
		        assert len(data) == 200 and not ends
		        numbers.append(sequence)
		    elif kind == END:
		        ends.append(time.monotonic())
		        assert sequence == len(numbers)
		assert numbers == list(range(50))
		print("good", round((ends[-1] - ends[0]) / 9, 1))
	END
	run flood near -u -n 10000 --chunk 200
	assert_equal "$status" 4
	json near 'last["sent"] == 50 and last["received"] is None and last["lost"] is None'
	ended "$pid"
	assert_equal "$(cat peer.out)" "good 0.1"
}

@test "udp: nothing flows before the cookie came back" {
	server far flood -u --json
	py <<- END
		s = udp()
		# Data, an end, a cookie that nobody gave: no answer, not counted.
		for kind in (DATA, END, COOKIE, RESULT):
		    s.send(head(kind, 5) + b"x" * 100)
		s.send(b"SCFU")
		s.send(b"")
		s.send(b"GET / HTTP/1.0\r\n\r\n")
		silent(s)
		hello = head(HELLO, when=99)
		s.send(hello)
		cookie = s.recv(2000)
		assert len(cookie) <= len(hello) and parse(cookie)[0] == COOKIE and parse(cookie)[2] == 7
		# A large greeting gets no larger cookie, and no data.
		s.send(head(HELLO) + b"SOCKCTL-FLOOD/1 role=source run=1 stream=1/1 bytes=100000\n")
		assert len(s.recv(2000)) == 32
		silent(s)
		# The cookie is the address's and the run's.
		t = udp()
		t.send(cookie)
		t.send(head(DATA))
		t.send(head(END, 1))
		s.send(head(COOKIE, parse(cookie)[1], run=8))
		silent(t)
		silent(s)
		s.send(cookie)
		for i in (0, 1, 3, 2, 2, 5):
		    s.send(head(DATA, i) + b"x" * 68)
		for i in range(2): # an end is answered as often as it comes
		    s.send(head(END, 6))
		    answer = s.recv(2000)
		    assert parse(answer)[0] == RESULT
		    received, count, lost, late, twice = struct.unpack(">5Q", answer[32:72])
		    assert (received, count, lost, late, twice) == (5, 500, 1, 1, 1), answer
	END
	wait_for json far.out 'len(ev("accept")) == 1 and len(ev("result")) == 1
		and ev("result")[0]["received"] == 5 and ev("result")[0]["lost"] == 1
		and ev("result")[0]["reordered"] == 1 and ev("result")[0]["duplicates"] == 1'
}

@test "udp: the far side sends at most what was asked for" {
	server far flood -u
	py <<- END
		def source(text):
		    s = udp()
		    s.send(head(HELLO))
		    cookie = s.recv(2000)
		    s.send(cookie + ("SOCKCTL-FLOOD/1 role=source run=1 stream=1/1 " + text + "\n").encode())
		    n = size = 0
		    while True:
		        data = s.recv(70000)
		        kind, sequence = parse(data)[:2]
		        if kind == END:
		            s.send(head(RESULT, n) + bytes(56))
		            assert sequence == n
		            return n, size
		        assert kind == DATA and sequence == n
		        n += 1
		        size = len(data)
		assert source("bytes=5000 chunk=100 rate=1000000") == (50, 100)
		assert source("bytes=5001 chunk=100 rate=1000000") == (51, 100)
		n, size = source("seconds=0.3 rate=100000 chunk=1000")
		assert 5 < n < 60 and size == 1000, n
		assert source("")[0] <= 1
	END
}

@test "addresses: IPv6, a Unix path, -u by a Unix path, names" {
	needs_ipv6
	server far flood -s ::1
	"$SOCKCTL" flood --json -n 1M ::1 "$port" > near
	json near 'last["bytes"] == 1 << 20'
	server far flood -u -s ::1
	"$SOCKCTL" flood --json -u -n 100K --rate 80mbit ::1 "$port" > near
	json near 'last["lost"] == 0'
	bg far "$SOCKCTL" flood -U path --json
	wait_for test -S path
	"$SOCKCTL" flood --json -n 1M unix:path > near
	json near 'last["bytes"] == 1 << 20 and last["congestion"] is None and last["retrans"] is None'
	"$SOCKCTL" flood --json -n 1M -R -U path > near
	json near 'last["bytes"] == 1 << 20'
	stop "$pid"
	bg far "$SOCKCTL" flood -u -U path --json
	wait_for test -S path
	"$SOCKCTL" flood --json -u -n 100K --rate 80mbit -U path > near
	json near 'last["lost"] == 0 and last["bytes"] == 74 * 1400'
}

@test "usage: what does not go together is said before anything is opened" {
	local options

	for options in "--rr --crr" "--rr --hold 2" "-R --bidir" "--rr -R" "--crr -u" \
		"--verify --zerocopy" "--verify -u" "--rr --verify" "--max-loss 1" "--max-p99 1" \
		"-u --chunk 31" "-u --chunk 65508" "--chunk 0" "-t 0" "-n 0" "-P 0" "-i 0" "--rr=0" \
		"--hold 0" "--no-gso" "--poll 5" "-n 5 -R --omit 1" "--max-loss 101" "-w 5 -p 1" \
		"-p 1 -t 5" "-p 1 --rr" "-b 100M" "--rate 5" "--min-rate x" "-s" "-c host"; do
		# shellcheck disable=SC2086
		run_err "$SOCKCTL" flood $options 127.0.0.1 1
		assert_equal "$options: $status" "$options: 2"
		assert_equal "$output" ""
		[ "$(wc -l <<< "$stderr")" = 1 ]
	done
	run "$SOCKCTL" flood -b 100M 127.0.0.1 1
	assert_output --partial "--rate"
	run "$SOCKCTL" flood 127.0.0.1
	assert_equal "$status" 2
}
