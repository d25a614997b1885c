#!/usr/bin/env bats
# Calls of libc that fail: tests/fault. Here a short walk, `make fault` makes the
# whole one.

load helper/common

# walk SCENE[:SIDE[:CALL]]: the run meets each fault, and does what it should.
walk() {
	is_san && skip "too slow with sanitizers: make SAN=1 fault"
	[ -e "$SOCKCTL_OUT/fault/fault.so" ] || skip "it was not built"
	run "$SOCKCTL_TOP/tests/fault/walk.py" "$SOCKCTL" \
		"$SOCKCTL_OUT/fault/fault.so" walk --quick --limit 60 \
		--only "$1"
	assert_success
	assert_output --regexp '^[0-9]+ runs, [1-9][0-9]* met their fault, 0 went'
}

@test "fault: serve and connect" {
	walk talk
}

@test "fault: serve --forward" {
	walk forward
}

@test "fault: serve --exec" {
	walk execute
}

@test "fault: chat" {
	walk chat
}

@test "fault: sendfile and recvfile" {
	walk files
}

@test "fault: recvfile --no-resume, cutting a kept part short" {
	walk restarted:server:truncate
}

@test "fault: recvfile --raw, files that it cannot open" {
	walk raw:server:open
}

@test "fault: flood with workers" {
	walk workers
}
