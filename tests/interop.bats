# Real peers on the other side, in both roles: 64 MiB of random data each way,
# equal bytes, right exit codes.
load helper/common

setup_file() {
	head -c 67108864 /dev/urandom > "$BATS_FILE_TMPDIR/data"
}

# as_server NAME COMMAND...: a peer that listens on a free port ($port).
free_port() {
	port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

listening() {
	grep -q "$(printf ':%04X 00000000:0000 0A' "$port")" /proc/net/tcp ||
		grep -q "$(printf ':%04X 0\{32\}:0000 0A' "$port")" /proc/net/tcp6
}

to_server() {
	needs "$1"
	local data=$BATS_FILE_TMPDIR/data

	free_port
	# Up: sockctl sends, the peer receives.
	bg p "${@//PORT/$port}"
	wait_for listening
	"$SOCKCTL" connect --send-only 127.0.0.1 "$port" < "$data"
	ended "$pid"
	cmp p.out "$data"
	# Down: the peer sends.
	free_port
	BG_INPUT=$data bg p "${@//PORT/$port}"
	wait_for listening
	"$SOCKCTL" connect 127.0.0.1 "$port" < /dev/null > got
	cmp got "$data"
}

to_client() {
	needs "$1"
	local data=$BATS_FILE_TMPDIR/data

	server s serve --once --recv-only
	"${@//PORT/$port}" < "$data" > /dev/null
	ended "$pid"
	assert_equal "$code" 0
	cmp s.out "$data"
	rm -f s.port
	BG_INPUT=$data bg s "$SOCKCTL" serve -p 0 --port-file s.port --once
	wait_for test -s s.port
	port=$(cat s.port)
	"${@//PORT/$port}" < /dev/null > got
	ended "$pid"
	assert_equal "$code" 0
	cmp got "$data"
}

@test "nc.openbsd listens" {
	to_server nc.openbsd -l -N 127.0.0.1 PORT
}

@test "nc.openbsd connects" {
	to_client nc.openbsd -N 127.0.0.1 PORT
}

@test "nc.traditional listens" {
	to_server nc.traditional -l -q 1 -s 127.0.0.1 -p PORT
}

@test "nc.traditional connects" {
	to_client nc.traditional -q 1 127.0.0.1 PORT
}

@test "ncat listens" {
	to_server ncat -l 127.0.0.1 PORT
}

@test "ncat connects" {
	to_client ncat 127.0.0.1 PORT
}

@test "socat listens" {
	to_server socat -t 5 TCP-LISTEN:PORT,bind=127.0.0.1,reuseaddr STDIO
}

@test "socat connects" {
	to_client socat -t 5 STDIO TCP:127.0.0.1:PORT
}

@test "Unix sockets and datagrams with socat" {
	needs socat
	bg s "$SOCKCTL" serve -U "$PWD/s.sock" --once --recv-only
	wait_grep listening s.err
	printf hello | socat -u - "UNIX-CONNECT:$PWD/s.sock"
	ended "$pid"
	assert_equal "$(cat s.out)" hello
	server u serve -u
	printf 'x\n' | socat -u - "UDP:127.0.0.1:$port"
	wait_grep x u.out
}
