#!/usr/bin/env bats
# Two hosts and a link that loses, delays, reorders, doubles, damages, is cut for
# a while or for good: what goes over it arrives whole, or both sides say that it
# did not, in the time that they were told. FULL=1 cuts for longer.

load helper/common
load helper/net

teardown() {
	common_teardown
	net_down
}

# far FILE PORT MODE OPTION...: on host b.
far() {
	local name=$1 port=$2 mode=$3

	shift 3
	rm -f "$name.port"
	# shellcheck disable=SC2086
	bg "$name" $IN_B "$SOCKCTL" "$mode" -p "$port" \
		--port-file "$name.port" "$@"
	wait_for test -s "$name.port"
}

# near FILE MODE PORT OPTION...: on host a, in the background.
near() {
	# shellcheck disable=SC2086
	bg "$1" timeout 120 $IN_A "$SOCKCTL" "$2" "$NET_B_IP" "$3" "${@:4}"
}

# ends NAME PID CODE
ends() {
	WAIT_MAX=120 ended "$2"
	[ "$code" = "$3" ] || fail "$1: exit $code, not $3: $(cat "$1.err" "$1.out")"
}

# One of each kind at once, SIZE bytes each. They are under way when it returns.
# TCP sends again at growing intervals: a cut of 20 s may be 40 s of silence.
all_begin() {
	mkdir -p in
	head -c "$1" /dev/urandom > data
	far recv 4001 recvfile -d in --overwrite --quiet --idle 60
	far "echo" 4002 "echo" --quiet
	far flood 4003 flood --quiet
	far chat 4004 chat --no-console --quiet
	# shellcheck disable=SC2086
	bg ann $IN_B "$SOCKCTL" connect 127.0.0.1 4004 --recv-only
	wait_grep '^-- welcome' ann.out
	near send sendfile 4001 data --rate "${2:-1M/s}" --idle 60
	send=$pid
	near flood.a flood 4003 -n "$1" --verify --rate "${2:-1M/s}" --json
	flood=$pid
	bg talk bash -c "timeout 120 $IN_A '$SOCKCTL' connect $NET_B_IP 4002 \
		--rate ${2:-1M/s} < data > back"
	talk=$pid
	bg says bash -c "{ seq -f 'line %g' 15; echo /quit; } |
		timeout 120 $IN_A '$SOCKCTL' connect $NET_B_IP 4004"
	says=$pid
}

all_end() {
	ends send "$send" 0
	ends flood.a "$flood" 0
	ends talk "$talk" 0
	ends says "$says" 0
	cmp data in/data
	cmp data back
	json flood.a.out "last['bytes'] == $(stat -c %s data)"
	wait_grep 'left' ann.out
	assert_equal "$(grep -o '> line .*' ann.out)" "$(seq -f '> line %g' 15)"
}

@test "a link that loses, delays, reorders, doubles and damages" {
	net_up wire --loss 5 --delay 20ms --jitter 10ms --reorder 3 \
		--duplicate 3 --corrupt 2
	all_begin 100000
	all_end
	(($(wire_count ab lost) > 0 && $(wire_count ab corrupted) > 0))
	(($(wire_count ab reordered) > 0 && $(wire_count ba duplicated) > 0))
}

@test "a link of 100 ms with jitter" {
	net_up wire --delay 100ms --jitter 20ms
	all_begin 200000
	all_end
}

@test "a link that is cut in the middle and comes back" {
	local seconds=2

	[ -z "${FULL-}" ] || seconds=20
	net_up wire --delay 2ms
	all_begin 200000 100K/s
	wait_for test -s in/.data.part
	wait_for test -s back
	net_cut
	sleep "$seconds"
	net_join
	all_end
}

@test "a link that stays cut: files end by --idle, and are resumed" {
	net_up wire --delay 2ms
	mkdir in
	head -c 500000 /dev/urandom > data
	far recv 4001 recvfile -1 -d in --idle 2
	recv=$pid
	near send sendfile 4001 data --rate 100K/s --idle 2
	send=$pid
	wait_for test -s in/.data.part
	net_cut
	ends send "$send" 4
	ends recv "$recv" 4
	assert_file_contains send.err 'no sign of life for 2 s'
	assert_file_not_exists in/data
	net_join
	far recv 4001 recvfile -1 -d in --json
	recv=$pid
	near send sendfile 4001 data
	ends send "$pid" 0
	ends recv "$recv" 0
	json recv.out "ev('file')[0]['offset'] > 0"
	cmp data in/data
}

