#!/usr/bin/env bats
# probe: states, exit codes, what is said behind the connection, waiting,
# measuring. What needs hosts of its own is in probe_net.bats.

load helper/common

# A port that nobody listens on: it was free a moment ago.
free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# peer NAME: does again and again what standard input says in Python: s is a
# socket that listens on 127.0.0.1, dgram a UDP one with the same port. $port
peer() {
	cat > "$1.py" <<- END
		import os, socket, struct, sys, time
		s = socket.socket()
		s.bind(("127.0.0.1", 0))
		s.listen(50)
		dgram = socket.socket(type=socket.SOCK_DGRAM)
		dgram.bind(s.getsockname())
		open("$1.new", "w").write(str(s.getsockname()[1]))
		os.rename("$1.new", "$1.port")
	END
	sed 's/^/    /' > "$1.body"
	{
		echo "while True:"
		echo "    try:"
		sed 's/^/    /' "$1.body"
		echo "    except ConnectionError: # the probe left by a reset"
		echo "        pass"
	} >> "$1.py"
	bg "$1" python3 "$1.py"
	common_started "$pid" "$1.port"
	port=$(cat "$1.port")
}

@test "probe: open and closed, listed and in a range" {
	server a serve
	local shut
	shut=$(free_port)
	run_err "$SOCKCTL" probe 127.0.0.1 "$port"
	assert_success
	assert_line --regexp "^127.0.0.1 $port/tcp open - [0-9.]+$"
	assert_line --regexp '^summary: 1 hosts, 1 ports, 1 open'
	[ -z "$stderr" ]
	run_err "$SOCKCTL" probe 127.0.0.1 "$shut"
	assert_failure 1
	assert_line --regexp "^127.0.0.1 $shut/tcp closed - [0-9.]+$"
	[ -z "$stderr" ]
	run "$SOCKCTL" probe 127.0.0.1 "$port,$shut"
	assert_failure 1
	run "$SOCKCTL" probe 127.0.0.1 "$((port - 20))-$((port + 20))"
	assert_success
	run "$SOCKCTL" probe 127.0.0.1 "$shut-$shut"
	assert_failure 1
	run "$SOCKCTL" probe --open 127.0.0.1 "$port,$shut"
	assert_failure 1
	assert_line --regexp " $port/tcp open"
	refute_output --partial closed/
	refute_output --partial "$shut/"
	run_err "$SOCKCTL" probe --quiet 127.0.0.1 "$shut"
	assert_failure 1
	[ -z "$output$stderr" ]
}

@test "probe: the members of port and summary" {
	server a serve
	local shut
	shut=$(free_port)
	"$SOCKCTL" probe --json 127.0.0.1 "$port,$shut" > j || code=$?
	[ "$code" = 1 ]
	json j 'sorted(e["port"] for e in ev("port")) == [e["port"] for e in ev("port")]
		and all(e["mode"] == "probe" for e in events)'
	json j 'all(e["host"] == "127.0.0.1" == e["addr"] and e["proto"] == "tcp"
		and e["rtt_ms"] > 0 and e["banner"] is None and "service" in e
		for e in ev("port"))'
	json j "{e['port']: e['state'] for e in ev('port')} == {$port: 'open', $shut: 'closed'}"
	json j '[last[k] for k in "event exit hosts ports open closed filtered unreachable dropped".split()]
		== ["summary", 1, 1, 2, 1, 1, 0, 0, 0] and last["elapsed_s"] >= 0
		and "completed" not in last and "error" not in last'
}

@test "probe: several hosts, HOST:PORTS, prefixes, brackets" {
	server a serve -s 127.0.0.1
	run "$SOCKCTL" probe 127.0.0.1,127.0.0.2 "$port"
	assert_failure 1
	assert_line --regexp "^127.0.0.1 $port/tcp open"
	assert_line --regexp "^127.0.0.2 $port/tcp closed"
	assert_line --regexp '^summary: 2 hosts, 2 ports, 1 open, 1 closed'
	run "$SOCKCTL" probe "127.0.0.1:$port" "tcp:127.0.0.1:$port-$port"
	assert_success
	assert_line --regexp '^summary: 1 hosts, 2 ports, 2 open'
	run "$SOCKCTL" probe 127.0.0.1 127.0.0.1 "$port"
	assert_success
	assert_line --regexp '^summary: 1 hosts, 2 ports'
	needs_ipv6
	server b serve -s ::1
	run "$SOCKCTL" probe "[::1]:$port"
	assert_success
	assert_line --regexp "^::1 $port/tcp open"
	run "$SOCKCTL" probe ::1 "$port"
	assert_success
	run "$SOCKCTL" probe -4 ::1 "$port"
	assert_failure 3
}

