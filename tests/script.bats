# script: connections driven step by step, contract section 7.
load helper/common

peer() { # peer NAME STEP...: connects to $port
	local name=$1

	shift
	bg "$name" python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" "$@"
}

listener() { # listener STEP...: takes one connection on $port; $lp, l.out
	rm -f l.port
	bg l python3 "$SOCKCTL_TOP/tests/helper/peer.py" listen l.port "$@"
	lp=$pid
	wait_for test -s l.port
	port=$(cat l.port)
}

play() { # play STEPS OPTION...: connect --script; out, err, $status
	local steps=$1

	shift
	run_err timeout "$((WAIT_MAX * 2))" "$SOCKCTL" connect --json \
		--script "$steps" "$@" 127.0.0.1 "$port"
	printf '%s\n' "${stderr_lines[@]}" > err
}

# steps EXPRESSION: over s, the script events
steps() {
	json err "(lambda s: $1)(ev('script'))"
}

@test "script: send, sendall, writev arrive as they were asked" {
	printf 'of a file' > text
	listener recv=5 recv=12 recv=6 recv=9 drain
	play 'send "a\x00\r\nb"; sendall 12; writev 1 2 3; send @text; close'
	assert_equal "$status" 0
	steps '[e["op"] for e in s] == ["send", "sendall", "writev", "send", "close"]'
	steps '[e["requested"] for e in s] == [5, 12, 6, 9, None]'
	steps '[e["result"] for e in s] == [5, 12, 6, 9, 0]'
	ended "$lp"
	run cat -A l.out
	assert_output "$(printf '%s\n' 'recv a^@^M$' 'b$' 'recv 0123456789ab$' \
		'recv 012345$' 'recv of a file$' 'drain 0 eof$')"
}

@test "script: a script event's members, and the states" {
	listener recv=1 send=ok drain
	play 'send 1; recv 10; shutdown wr; recv 1'
	assert_equal "$status" 0
	steps 'all(set(e) >= {"ts", "mode", "event", "conn", "local", "peer", "step", "op", "requested", "result", "errno", "elapsed_us", "state"} for e in s)'
	steps 'all(e["errno"] is None and type(e["elapsed_us"]) is int for e in s)'
	steps '[e["step"] for e in s] == [1, 2, 3, 4] and s[1]["text"] == "ok"'
	steps 's[2]["requested"] == "wr" and s[2]["result"] == 0 and s[3]["result"] == 0'
	json err 'last["event"] == "summary" and last["exit"] == 0 and last["rx"] == 2 and last["tx"] == 1'
	assert_output "ok"
	is_portable && return
	steps 's[0]["state"] == "ESTABLISHED" and s[2]["state"] in ("FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT")'
	steps 's[3]["state"] in ("FIN_WAIT2", "TIME_WAIT")'
}

@test "script: who sent the first FIN is in TIME_WAIT after the second" {
	is_portable && skip "no TCP states"
	listener drain close
	play 'shutdown wr; drain; close'
	assert_equal "$status" 0
	steps '[e["state"] for e in s][1:] == ["TIME_WAIT", "TIME_WAIT"]'
}

@test "script: recv returns what is there, recvall waits, peek leaves it" {
	listener send=abc file=go send=defgh file=never
	bg c "$SOCKCTL" connect --json --script 'peek 2; recv 1; recvall 5; recv 9; close' 127.0.0.1 "$port"
	wait_grep '"op":"recv"' c.err
	touch go
	ended "$pid"
	assert_equal "$code" 0
	json c.err '[e["result"] for e in ev("script")] == [2, 1, 5, 2, 0]'
	assert_equal "$(cat c.out)" abcdefgh
	touch never
}

@test "script: recvall cut short returns what there was; drain the total" {
	listener send=abc close
	play 'recvall 10; recv 1'
	assert_equal "$status" 0
	steps '[e["result"] for e in s] == [3, 0]'
	assert_output abc
	listener sendn=300000 close
	play 'drain; close'
	assert_equal "$status" 0
	steps 's[0]["result"] == 300000'
}

