#!/usr/bin/env bats
# Every server against peers that mean no good, many at once: others are served
# meanwhile; when they are gone nothing of them is kept, and nobody is busy.
# Every client against servers of that kind. FULL=1 does more of it, much
# longer; tests/README.md says what was seen.

load helper/common
load helper/net

HOSTILE="$SOCKCTL_TOP/tests/helper/hostile.py"

setup() {
	common_setup
	declare -gA server ports kinds descriptors
	mkfifo go
	exec 9<> go
	mkdir in
	head -c 300000 /dev/urandom > data
	printf abc > small
}

teardown() {
	exec 9>&-
	common_teardown
	net_down
}

# many SMALL FULL: how many.
many() {
	if [ -n "${FULL-}" ]; then echo "$2"; else echo "$1"; fi
}

# start NAME KIND MODE OPTION...: KIND is a word of hostile.py's TALK.
start() {
	local name=$1

	kinds[$name]=$2
	server "$name" "${@:3}" --quiet
	server[$name]=$pid
	ports[$name]=$port
	descriptors[$name]=$(count_descriptors "$name")
}

count_descriptors() {
	find "/proc/${server[$1]}/fd" -type l | wc -l
}

start_all() {
	start "echo" bytes "echo"
	start reverse lines "echo" --reverse
	start talk bytes serve
	start discard bytes serve --discard
	start reply bytes serve --reply data
	start broker bytes serve --broker
	start forward bytes serve --forward "127.0.0.1:${ports[echo]}"
	start command bytes serve --exec cat
	# To dump much takes long; so it has small queues.
	start watched bytes serve --exec cat -x /dev/null --sndbuf 32K \
		--rcvbuf 32K
	start chat chat chat --no-console
	start recvfile file recvfile -d in --rename
	start sendfile give sendfile small
	start flood flood flood --workers 1
}

client() {
	timeout 60 "$SOCKCTL" "$1" 127.0.0.1 "${ports[$name]}" "${@:2}"
}

# good NAME: one that means well is served.
good() {
	local name=$1

	case $name in
	"echo" | forward | command | watched)
		client "echo" --count 3 --size 500 -w 40 --quiet
		;;
	reverse)
		[ "$(printf 'abc\n' | client connect)" = cba ]
		;;
	talk | discard | broker)
		echo hello | client connect -q 0
		;;
	reply)
		client connect < /dev/null | cmp - data
		;;
	chat)
		printf '/quit\n' | client connect | grep -q '^-- welcome'
		;;
	recvfile)
		client sendfile data --as good --quiet
		;;
	sendfile)
		client recvfile -O - --quiet | cmp - small
		;;
	flood)
		client flood -n 100000 --verify --quiet
		;;
	esac || fail "$name: one that means well is not served"
}

good_all() {
	local name

	for name in "${!server[@]}"; do
		good "$name"
	done
}

alone_again() {
	(($(count_descriptors "$1") <= descriptors[$1]))
}

cpu_of_all() {
	local name sum=0

	for name in "${!server[@]}"; do
		sum=$((sum + $(cpu_ms "${server[$name]}" | cut -d . -f 1)))
	done
	echo "$sum"
}

rss() {
	awk '/^VmRSS/ { print $2 }' "/proc/${server[$1]}/status"
}

# Nothing is left of them, and nobody is busy.
unharmed() {
	local name before

	for name in "${!server[@]}"; do
		kill -0 "${server[$name]}" || fail "$name is gone: $(cat "$name.err")"
		wait_for alone_again "$name" ||
			fail "$name holds $(count_descriptors "$name") descriptors, not ${descriptors[$name]}"
		is_san || (($(rss "$name") < 32768)) ||
			fail "$name holds $(rss "$name") KiB"
	done
	before=$(cpu_of_all)
	sleep 0.5
	(($(cpu_of_all) - before < 200)) || fail "somebody is busy with nobody"
	good_all
}

# attack NAME N: at all servers; meanwhile others are served.
attack() {
	local name pairs=()

	for name in "${!server[@]}"; do
		pairs+=("${kinds[$name]}:${ports[$name]}")
	done
	BG_INPUT=go bg "$1" timeout 3000 python3 "$HOSTILE" "$1" "$2" "${pairs[@]}"
	case $1 in
	slow | stuck)
		WAIT_MAX=1000 wait_grep '^under way' "$1.out" || fail "$(cat "$1.err")"
		good_all
		echo >&9
		;;
	esac
	WAIT_MAX=3000 ended "$pid"
	[ "$code" = 0 ] || fail "$1: $(cat "$1.err")"
	unharmed
}

@test "hostile: slow ones, a byte at a time" {
	start_all
	# A command is for 64 at most at one time.
	[ -z "${FULL-}" ] || unset 'server[command]' 'server[watched]'
	INTERVAL=$(many 0.05 1) attack slow "$(many 30 1000)"
}

@test "hostile: they ask for much and read nothing" {
	start_all
	attack stuck "$(many 3 50)"
}