@test "probe: service names, in and out" {
	run "$SOCKCTL" probe --json 127.0.0.1 discard,22
	assert_line --partial '"port":9,"proto":"tcp"'
	assert_line --partial '"service":"ssh"'
	run "$SOCKCTL" probe --json --numeric 127.0.0.1 22
	assert_line --partial '"service":null'
	run_err "$SOCKCTL" probe --numeric 127.0.0.1 ssh
	assert_failure 2
	run_err "$SOCKCTL" probe --numeric localhost 22
	assert_failure 2
	"$SOCKCTL" probe --json 127.0.0.1 22,no-such-service > j || code=$?
	[ "$code" = 3 ]
	json j 'ev("error")[0]["op"] == "resolve" and last["exit"] == 3'
	run_err "$SOCKCTL" probe --open 127.0.0.1 1-1000,9
	refute_output --partial discard
}

@test "probe: a port's name is libc's" {
	needs getent
	"$SOCKCTL" probe --json 127.0.0.1 1-1023 > j || [ "$?" = 1 ]
	sed -n 's/.*"port":\([0-9]*\),"proto":"tcp".*"service":"\([^"]*\)".*/\1 \2/p' \
		j > seen
	getent services {1..1023}/tcp |
		sed 's,^\([^ ]*\) *\([0-9]*\)/tcp.*,\2 \1,' > known
	assert [ -s known ]
	diff known seen
}

@test "probe: what is no PORTS, no host, no pair of options: one line, exit 2" {
	local args
	while read -r -a args; do
		run_err "$SOCKCTL" probe "${args[@]}"
		assert_failure 2
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" = 1 ] || fail "${args[*]}: $stderr"
		[[ $stderr == *"; try 'sockctl probe --help'" ]]
	done <<- 'END'
		127.0.0.1 20-10
		127.0.0.1 0
		127.0.0.1 65536
		127.0.0.1 1-65536
		127.0.0.1 22,
		127.0.0.1 1-
		127.0.0.1 22 80
		127.0.0.1
		127.0.0.1,, 22
		127.0.0.1:
		[::1]22
		:22

		-4 -6 127.0.0.1 22
		-u tcp:127.0.0.1:22
		-U /x 127.0.0.1 22
		-j 0 127.0.0.1 22
		-w 0 127.0.0.1 22
		--count 0 127.0.0.1 22
		--wait 0 127.0.0.1 22
		--stable 0 --wait 1 127.0.0.1 22
		--down 127.0.0.1 22
		--any 127.0.0.1 22
		--interval 1 127.0.0.1 22
		--wait 1 --count 2 127.0.0.1 22
		--backlog-test 127.0.0.1 22,23
		--backlog-test -u 127.0.0.1 22
		--info -u 127.0.0.1 22
		--interfaces 127.0.0.1
		-p 22 127.0.0.1
		-z 127.0.0.1 22
	END
	run_err "$SOCKCTL" probe 127.0.0.1 ''
	assert_failure 2
	run_err "$SOCKCTL" probe "$(printf '%064000d' 0 | sed 's/0/a,/g')a" 22
	assert_failure 2
	[ "${#stderr_lines[@]}" = 1 ]
	run_err "$SOCKCTL" probe "$(printf '%020d' 0 | sed 's/0/127.0.0.1,/g')::1" -
	assert_failure 2
	[[ $stderr == *1048576* ]]
}

