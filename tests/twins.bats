#!/usr/bin/env bats
# What only Linux has, and the portable twins (make PORTABLE=1): the same
# results, each by itself and one talking to the other.

load helper/common

setup() {
	common_setup
	needs make sha256sum
	is_portable && skip "this is the portable build"
	twin=$SOCKCTL_TOP/build/cc-portable/sockctl
	[ -w "$SOCKCTL_TOP/build" ] || skip "cannot build in $SOCKCTL_TOP"
	# Built anew where it is not of these sources; not of these flags.
	env -u MAKEFLAGS -u MAKELEVEL -u SAN make -s -C "$SOCKCTL_TOP" \
		PORTABLE=1 WERROR=1 CC=cc build/cc-portable/sockctl 3>&-
	head -c 3000000 /dev/urandom > data
}

# each FUNCTION: FUNCTION SERVER CLIENT for all four pairs; what it writes to
# standard output is the same for all.
each() {
	local s c

	for s in "$SOCKCTL" "$twin"; do
		for c in "$SOCKCTL" "$twin"; do
			"$1" "$s" "$c" > result || return 1
			[ -e first ] || cp result first
			diff first result || fail "$1 $s $c differs"
		done
	done
	assert_file_not_empty first
}

# with PROGRAM NAME MODE OPTION...: server of another program.
with() {
	local SOCKCTL=$1

	shift
	server "$@"
}

# What an event log says, without what differs from run to run.
told() {
	python3 - "$@" <<- 'END'
		import json, sys
		vary = ("ts", "pid", "ms", "_s", "peer", "local", "addr", "port",
		        "id", "congestion", "rate", "per_second", "state",
		        "retrans", "rtt", "us", "limited_by", "path", "first",
		        "why")
		def plain(v, name=""):
		    if any(name == w or name.endswith(w) for w in vary):
		        return "?"
		    if isinstance(v, dict):
		        return {k: plain(x, k) for k, x in sorted(v.items())}
		    return v
		for file in sys.argv[1:]:
		    for line in open(file):
		        print(json.dumps(plain(json.loads(line))))
	END
}

exchange() {
	with "$1" s serve --once --reply data --json
	"$2" connect -v --json --stats 127.0.0.1 "$port" < data > got 2> c.log ||
		return 1
	ended "$pid"
	echo "$code"
	cmp data got || return 1
	cmp data s.out || return 1
	told c.log s.err | grep -v -e tcpinfo -e half-close
}

@test "twins: a connection both ways" {
	each exchange
}

carry() {
	rm -rf in
	mkdir in
	with "$1" r recvfile --once -d in --json
	"$2" sendfile --json 127.0.0.1 "$port" data > s.log 2>&1 || return 1
	ended "$pid"
	echo "$code"
	cmp data in/data || return 1
	told s.log | grep -v progress
}

@test "twins: a file" {
	each carry
}

# Spliced, or copied.
joined() {
	with "$1" b serve --reply data --once --json
	with "$2" f serve --forward "127.0.0.1:$port" --once --json
	"$SOCKCTL" connect --recv-only 127.0.0.1 "$port" > got || return 1
	ended "$pid"
	echo "$code"
	cmp data got || return 1
	told f.err | grep -v connect
	printf x | "$2" connect -q 0 "unix:$PWD/none" 2> refused
	echo $?
}

@test "twins: --forward" {
	each joined
}

datagrams() {
	with "$1" e echo -u --json
	"$2" echo -u --count 20 --interval 10ms --json 127.0.0.1 "$port" > c.log ||
		return 1
	stop "$pid"
	echo "$code"
	told c.log | tail -n 1
}

@test "twins: datagrams" {
	each datagrams
}

measured() {
	with "$1" m flood --json
	"$2" flood --verify --workers 1 -n 4M --json 127.0.0.1 "$port" \
		> c.log || return 1
	stop "$pid"
	echo "$code"
	python3 - <<- 'END'
		import json
		last = json.loads(open("c.log").read().splitlines()[-1])
		print(last["bytes"], last["errors"], last["exit"], sorted(last))
	END
}

@test "twins: flood, checked byte by byte" {
	each measured
}

looked() {
	with "$1" p serve --discard
	"$2" probe --json 127.0.0.1 "$port,1" > c.log
	echo $?
	told c.log
}

@test "twins: probe" {
	each looked
}