@test "script: a reset under drain and under send is exit 5, with the errno" {
	listener send=abc recv=1 rst
	play 'send 1; drain'
	assert_equal "$status" 5
	steps 's[1]["op"] == "drain" and s[1]["result"] == -1 and s[1]["errno"] == "ECONNRESET"'
	listener recv=1 rst
	play 'send 1; ( send 1; sleep 1ms ) *'
	assert_equal "$status" 5
	steps 's[-1]["result"] == -1 and s[-1]["errno"] in ("ECONNRESET", "EPIPE")'
}

@test "script: expect takes not a byte more; EOF first is exit 9" {
	listener send=one-two-three drain
	play 'expect "two"; recv 100; close'
	assert_equal "$status" 0
	steps '[e["result"] for e in s] == [7, 6, 0]'
	listener send=one-tw close
	play 'expect "two"; close'
	assert_equal "$status" 9
	json err 'last["exit"] == 9 and "step 1: the peer ended" in last["error"]'
}

@test "script: urgent data in three reads" {
	server s serve -1 --json --script 'expect "go"; sleep 200ms; recv 9; recvoob; recv 9; close'
	local sp=$pid
	run "$SOCKCTL" connect --script 'send "go123"; oob "abc"; send "123"; recv 1' 127.0.0.1 "$port"
	ended "$sp"
	assert_equal "$code" 0
	json s.err '[e["text"] for e in ev("script") if "recv" in e["op"]] == ["123ab", "c", "123"]'
}

@test "script: recvoob ends with EINVAL when the peer ends without" {
	is_portable && skip "needs TCP_INFO"
	listener send=abc close
	play 'recvoob; recv 9; close'
	assert_equal "$status" 0
	steps 's[0]["result"] == -1 and s[0]["errno"] == "EINVAL" and s[1]["result"] == 3'
}

@test "script: fill until the kernel takes no more, drain gets as much" {
	local sp
	mkfifo f
	exec 7<> f
	BG_INPUT=f bg s "$SOCKCTL" serve -p 0 --port-file s.port -1 --json \
		--rcvbuf 8K --script 'key; drain; close'
	sp=$pid
	wait_for test -s s.port
	port=$(cat s.port)
	bg c "$SOCKCTL" connect --json --sndbuf 8K --chunk 512 --script 'fill; close' 127.0.0.1 "$port"
	wait_grep '"op":"fill"' c.err
	echo >&7
	ended "$pid"
	assert_equal "$code" 0
	ended "$sp"
	assert_equal "$code" 0
	exec 7>&-
	json c.err "ev('script')[0]['result'] > 8192"
	cat s.err c.err > both
	json both '[e["result"] for e in ev("script") if e["op"] == "drain"] == [e["result"] for e in ev("script") if e["op"] == "fill"]'
}

@test "script: half-closes, reset and close" {
	listener drain send=late close
	play 'send "x"; shutdown wr; recvall 4; close'
	assert_equal "$status" 0
	assert_output late
	ended "$lp"
	assert_equal "$(cat l.out)" "drain 1 eof"
	listener drain
	play 'send "x"; reset'
	assert_equal "$status" 0
	ended "$lp"
	assert_equal "$(cat l.out)" "drain 1 reset"
	listener drain
	play 'shutdown both; send 1'
	assert_equal "$status" 5
	steps 's[1]["errno"] == "EPIPE"'
}

@test "script: after close every step has EBADF, and a group ends" {
	listener drain
	play '( close; send 1 ) *'
	assert_equal "$status" 0
	steps '[(e["op"], e["errno"]) for e in s] == [("close", None), ("send", "EBADF")]'
}

@test "script: groups repeat, a step's number is its place" {
	listener drain
	play 'send 1; ( send 2; ( send 3 ) * 2 ) * 3; ( send 4 ); close'
	assert_equal "$status" 0
	steps '[e["step"] for e in s] == [1] + [2, 3, 3] * 3 + [4, 5]'
	ended "$lp"
	assert_equal "$(cat l.out)" "drain 29 eof"
}

@test "script: 10,000 steps" {
	local text i

	for ((i = 0; i < 10000; i++)); do
		text+='send 1;'
	done
	listener drain
	play "$text close"
	assert_equal "$status" 0
	steps 'len(s) == 10001 and s[-1]["step"] == 10001'
	ended "$lp"
	assert_equal "$(cat l.out)" "drain 10000 eof"
}

