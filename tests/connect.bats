# connect: addresses, retries, pace, assertions, datagrams. The ends are in
# ends.bats.
load helper/common

@test "one-word addresses, IPv6, names and service names" {
	server s serve --reply <(printf ok)
	printf ok > ok
	server s serve --reply ok
	for word in "127.0.0.1:$port" "tcp:127.0.0.1:$port" "localhost:$port"; do
		run -0 "$SOCKCTL" connect --recv-only "$word"
		assert_output ok
	done
	run_err -3 "$SOCKCTL" connect 127.0.0.1 nosuchservice
	run_err -3 "$SOCKCTL" connect nosuch.invalid 80
	run_err -2 "$SOCKCTL" connect --numeric localhost 80
	needs_ipv6
	for word in "[::1]:$port" "tcp:[::1]:$port"; do
		run -0 "$SOCKCTL" connect --recv-only "$word"
		assert_output ok
	done
	run_err -0 "$SOCKCTL" connect --recv-only --json ::1 "$port"
	printf '%s\n' "$stderr" > e
	json e "last['peer'] == '[::1]:$port' and last['rx'] == 2"
	run_err -3 "$SOCKCTL" connect -6 127.0.0.1 "$port"
}

@test "refused: exit 1, one line that names each address" {
	server s serve
	stop "$pid"
	run_err -1 "$SOCKCTL" connect 127.0.0.1 "$port"
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == "sockctl connect: connect 127.0.0.1:$port: Connection refused (ECONNREFUSED)"* ]]
	run_err -1 "$SOCKCTL" connect "unix:$PWD/none"
	run_err -1 "$SOCKCTL" connect --json 127.0.0.1 "$port"
	printf '%s\n' "$stderr" > e
	json e 'ev("error")[0]["op"] == "connect" and ev("error")[0]["errno"] == "ECONNREFUSED" and last["exit"] == 1'
}

@test "--retry tries again, a server that comes later is met" {
	server s serve
	stop "$pid"
	bg c "$SOCKCTL" connect --retry inf,50ms --recv-only 127.0.0.1 "$port"
	c=$pid
	sleep 0.2
	printf ok > ok
	bg s "$SOCKCTL" serve -p "$port" --reply ok
	ended "$c"
	assert_equal "$code" 0
	assert_equal "$(cat c.out)" ok
	server t serve
	stop "$pid"
	run_err -1 "$SOCKCTL" connect --retry 2,10ms 127.0.0.1 "$port"
}

@test "-w gives up connecting; -b and -s choose the local end" {
	bg s python3 -c '
import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
k = []
for i in range(4):
    c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); k.append(c)
print(s.getsockname()[1], flush=True); time.sleep(60)'
	wait_for test -s s.out
	run_err -4 "$SOCKCTL" connect -w 0.3 127.0.0.1 "$(cat s.out)"
	[[ $stderr == *ETIMEDOUT* ]]
	server t serve --discard
	run -0 "$SOCKCTL" connect -s 127.0.0.3 -v 127.0.0.1 "$port" < <(printf x)
	wait_grep 'accept 127.0.0.3:' t.err
	run_err -7 "$SOCKCTL" connect -s 192.0.2.99 127.0.0.1 "$port"
}

@test "--crlf, --chunk, --delay" {
	server s serve --once
	printf 'a\nb\r\nc\n' | "$SOCKCTL" connect --fin 0 -C 127.0.0.1 "$port"
	ended "$pid"
	assert_equal "$(od -An -c s.out | tr -d ' \n')" 'a\r\nb\r\nc\r\n'
	server s serve --once
	printf abcdef | "$SOCKCTL" connect --fin 0 --chunk 2 --delay 100ms --json 127.0.0.1 "$port" 2> e
	ended "$pid"
	assert_equal "$(cat s.out)" abcdef
	json e '0.19 < last["duration_s"] < 5'
}

@test "--expect and --expect-bytes: exit 9 when the peer ended without" {
	printf 'say hello there' > text
	server s serve --reply text
	run -0 "$SOCKCTL" connect --expect hello --recv-only 127.0.0.1 "$port"
	run_err -9 "$SOCKCTL" connect --expect goodbye --recv-only 127.0.0.1 "$port"
	assert_equal "$stderr" "sockctl connect: assert 127.0.0.1:$port: the text of --expect is not in the 15 bytes that came"
	run -0 "$SOCKCTL" connect --expect-bytes 15 --recv-only 127.0.0.1 "$port"
	run_err -9 "$SOCKCTL" connect --expect-bytes 16 --recv-only --json 127.0.0.1 "$port"
	printf '%s\n' "$stderr" > e
	json e '"--expect-bytes 16, but 15 came" in last["error"] and ev("error")[0]["op"] == "assert"'
}