@test "probe: Unix paths, of streams and of datagrams" {
	bg a "$SOCKCTL" serve -U s
	wait_for test -S s
	"$SOCKCTL" probe --json "unix:$PWD/s" > j
	json j "[ev('port')[0][k] for k in 'host addr port proto state'.split()]
		== ['unix:$PWD/s', 'unix:$PWD/s', None, 'unix', 'open']"
	run "$SOCKCTL" probe -U s
	assert_success
	run "$SOCKCTL" probe unix:none
	assert_failure 1
	assert_line --partial 'unix:none -/unix closed'
	stop "$pid"
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("dead")'
	run "$SOCKCTL" probe unix:dead
	assert_failure 1
	assert_line --partial closed
	bg b "$SOCKCTL" serve -u -U d --discard
	wait_for test -S d
	run "$SOCKCTL" probe -u -U d
	assert_success
}

@test "probe: --banner, --send, --expect" {
	peer a <<- 'END'
		c = s.accept()[0]
		c.send(b"220 we")
		time.sleep(0.02)
		c.send(b"lcome\x1b\r\nmore\r\n")
		if c.recv(100) == b"PING\r\n":
		    c.send(b"PO")
		    time.sleep(0.02)
		    c.send(b"NG\n")
		c.close()
	END
	"$SOCKCTL" probe --json --banner 127.0.0.1 "$port" > j
	json j "ev('port')[0]['banner'] == '220 welcome\\x1b'"
	run "$SOCKCTL" probe --banner 127.0.0.1 "$port"
	assert_line --regexp "open - [0-9.]+ 220 welcome.x1b$"
	run "$SOCKCTL" probe --expect more 127.0.0.1 "$port"
	assert_success
	run "$SOCKCTL" probe --send 'PING\r\n' --expect PONG 127.0.0.1 "$port"
	assert_success
	# The peer answers, and ends, without what is asked for.
	run "$SOCKCTL" probe --send 'PUNG\r\n' --expect PONG 127.0.0.1 "$port"
	assert_failure 9
	assert_line --partial ' open '
	# It would go on, but time is up.
	run "$SOCKCTL" probe -w 0.3 --expect PONG 127.0.0.1 "$port"
	assert_failure 9
	run "$SOCKCTL" probe --send 'PING\r\n' 127.0.0.1 "$port"
	assert_success
}

@test "probe: --stay tells what accepts and hangs up from what stays" {
	peer quick <<- 'END'
		s.accept()[0].close()
	END
	run "$SOCKCTL" probe 127.0.0.1 "$port"
	assert_success
	"$SOCKCTL" probe --json --stay 5 127.0.0.1 "$port" > j && false
	json j "ev('port')[0]['state'] == 'dropped' and last['dropped'] == 1
		and last['exit'] == 1 and last['open'] == 0"
	run "$SOCKCTL" probe --wait 0.5 127.0.0.1 "$port"
	assert_failure 4
	assert_line --partial ' dropped '
	peer reset <<- 'END'
		c = s.accept()[0]
		c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		c.close()
	END
	run "$SOCKCTL" probe --stay 5 127.0.0.1 "$port"
	assert_failure 1
	assert_line --partial ' dropped '
	run "$SOCKCTL" probe 127.0.0.1 "$port"
	assert_success
	# A server that says something is there, however soon it ends.
	peer speaks <<- 'END'
		c = s.accept()[0]
		c.send(b"hello\n")
		c.close()
	END
	run "$SOCKCTL" probe --stay 5 127.0.0.1 "$port"
	assert_success
	server a serve
	run "$SOCKCTL" probe --stay 0.2 127.0.0.1 "$port"
	assert_success
}

@test "probe: a listener that waits for one client is not used up" {
	server a serve --once --ignore-empty
	run "$SOCKCTL" probe --count 5 --interval 0 127.0.0.1 "$port"
	assert_success
	echo hello | "$SOCKCTL" connect 127.0.0.1 "$port"
	ended "$pid"
	[ "$code" = 0 ]
	[ "$(cat a.out)" = hello ]
}

