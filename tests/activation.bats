#!/usr/bin/env bats
# serve with sockets that a service manager opened: LISTEN_FDS, LISTEN_PID.

bats_require_minimum_version 1.5.0
load helper/common

# activate WHAT OPTION...: serve with these sockets; ports holds their ports.
activate() {
	local what=$1

	shift
	bg serve python3 "$SOCKCTL_TOP/tests/helper/activate.py" ports \
		"$what" "$SOCKCTL" serve "$@"
	wait_for test -s ports
	# shellcheck disable=SC2207 # words are wanted
	ports=($(cat ports))
}

ask() {
	run "$SOCKCTL" connect "$@" < /dev/null
	assert_success
	assert_output "hello"
}

@test "activation: several sockets, each is listened on, no -p" {
	echo hello > file
	activate tcp,unix:./s,tcp --reply file --json
	ask 127.0.0.1 "${ports[0]}"
	ask 127.0.0.1 "${ports[1]}"
	ask unix:./s
	wait_for common_count 3 '"event":"close"' serve.err
	stop "$pid"
	json serve.err 'len(ev("listening")) == 3 and
		ev("listening")[1]["local"] == "unix:./s" and
		ev("listening")[1]["transport"] == "unix" and
		last["connections"] == 3 and last["exit"] == 0'
}

common_count() {
	[ "$(grep -c "$2" "$3")" -ge "$1" ]
}

@test "activation: what was passed goes before -p" {
	echo hello > file
	activate tcp -p 1 --reply file --once
	ask 127.0.0.1 "${ports[0]}"
	ended "$pid"
	[ "$code" = 0 ]
}

@test "activation: a command of --exec gets neither sockets nor variables" {
	activate tcp,tcp --exec "env; ls -l /proc/\$\$/fd > fds; grep -c socket: fds" --once
	run "$SOCKCTL" connect 127.0.0.1 "${ports[0]}" < /dev/null
	assert_success
	refute_output --partial LISTEN_
	assert_line 0
}

@test "activation: sockets meant for another process are left alone" {
	LISTEN_PID=1 LISTEN_FDS=1 run_err "$SOCKCTL" serve
	assert_failure 2
	[[ $stderr == *"try 'sockctl serve --help'"* ]]
}

@test "activation: what does not listen, or is no socket, is an error of setup" {
	local what

	for what in udp file; do
		rm -f ports
		activate "$what" --json
		ended "$pid"
		[ "$code" = 7 ]
		json serve.err 'ev("error")[0]["op"] == "listen" and
			"descriptor 3" in ev("error")[0]["target"] and
			last["exit"] == 7'
	done
}

@test "activation: under systemd-socket-activate" {
	local port

	needs systemd-socket-activate
	echo hello > file
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0))
print(s.getsockname()[1])')
	bg serve systemd-socket-activate -l "127.0.0.1:$port" \
		"$SOCKCTL" serve --reply file --once
	wait_grep "Listening on" serve.err
	ask 127.0.0.1 "$port"
	ended "$pid"
	[ "$code" = 0 ]
}