@test "datagrams: one a read, lines, the answer, and nobody there" {
	server s serve -u --datagram line
	printf 'a\nb\n' | "$SOCKCTL" connect -u -q 0 127.0.0.1 "$port"
	wait_grep '^a$' s.out
	assert_equal "$(cat s.out)" "$(printf 'a\nb')"
	printf 'c\nd' | "$SOCKCTL" connect -u -q 0 --datagram line --json 127.0.0.1 "$port" 2> e
	json e 'last["tx"] == 3 and last["duration_s"] < 0.9 and last["exit"] == 0'
	bg e python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    d, a = s.recvfrom(65536); s.sendto(d.upper(), a)'
	wait_for test -s e.out
	run -0 "$SOCKCTL" connect -u 127.0.0.1 "$(cat e.out)" < <(printf ping)
	assert_output PING
	run -0 "$SOCKCTL" connect -u --expect PING 127.0.0.1 "$(cat e.out)" < <(printf ping)
	run_err -9 "$SOCKCTL" connect -u --expect PONG 127.0.0.1 "$(cat e.out)" < <(printf ping)
	[[ $stderr == *"the text of --expect is not in the 4 bytes"* ]] || fail "$stderr"
	stop "$pid"
	run_err -1 "$SOCKCTL" connect -u 127.0.0.1 "$(cat e.out)" < <(printf ping)
}

@test "a short request gets its answer from a server that drops it at FIN (node)" {
	needs node
	bg n node -e '
const s = require("http").createServer((q, r) =>
	setTimeout(() => r.end("answer\n"), 300));
s.listen(0, "127.0.0.1", () => console.log(s.address().port));'
	wait_for test -s n.out
	run -0 "$SOCKCTL" connect 127.0.0.1 "$(cat n.out)" \
		< <(printf 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
	assert_line answer
}

@test "a metric leaves at once" {
	server s serve --discard
	echo 'a 1' | "$SOCKCTL" connect -q 0 --json 127.0.0.1 "$port" 2> e
	json e 'last["duration_s"] < 0.9 and last["exit"] == 0'
}

@test "socket options: asked, effective, clamped, strict" {
	server s serve --discard
	printf x | "$SOCKCTL" connect --fin 0 --nodelay --rcvbuf 8192 -o ttl=9 \
		--show-sockopts --json 127.0.0.1 "$port" 2> e
	json e '{s["name"]: s["effective"] for s in ev("sockopt")}["rcvbuf"] == 16384'
	json e '{s["name"]: s["effective"] for s in ev("sockopt")}["ttl"] == 9'
	run_err -7 "$SOCKCTL" connect --sndbuf 1G --strict 127.0.0.1 "$port" < <(printf x)
	[[ $stderr == *wmem_max* ]]
	run_err -2 "$SOCKCTL" connect -o nosuch=1 127.0.0.1 "$port"
}

@test "a name server that does not answer stops neither -w nor a signal" {
	[ "$(id -u)" = 0 ] || skip "needs root for a mount namespace"
	unshare -mn true 2> /dev/null || skip "no mount namespaces here"
	bg d python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(1, flush=True); time.sleep(60)'
	printf 'nameserver 127.0.0.77\noptions timeout:30 attempts:5\n' > resolv.conf
	cat > run.sh <<- 'END'
		ip link set lo up 2> /dev/null
		mount --bind "$1/resolv.conf" /etc/resolv.conf || exit 77
		python3 -c 'import socket, time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.77", 53)); time.sleep(30)' &
		until grep -q ' 4D00007F:0035' /proc/net/udp; do sleep 0.05; done
		shift
		"$@"
		code=$?
		kill $!
		exit $code
	END
	run_err -4 unshare -mn bash run.sh "$PWD" "$SOCKCTL" connect -w 0.5 www.example.com 80
	run_err -143 unshare -mn bash run.sh "$PWD" timeout --preserve-status 0.7 "$SOCKCTL" connect www.example.com 80
}

@test "a host without IPv6 says so, and not that ports are short" {
	needs_ipv6
	unshare -n true 2> /dev/null || skip "no network namespaces here"
	cat > run.sh <<- 'END'
		echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6
		ip link set lo up
		"$@"
	END
	run_err -7 unshare -n bash run.sh "$SOCKCTL" connect ::1 80
	assert_equal "${stderr#*; }" "no interface of this host has an IPv6 address"
	run_err -7 unshare -n bash run.sh "$SOCKCTL" serve -p 0 -s ::1
	assert_equal "${stderr#*; }" "no interface of this host has an IPv6 address"
}
