#!/usr/bin/env bats
# What sockctl sees of its connections: --stats, --watch, --hexdump, and the
# close event's sentence.

load helper/common
bats_require_minimum_version 1.5.0

# peer NAME STEP...: tests/helper/peer.py listens: $port.
peer() {
	local name=$1

	shift
	bg "$name" python3 "$SOCKCTL_TOP/tests/helper/peer.py" listen \
		"$name.port" "$@"
	common_started "$pid" "$name.port" || fail "no peer"
	port=$(cat "$name.port")
}

# visit STEP...: it connects to $port.
visit() {
	bg visit python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" "$@"
}

# client INPUT OPTION...: connects to $port; events in client.json, the exit code
# in $status. $fin says when the FIN goes, --fin=0 without it.
client() {
	local input=$1

	shift
	rm -f client.json
	run "$SOCKCTL" connect --json --log client.json "${fin:---fin=0}" "$@" \
		127.0.0.1 "$port" < "$input"
}

# full: a listener whose backlog is full, so that a SYN gets no answer: $port.
full() {
	bg full python3 -c '
import socket, sys, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
held = [socket.socket() for _ in range(4)]
for s in held:
    s.setblocking(False)
    s.connect_ex(listener.getsockname())
print(listener.getsockname()[1], flush=True)
time.sleep(60)'
	wait_for test -s full.out
	port=$(cat full.out)
}

linux_only() {
	! is_portable || skip "the portable build does not ask the kernel"
	[ "$(uname)" = Linux ] || skip "not Linux"
}

# why FILE TEXT: the close event's sentence begins so.
why() {
	json "$1" "ev('close')[-1]['why'].startswith('''$2''')"
}

# agrees FILE ADDRESS: the last tcpinfo event and ss tell the same of a
# connection that stands still.
agrees() {
	python3 - "$1" "$2" <<- 'END'
		import json, re, subprocess, sys, time

		def event():
		    lines = [json.loads(s) for s in open(sys.argv[1]) if s.endswith("\n")]
		    return [e for e in lines if e["event"] == "tcpinfo"][-1]

		def ss():
		    text = subprocess.run(["ss", "-tinH", "src", sys.argv[2]],
		        capture_output=True, text=True).stdout
		    state, recvq, sendq = text.split()[:3]
		    got = {"recvq": int(recvq), "sendq": int(sendq)}
		    for name, word in (("cwnd", "cwnd"), ("mss", "mss"),
		            ("acked", "bytes_acked"), ("received", "bytes_received")):
		        m = re.search(rf"\b{word}:(\d+)", text)
		        got[name] = int(m.group(1)) if m else 0
		    rtt = re.search(r"\brtt:([\d.]+)", text).group(1)
		    got["rtt_us"] = round(float(rtt) * 1000)
		    got["state"] = {"ESTAB": "ESTABLISHED"}.get(state, state)
		    return got

		for _ in range(200):
		    before = ss()
		    last = event()["ts"]
		    while event()["ts"] == last:
		        time.sleep(0.02)
		    seen = {k: event()[k] for k in before}
		    if before == ss() and seen == before:
		        print(seen)
		        sys.exit(0)
		print("event", seen, "ss", before)
		sys.exit(1)
	END
}

@test "stats: a tcpinfo event before close, as the kernel counts" {
	linux_only
	server serve serve -s 127.0.0.1 --once --discard --json --stats
	served=$pid
	printf hello > input
	client input --stats
	assert_equal "$status" 0
	ended "$served"
	assert_equal "$code" 0
	json client.json "[e['event'] for e in events][-3:] == ['tcpinfo', 'close', 'summary'] and set(ev('tcpinfo')[0]) == {'ts', 'mode', 'event', 'conn', 'local', 'peer', 'state', 'rtt_us', 'rttvar_us', 'retrans', 'cwnd', 'mss', 'recvq', 'sendq', 'delivery_rate', 'acked', 'received'}"
	# The SYN, five bytes, the FIN; who ends first is in TIME_WAIT then.
	json client.json "ev('tcpinfo')[0]['acked'] == 7 and ev('tcpinfo')[0]['state'] == 'TIME_WAIT' and ev('tcpinfo')[0]['mss'] > 0 and ev('tcpinfo')[0]['cwnd'] > 0 and ev('tcpinfo')[0]['retrans'] == 0"
	json serve.err "ev('tcpinfo')[0]['received'] == 6 and ev('tcpinfo')[0]['local'] == ev('accept')[0]['local']"
}

