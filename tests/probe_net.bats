#!/usr/bin/env bats
# probe between two hosts: what a firewall, a route, a dead host look like, and
# scans of a whole host, judged by others.

load helper/common
load helper/net

teardown() {
	common_teardown
	net_down
}

# on HOST NAME COMMAND...: in the background on a or b
on() {
	local host=$1 name=$2

	shift 2
	if [ "$host" = a ]; then
		# shellcheck disable=SC2086 # words are wanted
		bg "$name" $IN_A "$@"
	else
		# shellcheck disable=SC2086
		bg "$name" $IN_B "$@"
	fi
}

# hosts LINE...: what the names mean for commands run by $NAMED
hosts() {
	printf '%s\n' "$@" > hosts
	NAMED="unshare --mount sh -c 'mount --bind $PWD/hosts /etc/hosts && exec \"\$@\"' sh"
}

# reject PROTOCOL PORT WITH: what host b says
reject() {
	net_iptables b -p "$1" --dport "$2" -j REJECT --reject-with "$3"
}

@test "probe: filtered, unreachable and closed are told apart" {
	net_up
	net_sysctl a net.ipv4.tcp_syn_linear_timeouts 4
	net_sysctl a net.ipv4.neigh.eth0.retrans_time_ms 50
	net_drop b -p tcp --dport 1001
	reject tcp 1002 icmp-host-prohibited
	reject tcp 1003 tcp-reset
	reject tcp 1004 icmp-port-unreachable
	on b up "$SOCKCTL" serve -p 1005
	wait_grep listening up.err
	net_in a "$SOCKCTL" probe --json -w 1.5 "$NET_B_IP" 1000-1005 > j
	json j "[e['state'] for e in ev('port')] == 'closed filtered unreachable closed closed open'.split()
		and (last['open'], last['closed'], last['filtered'], last['unreachable']) == (1, 3, 1, 1)
		and ev('port')[1]['rtt_ms'] is None and ev('port')[2]['rtt_ms'] is None"
	is_portable ||
		json j "ev('port')[1]['why'] == 'SYN sent 2 times, no answer'"
	# Nobody has this address; there is no way to that one.
	net_in a "$SOCKCTL" probe --json -w 3 10.77.0.99,192.0.2.1 80 > j && false
	json j "[e['state'] for e in ev('port')] == ['unreachable'] * 2"
	json j "'no route' in ev('port')[1]['why'] and 'ARP' in ev('port')[0]['why']"
	# The error of a wait that is over names it, too.
	run net_in a "$SOCKCTL" probe --quiet --wait 0.3 -w 0.1 "$NET_B_IP" 1001
	assert_failure 4
	assert_output --partial "wait $NET_B_IP:1001: filtered after 300 ms"
	is_portable || assert_output --partial 'SYN sent 1 time'
}

@test "probe: what this host's own firewall says is heard within -w" {
	net_up
	net_drop a -p tcp --dport 1001
	net_iptables a -p tcp --dport 1002 -j REJECT --reject-with icmp-host-prohibited
	net_iptables a -p tcp --dport 1003 -j REJECT
	net_in a "$SOCKCTL" probe --json -w 0.3 127.0.0.1 1000-1003 > j && false
	json j "[e['state'] for e in ev('port')] ==
		'closed filtered unreachable closed'.split()"
}

@test "probe -u: ICMP is heard from another host" {
	net_up
	net_drop b -p udp --dport 1001
	reject udp 1002 icmp-host-prohibited
	net_in a "$SOCKCTL" probe -u --json -w 0.3 "$NET_B_IP" 1000-1002 > j && false
	json j "[e['state'] for e in ev('port')][:2] == ['closed', 'open-filtered']"
	is_portable || json j "ev('port')[2]['state'] == 'unreachable'"
}