@test "script: groups 16 deep run, 17 are refused with the place" {
	local open='((((((((((((((((' shut='))))))))))))))))'

	listener drain
	play "$open send 1 $shut; close"
	assert_equal "$status" 0
	run_err "$SOCKCTL" connect 127.0.0.1 "$port" --script "($open send 1 $shut)"
	assert_equal "$status" 2
	[[ $stderr == *"at character 17"*"16 deep"* ]]
}

@test "script: what cannot be parsed is one line with the place, exit 2" {
	local text

	for text in 'send 1; rcv 2' 'send' 'recv 0' 'recv 99999999999999999999' \
		'send "a' '( send 1' 'send 1 )' '( )' 'close now' \
		'writev 60M 60M' 'sleep x' 'shutdown up' ' '; do
		run_err "$SOCKCTL" connect 127.0.0.1 1 --json --script "$text"
		assert_equal "$status" 2
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == *"--script"*"at character "*"try 'sockctl connect --help'"* ]] ||
			fail "$text: $stderr"
	done
	run_err "$SOCKCTL" connect 127.0.0.1 1 --script 'send @nofile'
	assert_equal "$status" 6
}

@test "script: --step-timeout: blocked, its members, exit 4" {
	listener drain
	play 'sleep 300ms; send 3; recv 7' --step-timeout 200ms
	assert_equal "$status" 4
	json err 'len(ev("blocked")) == 1 and set(ev("blocked")[0]) >= {"ts", "mode", "event", "conn", "local", "peer", "step", "op", "requested", "result", "elapsed_us", "state", "recvq", "sendq"}'
	json err '(lambda b: b["step"] == 3 and b["op"] == "recv" and b["requested"] == 7 and b["result"] == 0 and b["elapsed_us"] >= 200000)(ev("blocked")[0])'
	json err 'last["event"] == "summary" and last["exit"] == 4'
	ended "$lp"
	listener rcvbuf=4096 file=never
	play 'sendall 100M' --step-timeout 300ms --sndbuf 8K
	assert_equal "$status" 4
	json err '0 < ev("blocked")[0]["result"] < 100 << 20'
	json err '"peer to read" in ev("blocked")[0]["why"]'
	touch never
}

@test "script: a wait leaves the loop free: two connections at a time" {
	server s serve --json --script 'send "a"; recv 1; send "b"; close'
	bg one "$SOCKCTL" connect --recv-only 127.0.0.1 "$port"
	wait_grep a one.out
	run_err "$SOCKCTL" connect --script 'recvall 1; send "x"; recvall 1; close' 127.0.0.1 "$port"
	assert_equal "$status" 0
	assert_output ab
}

@test "script: 500 connections each run theirs at once" {
	server s serve --json --count 500 --script 'send "hi"; expect "go"; send "bye"; close'
	local sp=$pid
	run python3 - "$port" <<- 'END'
		import resource, socket, sys
		soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
		resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
		all = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(500)]
		for s in all:
		    assert s.recv(2, socket.MSG_WAITALL) == b"hi"
		for s in all:
		    s.sendall(b"go")
		for s in all:
		    assert s.recv(3, socket.MSG_WAITALL) == b"bye" and s.recv(1) == b""
		print("all")
	END
	assert_output all
	ended "$sp"
	assert_equal "$code" 0
	json s.err 'len([e for e in ev("script") if e["op"] == "close"]) == 500 and last["connections"] == 500'
}

@test "script: the step that closes is told before the close event, with its state" {
	for word in close reset; do
		listener drain
		play "send 1; $word"
		json err '[e["event"] for e in events if e["event"] in ("script", "close")] == ["script", "script", "close"]'
		json err 'ev("script")[1]["state"] != "ESTABLISHED" and ev("close")[0]["unread"] in (0, None)'
		ended "$lp"
	done
	listener drain
	play 'shutdown wr; close; send 1'
	json err '[e["event"] for e in events if e["event"] in ("script", "close")] == ["script", "script", "close", "script"]'
	ended "$lp"
}