# within FILE LOW HIGH: so long after the cut the close event came; the upper
# bound is for a busy machine.
within() {
	python3 - "$1" "$cut_at" "$2" "$3" <<- 'END'
		import json, sys
		file, cut, low, high = sys.argv[1], *map(float, sys.argv[2:])
		closes = [e for e in map(json.loads, open(file)) if e["event"] == "close"]
		assert closes, open(file).read()
		after = closes[0]["ts"] - cut
		assert low <= after <= high, (after, closes)
	END
}

cut_now() {
	net_cut
	cut_at=$(date +%s.%N)
}

@test "a link that stays cut: keepalive and user-timeout name the time" {
	net_up wire --delay 2ms
	far serve 4001 serve --keepalive=1,1,3 --json --exec 'exec cat'
	serve=$pid
	mkfifo open
	exec 9<> open
	# Nothing is under way here, and data there; another one of each keeps
	# what the system has: hours.
	BG_INPUT=open near idle connect 4001 --keepalive=1,1,3 --json
	idle=$pid
	far drop 4002 serve --discard --quiet
	# shellcheck disable=SC2086
	bg busy bash -c "timeout 100 $IN_A '$SOCKCTL' connect $NET_B_IP 4002 \
		-o user-timeout=1500ms --rate 50K/s --json < /dev/zero"
	busy=$pid
	BG_INPUT=open near waits connect 4001 --idle 3 --json
	waits=$pid
	wait_for json serve.err 'len(ev("accept")) == 2'
	wait_for json busy.err 'len(ev("connect")) == 1'
	sleep 0.3
	cut_now
	ends busy "$busy" 5
	ends idle "$idle" 5
	ends waits "$waits" 4
	within busy.err 1.3 30
	json busy.err 'ev("error")[0]["errno"] == "ETIMEDOUT" and last["exit"] == 5
		and ev("close")[0]["reason"] == "timeout"'
	# One second of silence, then three probes a second apart.
	within idle.err 2.5 30
	json idle.err 'ev("close")[0]["reason"] == "timeout" and
		"keepalive" in ev("close")[0]["why"]'
	json waits.err 'ev("close")[0]["reason"] == "idle"'
	wait_for json serve.err 'len(ev("close")) == 2'
	json serve.err 'all(e["reason"] == "timeout" for e in ev("close"))'
	within serve.err 2.5 30
	exec 9>&-
	# Both sides go on with others.
	net_join
	# shellcheck disable=SC2086
	assert_equal "$(echo hello | $IN_A "$SOCKCTL" connect "$NET_B_IP" 4001)" hello
	stop "$serve"
}

@test "a link that stays cut: chat, echo, flood and probe" {
	net_up wire --delay 2ms
	far chat 4001 chat --no-console --keepalive=1,1,2 --json
	# shellcheck disable=SC2086
	bg ann $IN_B "$SOCKCTL" connect 127.0.0.1 4001 --recv-only
	wait_grep '^-- welcome' ann.out
	mkfifo open
	exec 9<> open
	BG_INPUT=open near bob chat 4001 -n bob --keepalive=1,1,2
	bob=$pid
	wait_grep 'is now bob' ann.out
	far "echo" 4002 "echo" --quiet
	near ping "echo" 4002 --count 1000 --interval 50ms -w 1 --json
	ping=$pid
	far flood 4003 flood --quiet
	near load flood 4003 -t 60 --rate 1M/s --deadline 3 --json
	load=$pid
	near lost flood 4003 -t 60 --rate 1M/s -o user-timeout=1000 --json
	lost=$pid
	wait_for json lost.out 'len(ev("connect")) == 1'
	sleep 0.3
	net_cut
	# shellcheck disable=SC2086
	run $IN_A "$SOCKCTL" probe -w 500ms "$NET_B_IP" 4002
	assert_equal "$status" 1
	assert_output --partial filtered
	ends ping "$ping" 4
	ends load "$load" 4
	ends lost "$lost" 5
	ends bob "$bob" 5
	wait_grep 'bob left' ann.out
	exec 9>&-
}