@test "hostile: they connect and leave" {
	start_all
	# A process for each would take an hour.
	[ -z "${FULL-}" ] || unset 'server[command]' 'server[watched]'
	attack churn "$(many 200 100000)"
}

@test "hostile: endless lines and names" {
	start_all
	attack giant "$(many 4 256)"
}

@test "hostile: all is urgent" {
	start_all
	attack urgent "$(many 3 50)"
}

@test "hostile: FIN and RST behind every byte that a client says" {
	start_all
	# Behind each byte, or each fifth one.
	attack cuts "$(many 5 1)"
	# What a peer only began has no name.
	[ "$(find in -type f ! -name '.*' ! -name 'g*')" = "" ]
	find in -name 'g*' ! -name 'good*' -size -3c | assert_equal "$(cat)" ""
}

@test "hostile: datagrams of all sizes from many addresses" {
	start echo bytes "echo" -u --idle 1
	start discard bytes serve -u --discard --idle 1
	start forward bytes serve -u --forward "udp:127.0.0.1:${ports[echo]}" \
		--idle 1
	start chat chat chat -u --no-console --idle 1
	start flood flood flood -u --workers 1
	BG_INPUT=/dev/null bg datagrams python3 "$HOSTILE" datagrams \
		"$(many 200 20000)" "bytes:${ports[echo]}" \
		"bytes:${ports[discard]}" "bytes:${ports[forward]}" \
		"chat:${ports[chat]}" "flood:${ports[flood]}"
	WAIT_MAX=600 ended "$pid"
	[ "$code" = 0 ] || fail "$(cat datagrams.err)"
	good() {
		local name=$1

		case $1 in
		"echo" | forward) client "echo" -u --count 3 -w 20 --quiet ;;
		discard) echo x | client connect -u -q 0 ;;
		# No more is answered than was sent.
		chat) printf '%64s\n' x | client connect -u | grep -q '^-- enter' ;;
		flood) client flood -u -n 10000 --rate 8mbit --quiet ;;
		esac || fail "$1 -u: one that means well is not served"
	}
	unharmed
}

# Two hosts: what the server answers to a SYN never arrives.
@test "hostile: connections half open" {
	local far

	net_up
	net_drop a -p tcp --dport 20000:29999 --tcp-flags SYN,ACK SYN,ACK
	# shellcheck disable=SC2086
	bg far $IN_B "$SOCKCTL" "echo" -p 4000 --backlog 64 --port-file far.port \
		--json
	far=$pid
	wait_for test -s far.port
	# shellcheck disable=SC2086
	BG_INPUT=go bg half-open $IN_A python3 "$HOSTILE" half-open \
		"$(many 1000 9000)" "$NET_B_IP:4000" 20000
	wait_grep '^under way' half-open.out || fail "$(cat half-open.err)"
	# shellcheck disable=SC2086
	timeout 60 $IN_A "$SOCKCTL" "echo" "$NET_B_IP" 4000 --count 3 -w 40 --quiet
	echo >&9
	ended "$pid"
	stop "$far"
	json far.err 'len(ev("accept")) == 1 and not ev("error")'
}

# answered WORD CODES COMMAND...: by each beginning of that, it ends, with one
# of those codes.
answered() {
	local word=$1 codes=$2 status

	shift 2
	rm -f peer.port
	bg peer timeout 600 python3 "$HOSTILE" answers peer.port "$word" \
		"$(many 13 1)"
	wait_for test -s peer.port
	until grep -q '^over' peer.out; do
		status=0
		timeout 60 "${@//PORT/$(cat peer.port)}" > /dev/null 2> err \
			< small || status=$?
		# The last one may come when there is nobody any more.
		grep -q '^over' peer.out || [[ " $codes " == *" $status "* ]] ||
			fail "$* against $word: exit $status: $(cat err)"
		kill -0 "$pid" 2> /dev/null || sleep 0.1
		kill -0 "$pid" 2> /dev/null || grep -q '^over' peer.out ||
			fail "$(cat peer.err)"
	done
}

@test "hostile: answers that end, by FIN and RST, wherever they can" {
	answered socks "0 1 5 8" "$SOCKCTL" connect \
		--proxy socks5://127.0.0.1:PORT localhost 80 --fin 0
	answered http "0 1 5 8" "$SOCKCTL" connect \
		--proxy http://127.0.0.1:PORT localhost 80 --fin 0
	answered bytes "0 5" "$SOCKCTL" connect 127.0.0.1 PORT --fin 0
	answered bytes "5 8" "$SOCKCTL" "echo" 127.0.0.1 PORT
	answered welcome "0 5" "$SOCKCTL" chat 127.0.0.1 PORT
	answered result "0 5" "$SOCKCTL" flood 127.0.0.1 PORT -n 1000
	answered ok "0 5 8" "$SOCKCTL" flood 127.0.0.1 PORT -n 1000 --verify
	answered ok "0 5 8" "$SOCKCTL" flood 127.0.0.1 PORT -R -n 1000
	answered give "5 8" "$SOCKCTL" sendfile 127.0.0.1 PORT data
	answered file "0 5 8" "$SOCKCTL" recvfile 127.0.0.1 PORT -d in --rename
}