@test "probe: --count measures loss and round trip" {
	server a serve
	local shut
	shut=$(free_port)
	"$SOCKCTL" probe --json --count 3 --interval 10ms 127.0.0.1 "$port,$shut" > j ||
		code=$?
	[ "$code" = 1 ]
	json j "len(ev('port')) == 2"
	json j "(lambda e: e['count'] == 3 and e['ok'] == 3 and e['loss_percent'] == 0
		and 0 < e['rtt_ms']['min'] <= e['rtt_ms']['mean'] <= e['rtt_ms']['max'])(
		[e for e in ev('port') if e['port'] == $port][0])"
	json j "(lambda e: e['state'] == 'closed' and e['ok'] == 0
		and e['loss_percent'] == 100 and e['rtt_ms']['mean'] is None)(
		[e for e in ev('port') if e['port'] == $shut][0])"
	run "$SOCKCTL" probe --count 2 --interval 0 127.0.0.1 "$port"
	assert_success
	assert_line --regexp '2 of 2, 0% lost, min .* mean .* max '
}

@test "probe: --count of a port that is open once only: the loss says so" {
	peer a <<- 'END'
		s.accept()
		s.close()
		time.sleep(1000)
	END
	"$SOCKCTL" probe --json --count 40 --interval 50ms 127.0.0.1 "$port" > j
	json j "(lambda e: e['state'] == 'open' and 0 < e['ok'] < 40 == e['count']
		and e['loss_percent'] == 100 - e['ok'] * 2.5)(ev('port')[0])"
}

