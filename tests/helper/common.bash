# common: what every test file begins with: load helper/common
#
#	$SOCKCTL                  the program (from the environment, or ./sockctl)
#	$SOCKCTL_TOP, $SOCKCTL_OUT  the source folder; the folder of objects, with
#	                          unit/, replay/ and helper/ programs
#	cd                        each test runs in its own folder
#	                          ($BATS_TEST_TMPDIR)
#
#	wait_for COMMAND...       until it succeeds; fails after WAIT_MAX (20) s
#	wait_grep TEXT FILE       until FILE has a line with TEXT
#	bg FILE COMMAND...        in the background: $pid; FILE.out and FILE.err
#	                          are its streams, standard input is /dev/null
#	                          (or what BG_INPUT names, a fifo for one)
#	server FILE MODE OPTION...  the same for sockctl with -p 0: waits for its
#	                          port: $port
#	ended PID                 waits for its end: $code
#	stop PID [SIGNAL]         the same after a signal (TERM)
#	run_err COMMAND...        bats's run with $output and $stderr apart
#	needs PROGRAM...          skips the test where one is missing
#	needs_ipv6                skips it where ::1 cannot be bound
#	is_san, is_portable       which build this is
#	json FILE EXPRESSION      true when python's EXPRESSION holds; events is the
#	                          list of FILE's objects, last the last one, ev(name)
#	                          those of an event
#	cpu_ms PID                CPU time used so far
#
# What bg started is ended in teardown, by its id; a test file with a teardown
# of its own calls common_teardown in it.

bats_require_minimum_version 1.5.0

SOCKCTL_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SOCKCTL=${SOCKCTL:-$SOCKCTL_TOP/sockctl}
SOCKCTL_OUT=${SOCKCTL_OUT:-$(dirname "$(find "$SOCKCTL_TOP/build" \
	-samefile "$SOCKCTL" -name sockctl 2> /dev/null | head -n 1)")}
WAIT_MAX=${WAIT_MAX:-20}
case $SOCKCTL_OUT in *-san*) WAIT_MAX=$((WAIT_MAX * 2)) ;; esac
export LC_ALL=C.UTF-8
# A leak is told by its own exit code, not by one of sockctl's.
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# A version manager's shim costs half a second a call.
case $(command -v python3) in
*/shims/*) [ ! -x /usr/bin/python3 ] || PATH=/usr/bin:$PATH ;;
esac

for common_folder in ${BATS_LIB_PATH:+"${BATS_LIB_PATH%%:*}"} /usr/lib/bats \
	/usr/share/bats /usr/local/lib /usr/lib "$SOCKCTL_TOP/build/bats"; do
	[ -e "$common_folder/bats-support/load.bash" ] && break
done
for common_library in bats-support bats-assert bats-file; do
	# shellcheck source=/dev/null
	source "$common_folder/$common_library/load.bash"
done

setup() {
	common_setup
}

teardown() {
	common_teardown
}

common_setup() {
	COMMON_PIDS=()
	cd "$BATS_TEST_TMPDIR" || return 1
}

common_teardown() {
	local id

	for id in "${COMMON_PIDS[@]}"; do
		kill "$id" 2> /dev/null || continue
	done
	for id in "${COMMON_PIDS[@]}"; do
		common_reap "$id"
	done
}

# Two seconds for a polite end, then no more.
common_reap() {
	local i

	for ((i = 0; i < 40; i++)); do
		kill -0 "$1" 2> /dev/null || break
		sleep 0.05
	done
	kill -KILL "$1" 2> /dev/null
	wait "$1" 2> /dev/null
	return 0
}

wait_for() {
	local end=$((SECONDS + WAIT_MAX))

	until "$@" > /dev/null 2>&1; do
		if ((SECONDS > end)); then
			fail "waited $WAIT_MAX s in vain for: $*"
			return 1
		fi
		sleep 0.02
	done
}

common_grep() {
	grep -q -e "$1" "$2"
}

wait_grep() {
	wait_for common_grep "$1" "$2" || {
		echo "--- $2 is:"
		cat "$2" 2> /dev/null
		return 1
	}
}

# Descriptor 3 is bats's own: a child that kept it would hold up the end.
bg() {
	local name=$1

	shift
	# Now, not when the child gets there: what an earlier one of that name
	# said is not waited for.
	: > "$name.out"
	: > "$name.err"
	"$@" < "${BG_INPUT:-/dev/null}" > "$name.out" 2> "$name.err" 3>&- &
	pid=$!
	COMMON_PIDS+=("$pid")
}

server() {
	local name=$1 mode=$2

	shift 2
	rm -f "$name.port"
	bg "$name" "$SOCKCTL" "$mode" -p 0 --port-file "$name.port" "$@"
	common_started "$pid" "$name.port" || {
		echo "--- no port; $name.err is:"
		cat "$name.err"
		return 1
	}
	port=$(cat "$name.port")
}

# The port file is there, or the server is gone without.
common_started() {
	local end=$((SECONDS + WAIT_MAX))

	until [ -s "$2" ]; do
		kill -0 "$1" 2> /dev/null && ((SECONDS <= end)) || return 1
		sleep 0.02
	done
}

common_gone() {
	! kill -0 "$1" 2> /dev/null || grep -q '^State:.*Z' "/proc/$1/status"
}

ended() {
	wait_for common_gone "$1" || return 1
	code=0
	wait "$1" || code=$?
	return 0
}

stop() {
	kill -"${2:-TERM}" "$1"
	ended "$1"
}

run_err() {
	# shellcheck disable=SC2034 # they are run's
	run --separate-stderr "$@"
}

needs() {
	local program

	for program; do
		command -v "$program" > /dev/null || skip "no $program here"
	done
}

needs_ipv6() {
	[ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6 ||
		skip "no IPv6 here"
}

is_san() {
	[[ $SOCKCTL_OUT == *-san* ]]
}

is_portable() {
	[[ $SOCKCTL_OUT == *-portable* ]]
}

json() {
	python3 - "$1" "$2" <<- 'END'
		import json, sys
		events = [json.loads(line) for line in open(sys.argv[1])]
		last = events[-1] if events else None
		def ev(name):
		    return [e for e in events if e["event"] == name]
		if not eval("(" + sys.argv[2] + ")"):
		    print("does not hold:", sys.argv[2])
		    print(open(sys.argv[1]).read())
		    sys.exit(1)
	END
}

cpu_ms() {
	awk -v hz="$(getconf CLK_TCK)" \
		'{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / hz }' \
		"/proc/$1/stat"
}
