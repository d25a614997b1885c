#!/usr/bin/env bats
# sockctl flood between two hosts (network namespaces), over links that lose,
# delay, change and end.

load helper/common
load helper/net
bats_require_minimum_version 1.5.0

teardown() {
	common_teardown
	net_down
}

# far FILE OPTION...: flood -p 5001 on host b: $far.
far() {
	local file=$1

	shift
	rm -f far.port
	# shellcheck disable=SC2086
	bg "$file" $IN_B "$SOCKCTL" "${mode:-flood}" -p 5001 --port-file far.port "$@"
	far=$pid
	wait_for test -s far.port
}

near() {
	local file=$1

	shift
	# shellcheck disable=SC2086
	$IN_A "$SOCKCTL" flood --json "$@" "$NET_B_IP" 5001 > "$file" 2> "$file.err"
}

@test "udp: one lost in a hundred is 0.7 to 1.3 %" {
	net_up wire --loss ab:1
	far far -u
	near out -u -n 10000000 --chunk 100 --rate 40mbit
	json out 'last["sent"] == 100000 and last["sent"] == last["received"] + last["lost"]
		and 700 < last["lost"] < 1300 and last["reordered"] == last["duplicates"] == 0'
	[ "$(wire_count ab overflow)" = 0 ] &&
		json out "abs(last['lost'] - $(wire_count ab lost)) <= 3"
	run near out -u -n 1M --rate 40mbit --max-loss 0.1
	assert_equal "$status" 9
	near out -u -n 1M --rate 40mbit --max-loss 5
}

@test "udp: reordered, doubled, lost on the way back" {
	net_up wire --reorder ab:2 --duplicate ab:1
	far far -u
	near out -u -n 2000000 --chunk 100 --rate 10mbit
	json out "last['sent'] == 20000 and last['lost'] == 0
		and abs(last['reordered'] - $(wire_count ab reordered)) <= 20
		and abs(last['duplicates'] - $(wire_count ab duplicated)) <= 2
		and last['reordered'] > 200 and last['duplicates'] > 100"
	# Cookies, ends and answers are lost, too: they are said again.
	wire_tell reorder 0
	wire_tell duplicate 0
	wire_tell loss ba:30
	near out -u -n 100000 --chunk 100 --rate 10mbit
	json out 'last["sent"] == last["received"] == 1000'
	wire_tell loss ba:0
	wire_tell jitter ab:8ms
	near out -u -n 100000 --chunk 1000 --rate 1mbit
	json out '500 < last["jitter_us"] < 8000 and last["lost"] == 0'
}

@test "rr: 10 ms each way are 20" {
	net_up wire --delay 10ms
	mode="echo" far far
	near out --rr -t 1
	json out "20000 <= last['latency_us']['p50'] <= $(is_san && echo 40000 || echo 21000)
		and last['latency_us']['min'] >= 20000 and last['connect_ms'] >= 20"
	near out --crr -n 10
	json out 'last["latency_us"]["min"] >= 40000'
}

@test "what limits: the receiver's window" {
	is_portable && skip "TCP_INFO is not looked at in this build"
	net_up wire --delay 2ms
	far far --rcvbuf 8K
	near out -t 0.7
	json out 'last["limited_by"] == "receiver-window" and "--rcvbuf" in last["advice"]'
}

@test "what limits: the send buffer" {
	is_portable && skip "TCP_INFO is not looked at in this build"
	net_up wire --delay 5ms
	far far
	near out -t 0.7 --sndbuf 8K
	json out 'last["limited_by"] == "send-buffer" and "--sndbuf" in last["advice"]'
}

@test "what limits: a slow link, and --rate" {
	is_portable && skip "TCP_INFO is not looked at in this build"
	net_up
	net_rate a 20mbit
	far far
	near out -t 1
	json out 'last["limited_by"] == "network" and 10e6 < last["bits_per_second"] < 22e6'
	near out -t 1 --rate 5mbit
	json out 'last["limited_by"] == "rate" and 4e6 < last["bits_per_second"] < 6e6'
}

@test "the time is the last acknowledgement's" {
	net_up
	net_rate a 20mbit
	far far
	# 1 MB fits into buffers at once, and takes 0.4 s.
	near out -n 1000000
	json out 'last["elapsed_s"] > 0.35 and last["bits_per_second"] < 23e6'
	mode=serve far far2 --discard -s 10.77.0.2 -p 5002
	$IN_A "$SOCKCTL" flood --json -n 1000000 10.77.0.2 5002 > out
	json out 'last["elapsed_s"] > 0.35 and last["bits_per_second"] < 23e6'
}

@test "losses are retransmitted, and counted" {
	is_portable && skip "TCP_INFO is not looked at in this build"
	net_up wire --loss ab:2
	far far
	near out -n 2M --verify
	json out 'last["retrans"] > 5 and last["bytes"] == 2 << 20'
}

@test "--verify finds what checksums do not" {
	net_up wire --alter ab:1
	far far
	run near out -n 5M --verify
	assert_equal "$status" 8
	wire_tell alter 0
	wire_tell alter ba:1
	run near out -n 5M --verify -R
	assert_equal "$status" 8
}

@test "a client whose link is cut is forgotten, and holds nobody up" {
	net_up wire
	far far --json --keepalive=1,1,2
	bg held $IN_A "$SOCKCTL" flood --hold 3 -t 30 "$NET_B_IP" 5001
	bg sends $IN_A "$SOCKCTL" flood -t 30 "$NET_B_IP" 5001
	wait_for json far.out 'len(ev("accept")) == 4'
	sleep 0.2
	wire_tell cut
	wait_for json far.out 'len(ev("close")) == 4'
	json far.out 'all(e["reason"] in ("timeout", "error", "reset") for e in ev("close"))'
	kill "${COMMON_PIDS[@]: -2}"
	wire_tell join
	near out -n 1M
	json out 'last["bytes"] == 1 << 20'
}

@test "udp: a far side that sends stops when nobody is there any more" {
	net_up wire
	far far -u --json
	bg near $IN_A "$SOCKCTL" flood -u -R -t 60 --rate 1mbit "$NET_B_IP" 5001
	wait_for json far.out 'len(ev("accept")) == 1'
	sleep 0.3
	wire_tell cut
	wait_for json far.out 'ev("close")[0]["reason"] == "idle" and 0 < ev("result")[0]["bytes"] < 10000000'
}