@test "stats: what is not TCP has neither state nor counts" {
	printf hello > input
	bg unix "$SOCKCTL" serve -U sock --once --discard --json --stats
	served=$pid
	wait_grep listening unix.err
	run "$SOCKCTL" connect -U sock --fin 0 < input
	assert_equal "$status" 0
	ended "$served"
	json unix.err "ev('tcpinfo')[0]['state'] is None and ev('tcpinfo')[0]['mss'] is None and ev('close')[0]['rx'] == 5 and ev('close')[0]['local'] == 'unix:' + '$PWD/sock' or ev('close')[0]['local'] == 'unix:sock'"
}

@test "watch: what waits to be sent is what ss says" {
	linux_only
	needs ss
	peer never sleep=60
	BG_INPUT=/dev/zero bg client "$SOCKCTL" connect --json --watch 50ms \
		127.0.0.1 "$port"
	wait_grep '"sendq":[1-9][0-9][0-9][0-9][0-9]' client.err
	run agrees client.err "$(sed -n \
		's/.*"event":"connect".*"local":"\([^"]*\)".*/\1/p' client.err)"
	assert_success
	stop "$pid"
	json client.err "ev('tcpinfo')[0]['recvq'] == 0 and last['event'] == 'summary'"
}

@test "watch: what nobody reads is what ss says" {
	linux_only
	needs ss
	mkfifo pipe
	exec 8<> pipe
	# shellcheck disable=SC2016 # the inner shell expands it
	bg serve bash -c 'exec "$0" serve -p 0 -s 127.0.0.1 --port-file port \
		--json --watch 50ms > pipe' "$SOCKCTL"
	wait_for test -s port
	port=$(cat port)
	visit sendn=8000000
	wait_grep '"recvq":[1-9][0-9][0-9][0-9][0-9]' serve.err
	run agrees serve.err "$(sed -n \
		's/.*"event":"accept".*"local":"\([^"]*\)".*"peer":"\([^"]*\)".*/\1 dst \2/p' \
		serve.err | sed 's/ dst .*//')"
	exec 8<&-
	assert_success
}

@test "watch: states as they change, also after close" {
	linux_only
	mkfifo hold input
	BG_INPUT=hold bg serve "$SOCKCTL" serve -p 0 -s 127.0.0.1 --json --once \
		--port-file port --half-close --watch 10
	exec 8> hold
	wait_for test -s port
	port=$(cat port)
	BG_INPUT=input bg client bash -c 'exec "$@" 8>&-' - "$SOCKCTL" \
		connect --json --watch 10 --fin 0 127.0.0.1 "$port"
	exec 9> input
	printf x >&9
	wait_grep '"state":"ESTABLISHED"' client.err
	exec 9>&-
	wait_grep '"state":"FIN_WAIT2"' client.err
	wait_grep '"state":"CLOSE_WAIT"' serve.err
	exec 8>&-
	ended "$pid"
	assert_equal "$code" 0
	# Nothing is shown twice, however often it was looked at.
	json client.err "[e['state'] for e in ev('tcpinfo') if e['state'] != 'FIN_WAIT1'] == ['ESTABLISHED', 'FIN_WAIT2', 'TIME_WAIT'] and [e['side'] for e in ev('half-close')] == ['local', 'peer']"
}

@test "watch: a connection that this side closed is followed in the system" {
	linux_only
	peer stay sleep=60
	printf x > input
	# A plain close, whose FIN is the system's.
	fin=-S client input -q 0 --watch 10
	assert_equal "$status" 0
	json client.json "[e['event'] for e in events][-3:] == ['close', 'tcpinfo', 'summary'] and ev('tcpinfo')[-1]['state'] in ('FIN_WAIT1', 'FIN_WAIT2') and ev('tcpinfo')[-1]['rtt_us'] is None"
}

@test "hexdump: both directions, in a file" {
	server echo serve -s 127.0.0.1 --once --exec 'cat' -x dump
	printf 'hello\001' > input
	client input
	assert_equal "$status" 0
	ended "$pid"
	run cat dump
	assert_line --regexp '^[0-9-]{10}T[0-9:]{8}\.[0-9]{6}[+-][0-9]{2}:[0-9]{2} #1 < 0: 6 bytes$'
	assert_line '< 00000000  68 65 6c 6c 6f 01                                 |hello.|'
	assert_line --partial '#1 > 0: 6 bytes'
	assert_line '> 00000000  68 65 6c 6c 6f 01                                 |hello.|'
}

@test "hexdump: every byte, once, at its offset" {
	head -c 300000 /dev/urandom > input
	server serve serve -s 127.0.0.1 --once -x dump
	client input -x - --chunk 1000
	assert_equal "$status" 0
	ended "$pid"
	assert_equal "$code" 0
	cmp input serve.out
	python3 - <<- 'END'
		want = open("input", "rb").read()
		got = bytearray()
		for line in open("dump", encoding="ascii"):
		    if line[0] == "<":
		        assert int(line[2:10], 16) == len(got), line
		        got += bytes.fromhex(line[11:60])
		assert got == want
	END
	json client.json "b''.join(bytes.fromhex(e['hex']) for e in ev('data')) == open('input', 'rb').read() and all(e['dir'] == 'out' and e['conn'] == 1 for e in ev('data')) and [e['offset'] for e in ev('data')] == [sum(len(d['hex']) // 2 for d in ev('data')[:i]) for i in range(len(ev('data')))]"
}

@test "hexdump: - is standard error; with --json data events" {
	peer answer drain 'send=ok\n' close
	printf 'a"\377' > input
	run_err "$SOCKCTL" connect --fin 0 -x - 127.0.0.1 "$port" < input
	assert_success
	assert_output ok
	assert_regex "$stderr" '> 00000000  61 22 ff .*\|a"\.\|'
	assert_regex "$stderr" '< 00000000  6f 6b 0a .*\|ok\.\|'
	peer again drain 'send=ok\n' close
	client input -x -
	json client.json "[(e['dir'], e['offset'], e['hex'], e['text']) for e in ev('data')] == [('out', 0, '6122ff', 'a\"\ufffd'), ('in', 0, '6f6b0a', 'ok\n')]"
}

@test "hexdump: a file that cannot be opened or written is exit 6" {
	peer answer drain 'send=ok\n' close
	run_err "$SOCKCTL" connect -x /nonexistent/x 127.0.0.1 "$port"
	assert_equal "$status" 6
	assert_regex "$stderr" 'connect: open /nonexistent/x: .*\(ENOENT\)'
	[ -w /dev/full ] || skip "no /dev/full"
	printf x > input
	client input -x /dev/full
	assert_equal "$status" 6
	json client.json "last['exit'] == 6 and ev('error')[0]['op'] == 'write' and ev('error')[0]['errno'] == 'ENOSPC'"
}

@test "why: closed with our bytes unread" {
	peer unread peek close
	printf hello > input
	client input
	assert_equal "$status" 5
	why client.json 'the peer closed with 5 bytes of ours unread, so its system reset'
	json client.json "ev('close')[0]['reason'] == 'reset' and ev('error')[0]['message'] == 'reset by peer after 5 sent, 0 received, 0 not sent'"
}

@test "why: accepted and closed, or reset, without a byte" {
	peer close close
	client /dev/null
	assert_equal "$status" 0
	why client.json 'accepted and closed after '
	json client.json "ev('close')[0]['why'].endswith(' without a byte: a proxy without its backend?')"
	peer abort sleep=0.1 rst
	client /dev/null
	assert_equal "$status" 5
	why client.json 'accepted and reset after '
}

@test "why: the peer takes a FIN for a hang-up" {
	peer silent drain close
	printf 'GET /\r\n\r\n' > input
	client input
	assert_equal "$status" 0
	why client.json 'the peer ended without a byte after our FIN; it may take a FIN for a hang-up (--fin, -S)'
	peer answer drain 'send=ok\n' close
	client input
	why client.json 'this side ended first'
}

@test "why: the peer had closed both ways" {
	mkfifo input
	peer close close
	rm -f client.json
	BG_INPUT=input bg client "$SOCKCTL" connect --json --half-close \
		127.0.0.1 "$port"
	exec 9> input
	wait_grep half-close client.err
	# The first byte is answered by the reset, the next one finds out.
	printf x >&9
	sleep 0.1
	printf x >&9
	ended "$pid"
	exec 9>&-
	assert_equal "$code" 5
	why client.err 'the peer had closed both ways'
}

@test "why: idle, with a peer that does not read, and without a byte" {
	peer never sleep=60
	client /dev/null --idle 200ms
	assert_equal "$status" 4
	why client.json 'neither side sent a byte'
	json client.json "ev('close')[0]['reason'] == 'idle' and ev('close')[0]['first'] == 'local'"
	is_portable && skip "the rest asks the kernel"
	peer again sleep=60
	client /dev/zero --idle 400ms
	assert_equal "$status" 4
	why client.json 'the peer stopped reading: '
}

@test "why: never acknowledged, and time was up" {
	linux_only
	peer never sleep=60
	client /dev/zero -o user-timeout=300ms
	assert_equal "$status" 5
	json client.json "ev('error')[0]['errno'] == 'ETIMEDOUT' and 'bytes of ours were never acknowledged' in ev('close')[0]['why']"
	peer again sleep=60
	client /dev/null --deadline 200ms
	assert_equal "$status" 4
	why client.json 'time was up'
}

@test "why: aborted in mid-conversation" {
	peer abort send=hello recv=1 rst
	printf x > input
	client input
	assert_equal "$status" 5
	why client.json 'the peer closed with bytes of ours unread, so its system reset, or it aborted'
}

@test "why: a slow client is dropped" {
	BG_INPUT=/dev/zero server serve serve -s 127.0.0.1 --json --drop-slow
	served=$pid
	visit sleep=60
	wait_grep '"event":"close"' serve.err
	stop "$served"
	json serve.err "ev('close')[0]['reason'] == 'limit' and ev('close')[0]['first'] == 'local' and ev('close')[0]['why']"
}

@test "why: nobody listens for datagrams" {
	# A port that was free a moment ago.
	server gone serve -s 127.0.0.1 -u
	stop "$pid"
	printf x > input
	fin=-u client input
	assert_equal "$status" 1
	why client.json 'nobody listens there: an ICMP port unreachable came back'
}

@test "why: a port check, by FIN and by reset" {
	server serve serve -s 127.0.0.1 --json
	served=$pid
	visit close
	wait_grep '"event":"close".*"conn":1' serve.err
	visit rst
	wait_grep '"event":"close".*"conn":2' serve.err
	stop "$served"
	json serve.err "[e['why'] for e in ev('close')] == ['came and left without a byte: a port check?', 'came and left by a reset without a byte: a port check?']"
}

@test "why: a SYN without an answer" {
	linux_only
	full
	client /dev/null -w 1300ms
	assert_equal "$status" 4
	json client.json "ev('error')[0]['hint'] == 'SYN unanswered 2 times: dropped on the way; a closed port would refuse'"
	run_err "$SOCKCTL" connect -w 100ms 127.0.0.1 "$port"
	assert_regex "$stderr" '; SYN unanswered 1 time: dropped on the way'
}

@test "close: its members, and the half-closes before it" {
	peer answer drain 'send=ok\n' close
	printf hello > input
	client input
	assert_equal "$status" 0
	json client.json "set(ev('close')[0]) == {'ts', 'mode', 'event', 'conn', 'local', 'peer', 'reason', 'first', 'rx', 'tx', 'unsent', 'unread', 'duration_s', 'first_byte_ms', 'exec_status', 'why'} and (lambda c: (c['reason'], c['first'], c['rx'], c['tx'], c['unsent'], c['unread'], c['exec_status']) == ('eof', 'local', 3, 5, 0, 0, None) and 0 < c['first_byte_ms'] <= c['duration_s'] * 1000)(ev('close')[0]) and [(e['event'], e.get('side')) for e in events if e['event'] in ('half-close', 'close')] == [('half-close', 'local'), ('half-close', 'peer'), ('close', None)] and ev('connect')[0]['elapsed_ms'] >= 0"
}

@test "show-sockopts: default, requested, effective, and what clamped it" {
	peer close close
	client /dev/null --show-sockopts --sndbuf 64K --rcvbuf 1G -o dscp=EF \
		-o linger=0
	json client.json "[(e['name'], e['requested']) for e in ev('sockopt')] == [('sndbuf', 65536), ('rcvbuf', 1 << 30), ('dscp', 46), ('linger', 0)] and ev('sockopt')[1]['limit'] == 'net.core.rmem_max' and ev('sockopt')[0]['limit'] is None and set(ev('sockopt')[0]) == {'ts', 'mode', 'event', 'name', 'default', 'requested', 'effective', 'limit'}"
	client /dev/null --strict --sndbuf 1G
	assert_equal "$status" 7
	json client.json "ev('error')[0]['op'] == 'setsockopt' and ev('error')[0]['target'] == 'sndbuf' and last['exit'] == 7"
}
