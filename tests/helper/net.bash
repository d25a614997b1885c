# net: two hosts for a test: network namespaces joined by a veth pair or by
# wire (tests/helper/wire.c), with what a link does wrong.
#
#	net_up                   a veth pair
#	net_up wire [OPTION...]  a wire, with its options (--delay 10ms ...)
#	net_down                 in teardown; harmless when nothing was made
#	$IN_A COMMAND...         runs on host a: "$IN_A sockctl ... & pid=$!" is
#	$IN_B COMMAND...         the command's own pid
#
# Host a is 10.77.0.1 and fd77::1, host b 10.77.0.2 and fd77::2; the device is
# eth0 in both, congestion control is reno unless net_sysctl changes it. Where
# namespaces cannot be made the test is skipped.
#
#	net_loss a|b PERCENT     it loses so much of what comes in
#	net_drop a|b MATCH...    incoming packets are dropped, as in
#	net_reject a|b MATCH...    net_drop b -p tcp --dport 80 --syn
#	net_clear a|b            none of the three any more
#	net_rate a|b RATE        what it sends is limited by tc tbf (10mbit)
#	net_sysctl a|b NAME VALUE
#	net_cut, net_join        the link, of either kind
#	wire_tell COMMAND...     to a wire; returns when it was done
#	wire_count ab|ba NAME    prints a count of the wire: lost, seen, ...

NET_A_IP=10.77.0.1
NET_B_IP=10.77.0.2
NET_A_IP6=fd77::1
NET_B_IP6=fd77::2

# Leaves both namespaces made, or skips the test.
net_make() {
	NET_A="sct-$BASHPID-$RANDOM-a"
	NET_B="${NET_A%a}b"
	if ! ip netns add "$NET_A" 2>/dev/null; then
		NET_A=
		skip "network namespaces cannot be made here"
	fi
	if ! ip netns add "$NET_B" ||
		! ip link add eth0 netns "$NET_A" type veth \
			peer name eth0 netns "$NET_B"; then
		skip "veth pairs cannot be made here"
	fi
	IN_A="nsenter --net=/run/netns/$NET_A"
	IN_B="nsenter --net=/run/netns/$NET_B"
}

net_up() {
	net_make 2>/dev/null
	if [ "${1-}" = wire ]; then
		ip -n "$NET_A" link del eth0
		wire_up "${@:2}" || return 1
	fi
	net_address a "$NET_A_IP" "$NET_A_IP6"
	net_address b "$NET_B_IP" "$NET_B_IP6"
}

net_name() {
	if [ "$1" = a ]; then echo "$NET_A"; else echo "$NET_B"; fi
}

net_in() {
	local name

	name=$(net_name "$1")
	nsenter "--net=/run/netns/$name" "${@:2}"
}

net_address() {
	net_sysctl "$1" net.ipv4.tcp_congestion_control reno || true
	net_in "$1" ip link set lo up
	net_in "$1" ip addr add "$2/24" dev eth0
	net_in "$1" ip -6 addr add "$3/64" dev eth0 nodad 2>/dev/null || true
	net_in "$1" ip link set eth0 txqueuelen 10000 up
}

net_down() {
	if [ -n "${WIRE_PID-}" ]; then
		kill "$WIRE_PID" 2>/dev/null || true
		wait "$WIRE_PID" 2>/dev/null || true
		exec {WIRE_IN}>&- {WIRE_OUT}<&-
		WIRE_PID=
	fi
	if [ -n "${NET_A-}" ]; then
		ip netns del "$NET_A" 2>/dev/null || true
		ip netns del "$NET_B" 2>/dev/null || true
		NET_A=
	fi
}

net_iptables() {
	net_in "$1" iptables -w -A INPUT "${@:2}" ||
		skip "iptables cannot do this here: ${*:2}"
}

net_loss() {
	local p

	p=$(awk "BEGIN { printf \"%.6f\", $2 / 100 }")
	net_iptables "$1" -m statistic --mode random --probability "$p" -j DROP
}

net_drop() {
	net_iptables "$@" -j DROP
}

net_reject() {
	net_iptables "$@" -j REJECT
}

net_clear() {
	net_in "$1" iptables -w -F INPUT
}

net_rate() {
	net_in "$1" tc qdisc replace dev eth0 root tbf rate "$2" \
		burst 16kb latency 50ms || skip "tc tbf is not there"
}

net_sysctl() {
	net_in "$1" sh -c 'echo "$2" >"/proc/sys/$(echo "$1" | tr . /)"' \
		sh "$2" "$3" 2>/dev/null
}

# A veth link is cut by taking the packets away, so that addresses and routes
# stay, as they do when a cable far away breaks.
net_cut() {
	if [ -n "${WIRE_PID-}" ]; then
		wire_tell cut
		return
	fi
	net_in a iptables -w -I INPUT -i eth0 -j DROP
	net_in b iptables -w -I INPUT -i eth0 -j DROP
}

net_join() {
	if [ -n "${WIRE_PID-}" ]; then
		wire_tell join
		return
	fi
	net_in a iptables -w -D INPUT -i eth0 -j DROP
	net_in b iptables -w -D INPUT -i eth0 -j DROP
}

# The program that make built, else one that is made once a run of the tests.
wire_program() {
	local dir=${BATS_RUN_TMPDIR:-/tmp}
	local source

	if [ -x "${SOCKCTL_OUT-}/helper/wire" ]; then
		echo "$SOCKCTL_OUT/helper/wire"
		return
	fi
	source=$(dirname "${BASH_SOURCE[0]}")/wire.c
	if [ ! -x "$dir/wire" ]; then
		"${CC:-cc}" -std=c11 -O2 -D_GNU_SOURCE -o "$dir/wire.$BASHPID" \
			"$source" && mv "$dir/wire.$BASHPID" "$dir/wire" ||
			return 1
	fi
	echo "$dir/wire"
}

wire_up() {
	local program line
	local dir=${BATS_TEST_TMPDIR:?}

	[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
	program=$(wire_program) || return 1
	mkfifo "$dir/wire.in" "$dir/wire.out"
	exec {WIRE_IN}<>"$dir/wire.in" {WIRE_OUT}<>"$dir/wire.out"
	"$program" "$@" "tap:eth0@$NET_A" "tap:eth0@$NET_B" \
		<"$dir/wire.in" >"$dir/wire.out" 3>&- &
	WIRE_PID=$!
	read -r -t 10 line <&"$WIRE_OUT" && [ "$line" = ready ]
}

wire_tell() {
	echo "$*" >&"$WIRE_IN"
	while read -r -t 10 WIRE_LINE <&"$WIRE_OUT"; do
		case $WIRE_LINE in
		ok) return 0 ;;
		what*) return 1 ;;
		*) WIRE_STATS=$WIRE_LINE ;;
		esac
	done
	return 1
}

wire_count() {
	wire_tell stats || return 1
	echo "$WIRE_STATS" | sed "s/.*$1 [^b]*\b$2=\([0-9]*\).*/\1/"
}
