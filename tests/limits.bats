#!/usr/bin/env bats
# Where the system's limits are: descriptors that run out, and many of them.

bats_require_minimum_version 1.5.0
load helper/common

crowd() {
	bg crowd python3 "$SOCKCTL_TOP/tests/helper/crowd.py" "$@"
	wait_grep '^open' crowd.out
}

count_of() {
	grep -c "$1" "$2" || true
}

has_count() {
	[ "$(count_of "$2" "$3")" -ge "$1" ]
}

needs_descriptors() {
	[ "$(ulimit -Hn)" = unlimited ] || (($(ulimit -Hn) >= $1)) ||
		skip "a process may have only $(ulimit -Hn) descriptors here"
}

@test "limits: out of descriptors, accepting pauses, is told once, and goes on" {
	local before

	mkfifo hold
	rm -f serve.port
	bg serve bash -c 'ulimit -n 32 && exec "$@"' - "$SOCKCTL" serve -p 0 \
		--port-file serve.port --json
	wait_for test -s serve.port
	exec 9<> hold
	BG_INPUT=hold crowd "$(cat serve.port)" 60 hold
	wait_grep '"errno":"EMFILE"' serve.err
	json <(grep EMFILE serve.err) 'last["event"] == "error" and
		last["op"] == "accept"'

	# The others wait, and so does the server.
	before=$(cpu_ms "${COMMON_PIDS[0]}")
	sleep 0.5
	((${before%.*} + 100 > $(cpu_ms "${COMMON_PIDS[0]}" | cut -d. -f1)))
	[ "$(count_of '"errno":"EMFILE"' serve.err)" = 1 ]
	(($(count_of '"event":"accept"' serve.err) < 32))

	# Those who leave make room for all of them.
	echo >&9
	ended "$pid"
	[ "$code" = 0 ]
	exec 9>&-
	wait_for has_count 60 '"event":"close"' serve.err
	stop "${COMMON_PIDS[0]}"
	json serve.err 'last["connections"] == 60 and last["rx"] == 60'
	(($(count_of '"errno":"EMFILE"' serve.err) <= 2))
}

# What is sent before a client was accepted, it does not hear.
@test "limits: 3000 clients hear what standard input says" {
	needs_descriptors 3100
	mkfifo input
	exec 9<> input
	BG_INPUT=input server serve serve
	crowd "$port" 3000 hear "good morning"
	wait_for has_count 3000 accept serve.err
	printf 'good morning' >&9
	ended "$pid"
	exec 9>&-
	[ "$code" = 0 ]
}

@test "limits: 3000 clients of a broker, one of which never reads" {
	needs_descriptors 3100
	mkfifo go
	exec 9<> go
	server serve serve --broker
	BG_INPUT=go crowd "$port" 3000 broker "good morning"
	wait_for has_count 3000 accept serve.err
	echo >&9
	ended "$pid"
	exec 9>&-
	[ "$code" = 0 ]
}