@test "probe: Ctrl-C ends --count inf well, and another run by the signal" {
	server a serve
	# bash lets what runs in the background ignore SIGINT, python does not.
	python3 - "$SOCKCTL" "$port" <<- 'END'
		import json, signal, subprocess, sys, time
		for count, want in ("inf", 0), ("1000", -signal.SIGINT):
		    p = subprocess.Popen([sys.argv[1], "probe", "-v", "--count", count,
		        "--interval", "10ms", "127.0.0.1", sys.argv[2]], text=True,
		        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
		    for i in range(3):
		        assert "open" in p.stderr.readline()
		    p.send_signal(signal.SIGINT)
		    out = p.communicate()[0]
		    assert p.returncode == want, p.returncode
		    assert " lost, min " in out and "\nsummary: " in out, out
	END
}

@test "probe: --wait, the history, and then the command in its place" {
	local late
	late=$(free_port)
	server a serve
	# shellcheck disable=SC2016 # the command expands them
	bg w env GREETING=hello "$SOCKCTL" probe -v --wait 30 --interval 20ms \
		"127.0.0.1:$port" "127.0.0.1:$late" -- \
		sh -c 'echo "$GREETING $$"; exit 7'
	wait_grep "127.0.0.1:$late closed" w.err
	wait_grep "127.0.0.1:$port open" w.err
	[ ! -s w.out ]
	local waiting=$pid
	bg late "$SOCKCTL" serve -s 127.0.0.1 -p "$late"
	ended "$waiting"
	[ "$code" = 7 ]
	[ "$(cat w.out)" = "hello $waiting" ]
	grep -q "^127.0.0.1 $late/tcp open .*(0[.0-9]* closed, [0-9.]* open)" w.err
	grep -q '^summary: 1 hosts, 2 ports, 2 open' w.err
}

@test "probe: -- COMMAND runs after success only, its summary comes before" {
	server a serve
	local shut
	shut=$(free_port)
	run_err "$SOCKCTL" probe --json 127.0.0.1 "$port" -- sh -c 'echo ran >&2'
	assert_success
	[ -z "$output" ]
	[[ ${stderr_lines[-2]} == *'"event":"summary","exit":0,'* ]]
	[ "${stderr_lines[-1]}" = ran ]
	run_err "$SOCKCTL" probe 127.0.0.1 "$shut" -- echo ran
	assert_failure 1
	[ -z "$output" ]
	run_err "$SOCKCTL" probe 127.0.0.1 "$port" -- ./no-such-program
	assert_failure 6
	assert [ -n "$stderr" ]
	# It has the limits and the descriptors that it had without.
	run_err bash -c 'ulimit -Sn 200; "$@"' sh "$SOCKCTL" probe 127.0.0.1 \
		"$port" -- sh -c 'ulimit -Sn; ls /proc/self/fd | wc -l'
	assert_line --index 0 200
	run_err sh -c 'ls /proc/self/fd | wc -l'
	assert_line --index 0 "$(sh -c 'ls /proc/self/fd | wc -l')"
}

@test "probe: --wait that is over: exit 4, and why" {
	server a serve
	local shut
	shut=$(free_port)
	run_err "$SOCKCTL" probe --wait 0.3 --interval 50ms 127.0.0.1 "$port,$shut" -- \
		echo ran
	assert_failure 4
	[ -z "$output" ]
	[[ $stderr == *"wait 127.0.0.1:$shut: closed after 300 ms (ETIMEDOUT)"* ]]
	"$SOCKCTL" probe --json --wait 0.3 "nosuch.invalid:1" > j || code=$?
	[ "$code" = 4 ]
	json j "ev('port')[0]['history'][0]['state'] == 'error' and last['exit'] == 4
		and ev('error')[0]['op'] == 'wait' and ev('error')[0]['errno'] == 'ETIMEDOUT'
		and last['error'].startswith('wait nosuch.invalid:1: ')"
	# Without --wait the name is at fault.
	"$SOCKCTL" probe --json nosuch.invalid 1 > j || code=$?
	[ "$code" = 3 ]
	json j "ev('error')[0]['op'] == 'resolve' and last['exit'] == 3"
	run "$SOCKCTL" probe --quiet nosuch.invalid,127.0.0.1 "$shut"
	assert_failure 3
}

@test "probe: --any, --stable, --down" {
	server a serve
	local shut open=$port
	shut=$(free_port)
	run "$SOCKCTL" probe --wait 10 --any "127.0.0.1:$shut" "127.0.0.1:$open"
	assert_success
	"$SOCKCTL" probe --json --wait 10 --interval 20ms --stay 0 --stable 4 \
		127.0.0.1 "$open" > j
	json j "last['elapsed_s'] >= 0.06"
	run "$SOCKCTL" probe --wait 10 --down 127.0.0.1 "$shut"
	assert_success
	run "$SOCKCTL" probe --wait 0.3 --down 127.0.0.1 "$open,$shut"
	assert_failure 4
	local server=$pid
	bg d "$SOCKCTL" probe -v --wait 30 --interval 20ms --down 127.0.0.1 "$open"
	wait_grep open d.err
	local down=$pid
	stop "$server"
	ended "$down"
	[ "$code" = 0 ]
	grep -q ' \(closed\|dropped\) .*open, .* \(closed\|dropped\))' d.out
}

@test "probe -u: open, closed and open-filtered" {
	peer a <<- 'END'
		data, who = dgram.recvfrom(100)
		dgram.sendto(b"got " + data.strip() + b"\nmore", who)
	END
	"$SOCKCTL" probe -u --json --send 'x\n' --banner 127.0.0.1 "$port" > j
	json j "[ev('port')[0][k] for k in 'state proto banner'.split()]
		== ['open', 'udp', 'got x'] and ev('port')[0]['rtt_ms'] > 0"
	run "$SOCKCTL" probe "udp:127.0.0.1:$port"
	assert_success
	run "$SOCKCTL" probe -u --expect more 127.0.0.1 "$port"
	assert_success
	run "$SOCKCTL" probe -u -w 0.2 --expect less 127.0.0.1 "$port"
	assert_failure 9
	stop "$pid"
	run "$SOCKCTL" probe -u 127.0.0.1 "$port"
	assert_failure 1
	assert_line --partial "/udp closed "
}

@test "probe -u: silence is asked three times and is not open" {
	peer a <<- 'END'
		print(len(dgram.recv(100)), flush=True)
	END
	"$SOCKCTL" probe -u --json -w 0.3 127.0.0.1 "$port" > j && false
	json j "ev('port')[0]['state'] == 'open-filtered' and last['exit'] == 1
		and last['open'] == 0 and last['elapsed_s'] >= 0.29"
	[ "$(wc -l < a.out)" = 3 ]
}

@test "probe --backlog-test: a queue of N takes N+1 on Linux" {
	[ "$(uname)" = Linux ] || skip "only Linux has one more"
	local n
	for n in 1 3 5; do
		server "a$n" serve --backlog "$n" --pause-accept 1h -s 127.0.0.1
		"$SOCKCTL" probe --json -w 0.3 --backlog-test 127.0.0.1 "$port" > j
		json j "last['completed'] == $n + 1 and ev('port')[0]['state'] == 'open'"
	done
	server a serve --backlog 2 --pause-accept 1h -s 127.0.0.1
	run "$SOCKCTL" probe -w 0.3 --backlog-test 127.0.0.1 "$port"
	assert_success
	assert_line --partial '3 completed'
	run "$SOCKCTL" probe --backlog-test 127.0.0.1 "$(free_port)"
	assert_failure 1
	assert_line --partial closed
	bg u "$SOCKCTL" serve --backlog 2 --pause-accept 1h -U s
	wait_for test -S s
	run "$SOCKCTL" probe -w 0.3 --backlog-test unix:s
	assert_line --partial '3 completed'
	server z serve
	run_err "$SOCKCTL" probe -j 20 --backlog-test 127.0.0.1 "$port"
	assert_line --partial '20 completed'
}

@test "probe --interfaces: the addresses of this host" {
	"$SOCKCTL" probe --json --interfaces > j
	json j "all(set(e) >= {'name', 'addr', 'family', 'flags', 'mtu'} for e in ev('interface'))
		and last['event'] == 'summary' and last['exit'] == 0
		and any(e['addr'] == '127.0.0.1' and 'LOOPBACK' in e['flags'] and e['mtu'] > 1000
			for e in ev('interface'))"
	run "$SOCKCTL" probe --interfaces -4
	assert_line --regexp '^lo[0-9]* 127.0.0.1 inet '
	refute_output --partial inet6
}

@test "probe --info: what was negotiated" {
	server a serve --rcvbuf 4096
	"$SOCKCTL" probe --json --info --rcvbuf 4096 127.0.0.1 "$port" > j
	json j "list(ev('port')[0]['info']) == 'mss snd_wscale rcv_wscale sack timestamps ecn sndbuf rcvbuf'.split()"
	is_portable && return
	json j "(lambda i: i['mss'] > 500 and i['sndbuf'] > 4096 and i['rcvbuf'] == 8192
		and i['rcv_wscale'] in (0, None) and i['sack'] in (True, False))(
		ev('port')[0]['info'])"
}

