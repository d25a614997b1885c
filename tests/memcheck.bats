#!/usr/bin/env bats
# A run of each mode under valgrind: no memory is lost, none is read that nobody
# has set. tests/README.md says how to have more of it.

load helper/common

setup() {
	needs valgrind
	is_san && skip "sanitizers and valgrind exclude each other"
	common_setup
	REAL=$SOCKCTL
	cat > checked <<- END
		#!/bin/sh
		exec valgrind -q --error-exitcode=99 --leak-check=full \
			--errors-for-leak-kinds=definite,possible \
			--log-file='$PWD/valgrind.%p' '$REAL' "\$@"
	END
	chmod +x checked
	SOCKCTL=$PWD/checked
	head -c 100000 /dev/urandom > data
	mkdir in
}

# ends PID: a server that is told to end does, with nothing lost.
ends() {
	stop "$1"
	[ "$code" = 0 ] || fail "exit $code: $(cat valgrind.*)"
}

# does CODE COMMAND...
does() {
	local status=0

	timeout 60 "$SOCKCTL" "${@:2}" > out 2> err < data || status=$?
	[ "$status" = "$1" ] || fail "$*: exit $status: $(cat err valgrind.*)"
}

@test "memcheck: serve, connect, probe" {
	server a serve --exec cat --json
	does 0 connect 127.0.0.1 "$port" --stats -x dump
	does 0 probe 127.0.0.1 "$port" --info --banner -w 1
	ends "$pid"
	server a serve --broker --prefix
	does 0 connect 127.0.0.1 "$port" -q 0
	ends "$pid"
	server a serve --reply data
	does 0 connect 127.0.0.1 "$port" --script 'recvall 10; drain' --json
	ends "$pid"
	server a serve -u --broker --idle 1
	does 0 connect -u 127.0.0.1 "$port" -q 0
	ends "$pid"
}

@test "memcheck: echo, chat" {
	server a "echo"
	does 0 "echo" 127.0.0.1 "$port" --count 5 --size 1000
	ends "$pid"
	server a "echo" -u
	does 0 "echo" -u 127.0.0.1 "$port" --count 5
	ends "$pid"
	server a chat --no-console --history 5
	printf 'hello\n/list\n/who ann\n/quit\n' > data
	does 0 chat -n ann 127.0.0.1 "$port"
	ends "$pid"
}

@test "memcheck: files, flood" {
	server a recvfile -d in
	does 0 sendfile 127.0.0.1 "$port" data
	ends "$pid"
	server a sendfile data
	does 0 recvfile 127.0.0.1 "$port" -d in --rename
	ends "$pid"
	server a flood --workers 2
	does 0 flood 127.0.0.1 "$port" -n 100000 --verify -P 2 --workers 2
	does 0 flood 127.0.0.1 "$port" -n 100000 -R --workers 1
	ends "$pid"
	server a flood -u --workers 1
	does 0 flood -u 127.0.0.1 "$port" -n 20000 --rate 8mbit --workers 1
	ends "$pid"
}