@test "probe: a name's addresses are tried in turn, a slow one holds up nothing" {
	net_up
	needs unshare
	net_in b ip addr add 10.77.0.3/24 dev eth0
	net_drop b -d 10.77.0.2 -p tcp --dport 1000
	on b up "$SOCKCTL" serve -p 1000 -s 10.77.0.3
	wait_grep listening up.err
	hosts "10.77.0.2 twin" "10.77.0.3 twin"
	eval "net_in a $NAMED \"$SOCKCTL\" probe --json -w 10 twin 1000" > j
	json j "len(ev('port')) == 1 and ev('port')[0]['state'] == 'open'"
	json j "ev('port')[0]['addr'] == '10.77.0.3' and ev('port')[0]['host'] == 'twin'"
	json j "last['elapsed_s'] < 8 and last['ports'] == 1"
	# Closed on both, but the first one says nothing.
	eval "net_in a $NAMED \"$SOCKCTL\" probe --json -w 0.5 twin 1000,999" > j && false
	json j "[e['state'] for e in ev('port')] == ['closed', 'open']"
}

@test "probe --wait: a name that does not resolve yet, then does" {
	net_up
	needs unshare
	on b up "$SOCKCTL" serve -p 1000
	wait_grep listening up.err
	hosts "10.77.0.1 other"
	bg w bash -c "exec nsenter --net=/run/netns/$NET_A $NAMED '$SOCKCTL' probe \
		-v --wait 30 late 1000"
	wait_grep 'late:1000 error' w.err
	echo '10.77.0.2 late' >> hosts
	ended "$pid"
	[ "$code" = 0 ]
	grep -q '^late 1000/tcp open .* error, .* open)' w.out
}

@test "probe: a whole host, as nmap sees it, and nothing is left behind" {
	net_up
	needs nmap
	on b py python3 -m http.server 8000
	local port pids=()
	for port in 22 443 33333 65535; do
		on b "s$port" "$SOCKCTL" serve -p "$port"
		wait_grep listening "s$port.err"
	done
	wait_for net_in b sh -c 'grep -q ":1F40 .* 0A " /proc/net/tcp'
	# With few descriptors, over loopback and from another host.
	for host in "b 127.0.0.1" "a $NET_B_IP"; do
		# shellcheck disable=SC2086 # words are wanted
		set -- $host
		net_in "$1" bash -c 'ulimit -n 256; "$@"' sh "$SOCKCTL" probe \
			--json "$2" - > j
		json j "[e['port'] for e in ev('port') if e['state'] == 'open']
			== [22, 443, 8000, 33333, 65535] and last['open'] == 5
			and len(ev('port')) == last['ports'] == 65535
			and last['closed'] == 65530"
	done
	net_in b nmap -sT -n -Pn -T5 -p- --min-rate 100000 -oG - 127.0.0.1 |
		grep -o '[0-9]*/open' | cut -d / -f 1 > seen
	[ "$(tr '\n' ' ' < seen)" = "22 443 8000 33333 65535 " ]
	for host in a b; do
		net_in "$host" cat /proc/net/tcp > tcp
		run grep -c ' 06 0' tcp
		assert_output 0
	done
	kill -0 "$pid"
	run net_in b "$SOCKCTL" probe --expect 200 --send 'HEAD / HTTP/1.0\r\n\r\n' \
		127.0.0.1 8000
	assert_success
}

# With so few local ports a connection soon meets itself.
@test "probe: a port that only connected to itself is closed" {
	net_up
	net_sysctl b net.ipv4.ip_local_port_range '40000 40007' ||
		skip "the range cannot be set here"
	net_in b "$SOCKCTL" probe --json --count 40 --interval 0 127.0.0.1 \
		40000-40007 > j && false
	json j "last['open'] == 0 and all(e['ok'] == 0 for e in ev('port'))"
}

@test "probe -u: a real service says what it is" {
	net_up
	needs dnsmasq
	on b dns dnsmasq --no-daemon --no-resolv --no-hosts --user=root \
		--port=5353 --address=/x/192.0.2.7
	local query='\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01x\x00\x00\x01\x00\x01'
	wait_for net_in a "$SOCKCTL" probe -u -w 0.5 --send "$query" \
		--expect '\xc0\x00\x02\x07' "$NET_B_IP" 5353
	run net_in a "$SOCKCTL" probe -w 0.5 "$NET_B_IP" 5353
	assert_success
}