@test "probe: few descriptors make it slower, not wrong" {
	server a serve
	run bash -c 'ulimit -n 40; "$@"' sh "$SOCKCTL" probe --open \
		127.0.0.1 "1-65535"
	assert_success
	assert_line --regexp " $port/tcp open "
	run bash -c 'ulimit -n 20; "$@"' sh "$SOCKCTL" probe --stay 0.2 -j 50 \
		127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5,127.0.0.6,127.0.0.7,127.0.0.8,127.0.0.9,127.0.0.10,127.0.0.11,127.0.0.12,127.0.0.13,127.0.0.14,127.0.0.15,127.0.0.16,127.0.0.17,127.0.0.18,127.0.0.19,127.0.0.20 "$port"
	assert_success
	assert_line --regexp '20 ports, 20 open'
}

@test "probe: --deadline, -s, and a standard output that is closed" {
	server a serve
	run_err "$SOCKCTL" probe --deadline 0.2 --stay 1h 127.0.0.1 "$port"
	assert_failure 4
	[[ $stderr == *deadline* ]]
	run_err "$SOCKCTL" probe -s 127.0.0.3 127.0.0.1 "$port"
	assert_success
	run_err "$SOCKCTL" probe -s 192.0.2.77 127.0.0.1 "$port,1-5"
	assert_failure 7
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == *'bind 192.0.2.77:0'* ]]
	"$SOCKCTL" probe 127.0.0.1 1-3000 | head -1 > out
	[ "${PIPESTATUS[0]}" = 141 ]
}

@test "probe: tries leave no descriptor behind" {
	server a serve
	bg w "$SOCKCTL" probe --wait 30 --interval 5ms --stay 0 --down \
		"127.0.0.1:$port" nosuch.invalid:1
	accepted() {
		[ "$(grep -c close a.err)" -gt 100 ]
	}
	wait_for accepted
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" -lt 10 ]
	stop "$pid"
}

@test "probe: SIGUSR1 tells how far it is" {
	server a serve
	bg w "$SOCKCTL" probe -v --wait 20 --down 127.0.0.1 "$port"
	wait_grep open w.err
	kill -USR1 "$pid"
	wait_grep '^so far: 1 hosts, 1 ports, 1 open' w.err
	stop "$pid" TERM
	[ "$code" = 143 ]
	grep -q '^summary: ' w.out
}
