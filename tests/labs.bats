# labs: each section of sockctl-labs.7, run from the page: its own commands, and
# what it says is seen (tests/helper/lab.py). Measures time, so it runs alone.
load helper/common
load helper/net

PAGE=$SOCKCTL_TOP/man/sockctl-labs.7

setup() {
	common_setup
	PATH=$(dirname "$SOCKCTL"):$PATH
}

teardown() {
	net_down
	common_teardown
}

# Those that mostly sleep begin with the file, and run beside the others.
SLEEPERS="15 27 29"

setup_file() {
	local number

	net_possible || return 0
	touch "$BATS_FILE_TMPDIR/net"
	for number in $SLEEPERS; do
		begin "$number" > /dev/null 2>&1 3>&- &
	done
}

net_possible() {
	(
		net_make
		net_down
	) > /dev/null 2>&1
}

begin() { # begin NUMBER: in the background, its output and end in files
	local dir=$BATS_FILE_TMPDIR/$1 code=0

	mkdir -p "$dir"
	cd "$dir" || return
	export BATS_TEST_TMPDIR=$dir PATH=${SOCKCTL%/*}:$PATH
	trap net_down EXIT
	net_up
	play "$1" > out 2>&1 || code=$?
	echo "$code" > code
}

play() { # play NUMBER: on one host where there are no two
	IN_ONE=${NET_A:+$IN_A}
	export IN_ONE IN_A IN_B WAIT_MAX
	python3 "$SOCKCTL_TOP/tests/helper/lab.py" "$PAGE" "$1" 3>&-
}

# lab NUMBER [alone]: a namespace of its own keeps the page's ports free; alone
# skips where there is none.
lab() {
	local dir=$BATS_FILE_TMPDIR/$1

	if [ -d "$dir" ]; then
		wait_for test -s "$dir/code"
		cat "$dir/out"
		[ "$(cat "$dir/code")" = 0 ]
		return
	fi
	if [ -e "$BATS_FILE_TMPDIR/net" ]; then
		net_up
	elif [ $# -gt 1 ]; then
		skip "network namespaces cannot be made here"
	fi
	play "$1"
}

needs_tcpinfo() {
	is_portable && skip "needs TCP_INFO"
	return 0
}

@test "1: a TCP pair" {
	lab 1
}

@test "2: who is calling" {
	lab 2
}

@test "3: one of many addresses" {
	lab 3
}

@test "4: request and reply" {
	lab 4
}

@test "5: a process for each client" {
	lab 5
}

@test "6: sending files" {
	lab 6
}

@test "7: echo, one client after the other" {
	lab 7
}

@test "8: echo, many clients at once" {
	lab 8
}

@test "9: a chat room over UDP" {
	lab 9
}

@test "10: a message server" {
	lab 10
}

@test "11: something to send to" {
	lab 11
}

@test "12: through an HTTP proxy" {
	lab 12
}

@test "13: port in use" {
	lab 13
}

@test "14: nobody there" {
	lab 14 alone
}

@test "15: no answer to SYN" {
	lab 15 alone
}

@test "16: the peer ends" {
	needs_tcpinfo
	lab 16
}

@test "17: starting again at once" {
	lab 17
}

@test "18: the client's port again" {
	lab 18
}

@test "19: 20 bytes, 2 at a time" {
	lab 19
}

@test "20: writing until it blocks" {
	needs_tcpinfo
	lab 20
}

@test "21: buffer sizes" {
	lab 21
}

@test "22: who reads first" {
	lab 22
}

@test "23: the backlog" {
	lab 23
}

@test "24: gone before accept" {
	needs_tcpinfo
	lab 24
}

@test "25: half-close" {
	needs_tcpinfo
	lab 25
}

@test "26: abort" {
	needs_tcpinfo
	lab 26
}

@test "27: half-open" {
	needs_tcpinfo
	lab 27 alone
}

@test "28: urgent data" {
	lab 28
}

@test "29: retransmission" {
	needs_tcpinfo
	lab 29 alone
}

@test "30: Nagle and delayed ACK" {
	lab 30
}

@test "31: what was negotiated" {
	needs_tcpinfo
	lab 31
}

@test "32: congestion control" {
	needs_tcpinfo
	lab 32 alone
}

@test "33: too many open files" {
	lab 33
}

@test "34: the edges of datagrams" {
	lab 34
}

@test "35: scatter and gather" {
	lab 35
}

# The page's own lines, with names that are nobody else's.
two_hosts() { # two_hosts HEAD
	awk -v head="# $1" '$0 == head { on = 1 } /^\.Ed/ { on = 0 } on' "$PAGE" |
		sed -e 's/\\-/-/g' -e "s/\<netns \(add \|del \|\)a\>/netns \1$NET_A/g" \
			-e "s/\<netns \(add \|del \|\)b\>/netns \1$NET_B/g" \
			-e "s/ip -n a\>/ip -n $NET_A/; s/ip -n b\>/ip -n $NET_B/"
}

@test "two hosts are made and removed as the page says" {
	[ -e "$BATS_FILE_TMPDIR/net" ] || skip "network namespaces cannot be made here"
	NET_A=sct-$BASHPID-$RANDOM-a
	NET_B=${NET_A%a}b
	run bash -ec "$(two_hosts "as root")"
	assert_success
	IN_B="nsenter --net=/run/netns/$NET_B"
	# shellcheck disable=SC2086 # a command of words
	bg s $IN_B "$SOCKCTL" serve -p 4000 -1 --script 'send "there"; close'
	run nsenter "--net=/run/netns/$NET_A" "$SOCKCTL" connect --quiet \
		--retry 40,50ms --recv-only 10.77.0.2 4000
	assert_output there
	ended "$pid"
	run bash -ec "$(two_hosts "as root, at the end")"
	assert_success
	NET_A=
}

@test "every section of the page has its test" {
	local there tested

	there=$(grep -c '^\.Ss [0-9]*\. ' "$PAGE")
	tested=$(grep -c '^	lab [0-9]' "$BATS_TEST_FILENAME")
	assert_equal "$there" 35
	assert_equal "$tested" 35
}
