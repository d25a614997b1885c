#!/usr/bin/env bats
# The command line itself: help, usage errors, the habits of other tools.

load helper/common

MODES="serve connect echo chat sendfile recvfile flood probe"

# usage_error TEXT ARGUMENT...: exit 2, one line that has TEXT and a way out.
usage_error() {
	local text=$1

	shift
	run_err timeout 10 "$SOCKCTL" "$@"
	assert_equal "$status" 2
	assert_equal "$output" ""
	[ "${#stderr_lines[@]}" = 1 ] || fail "$* says: $stderr"
	[[ $stderr == *"$text"* ]] || fail "$* lacks '$text': $stderr"
	[[ $stderr == *"; try 'sockctl "*"--help'" ]] || fail "$* says: $stderr"
}

@test "cli: every option of every mode refuses what it cannot mean" {
	run python3 "$SOCKCTL_TOP/tests/helper/options.py" "$SOCKCTL" walk
	assert_success
}

@test "cli: unknown, shortened and glued options are usage errors" {
	run python3 "$SOCKCTL_TOP/tests/helper/options.py" "$SOCKCTL" abbreviate
	assert_success
	usage_error "in full --verbose" connect --verb h 1
}

@test "cli: no arguments: short help on standard error, exit 2" {
	run_err "$SOCKCTL"
	assert_equal "$status" 2
	assert_equal "$output" ""
	for mode in $MODES; do
		[[ $stderr == *"$mode"* ]] || fail "$mode is not named"
	done
}

@test "cli: help goes to standard output, begins with usage and examples" {
	for words in --help -h help "help --help"; do
		# shellcheck disable=SC2086
		run_err "$SOCKCTL" $words
		assert_success
		assert_equal "$stderr" ""
		assert_line --index 0 --partial "usage: sockctl MODE"
	done
	for mode in $MODES; do
		run_err "$SOCKCTL" "$mode" --help
		assert_success
		assert_equal "$stderr" ""
		assert_line --index 0 --partial "usage: sockctl $mode"
		[[ $output == *$'\nexamples'*$'\n  -h, --help'* ]] || fail "$output"
		help=$output
		for words in "$mode -h" "help $mode" "$mode --no-such -p x --help" \
			"$mode a b c -h"; do
			# shellcheck disable=SC2086
			run_err "$SOCKCTL" $words
			assert_success
			assert_equal "$output" "$help"
		done
		run awk 'length > 80 { print FILENAME ": " $0; bad = 1 }
			END { exit bad }' <("$SOCKCTL" "$mode" --help)
		assert_success
	done
}

@test "cli: help of a topic; of none that is known" {
	run_err "$SOCKCTL" help sockopts
	assert_success
	assert_line --regexp '^sndbuf .*socket'
	usage_error "no such topic" help nothing
	usage_error "one MODE" help serve connect
}

@test "cli: -h is --help behind the words that are no mode, too" {
	local help words flag

	help=$("$SOCKCTL" --help)
	for flag in -h --help; do
		for words in help completion "completion bash" "completion x" \
			"help serve connect" --version; do
			# shellcheck disable=SC2086
			run_err "$SOCKCTL" $words $flag
			assert_success
			assert_equal "$stderr" ""
			assert_equal "$output" "$help"
		done
		for words in serve sockopts; do
			run_err "$SOCKCTL" help "$words" "$flag"
			assert_success
			assert_equal "$output" "$("$SOCKCTL" help "$words")"
		done
	done
}

@test "cli: version" {
	run_err "$SOCKCTL" --version
	assert_success
	assert_line --index 0 --regexp '^sockctl [0-9]+\.[0-9]+\.[0-9]+$'
	# What POSIX alone does not have is said.
	if is_portable; then
		assert_line --index 1 --regexp \
			'^without: splice.* tcp-info.* landlock reuseport'
	else
		assert_line --index 1 --regexp '^with: splice'
	fi
	usage_error "no argument" --version now
}

@test "cli: help into a closed pipe dies of SIGPIPE, into a full disk is 6" {
	run bash -c '"$0" help > /dev/full' "$SOCKCTL"
	assert_equal "$status" 6
	assert_output --partial "ENOSPC"
	# The reader is gone before the first byte.
	run bash -c '{ sleep 0.1; exec "$0" help; } | true
		echo "${PIPESTATUS[0]}"' "$SOCKCTL"
	assert_output 141
	run bash -c 'trap "" PIPE; { sleep 0.1; exec "$0" help; } | true
		echo "${PIPESTATUS[0]}"' "$SOCKCTL"
	assert_line --index -1 6
}

@test "cli: an unknown mode names those that there are" {
	usage_error "'frob'" frob
	usage_error "recvfile" frob
	usage_error "no such mode" ""
	usage_error "sockctl connect host 80" host 80
	usage_error "serve -p PORT" -l 4000
	usage_error "probe HOST PORTS" -z host 80
	usage_error "--json" --json serve
	usage_error "shell" completion
	usage_error "shell" completion tcsh
	usage_error "shell" completion bash zsh
}

@test "cli: habits of other tools are answered with what to type" {
	usage_error "sockctl serve -p PORT" connect -l 4000
	usage_error "sockctl serve -p PORT" serve -l 4000
	usage_error "-p PORT" echo -l 4000
	usage_error "sockctl probe HOST PORTS" connect -z h 80
	usage_error "sockctl probe HOST PORTS" serve -z -p 80
	usage_error "--exec" connect -e /bin/sh h 80
	usage_error "--exec" serve -e /bin/sh -p 80
	usage_error "--exec" chat -e /bin/sh -p 80
	usage_error "--proxy" connect -X connect h 80
	usage_error "-b PORT" connect -p 12345 h 80
	usage_error "sockctl probe HOST PORTS" probe -p 80 h
	usage_error "sockctl flood -p PORT" flood -s
	usage_error "sockctl flood -p PORT" flood -s -p 5201
	usage_error "sockctl flood HOST PORT" flood -c h
	for mode in "" connect probe serve sendfile; do
		# shellcheck disable=SC2086 # none is one
		usage_error "sockctl flood HOST PORT" $mode -c h
	done
	usage_error "sockctl flood -p PORT" -s
	usage_error "sockctl flood --rate RATE" probe -b 100M h 80
	usage_error "--rate RATE" serve -b 100M -p 80
	usage_error "--local-port of connect" serve -b 4000 -p 80
	usage_error "--rate" flood -b 100M h 80
	usage_error "--rate" flood -b100M h 80
	usage_error "--rate" connect -b 100M h 80
	usage_error "--rate" sendfile -b 80mbit h 80 file
	usage_error "--rate" echo -b 1G h 80
}

@test "cli: another mode's option is explained" {
	usage_error "--jobs of probe" connect -j 5 h 80
	usage_error "of probe" connect --jobs 5 h 80
	usage_error "of serve" connect --broker h 80
	usage_error "of flood" serve --bidir -p 0
}

@test "cli: usage errors are plain text with --json, and escaped" {
	usage_error "--backlog 'x'" serve --json --backlog x -p 0
	usage_error '\x1b[2J' serve --json $'--\e[2J'
	usage_error '--back\nlog: unknown' serve --json $'--back\nlog' -p 0
	usage_error "--backlog '1\\n2': " serve --backlog $'1\n2' -p 0
	usage_error 'such as \r\n and' connect --expect '\q' h 80
}

@test "cli: options stand before and after the arguments, -- ends them" {
	server one serve --discard
	run_err "$SOCKCTL" connect 127.0.0.1 "$port" --json -q 0
	assert_success
	run_err "$SOCKCTL" connect --json 127.0.0.1 -q 0 -- "$port"
	assert_success
	usage_error "sockctl connect" connect -- 127.0.0.1 "$port" --json
	usage_error "sockctl connect" connect 127.0.0.1 "$port" 3
	usage_error "sockctl connect" connect
	usage_error "sockctl connect" connect ""
}

@test "cli: the last one of a doubled option counts" {
	server one serve --discard
	run "$SOCKCTL" connect -w 5 -w 3 -q 1h -q 0 127.0.0.1 "$port"
	assert_success
	usage_error "-w 'x'" connect -w 5 -w x 127.0.0.1 "$port"
}

@test "cli: an option is not taken for another one's value" {
	usage_error "--log" connect --log --json 127.0.0.1 1
	[ ! -e ./--json ]
	usage_error "-x" connect 127.0.0.1 1 -x
}

@test "cli: a file of an option that cannot be read is 6" {
	run "$SOCKCTL" connect --expect @/nonexistent 127.0.0.1 1
	assert_equal "$status" 6
	assert_output --partial "/nonexistent"
	run "$SOCKCTL" serve -p 0 --allow @/nonexistent
	assert_equal "$status" 6
	usage_error "--frob" serve -p 0 --allow @/nonexistent --frob
}

@test "cli: with --json an error before the start is an event and a summary, too" {
	local words

	while read -r words; do
		# shellcheck disable=SC2086 # words are wanted
		run_err timeout 10 "$SOCKCTL" $words --json
		assert_equal "$status" 6
		printf '%s\n' "$output" "$stderr" | sed '/^$/d' > told
		json told '[e["event"] for e in events] == ["error", "summary"]
			and events[0]["op"] == "open" and events[0]["errno"] == "ENOENT"
			and "no/such" in last["error"] and last["exit"] == 6'
		case $words in
		serve* | connect* | chat* | "echo -p"* | *"-O -"* | *"-x"*-O*) # data
			assert_equal "$output" "" ;;
		*) assert_equal "$stderr" "" ;;
		esac
	done <<- END
		serve -p 0 --reply no/such
		serve -p 0 --allow @no/such
		connect --expect @no/such h 1
		connect -x no/such 127.0.0.1 1
		chat -p 0 --motd no/such
		chat --log no/such h 1
		echo -p 0 --log no/such
		echo --count 1 -x no/such 127.0.0.1 1
		recvfile -p 0 -d no/such
		recvfile -p 0 -O - -x no/such
		sendfile --log no/such h 1 file
		flood --log no/such h 1
		probe --send @no/such h 1
	END
}

@test "cli: zero is a value of some, out of range of others" {
	for option in --count --backlog --max-clients --sndbuf --rcvbuf \
		--chunk --watch --timeout --idle --deadline; do
		usage_error "$option '0'" serve -p 0 "$option" 0
	done
	usage_error "-b '0'" connect -b 0 127.0.0.1 1
	usage_error "'0'" connect 127.0.0.1 0
	usage_error "'65536'" connect 127.0.0.1 65536
}

@test "cli: --version names features that are here, and those that are not, if any" {
	run_err "$SOCKCTL" --version
	assert_success
	assert_line --index 0 --regexp '^sockctl [0-9]+\.[0-9]+\.[0-9]+$'
	refute_line --regexp '^with(out)?: *$'
	assert_line --regexp '^with(out)?: .*splice'
}

@test "cli: a port to listen on is 0 to 65535, another one 1 to 65535" {
	usage_error "-p '70000': port '70000' is out of range 0-65535" serve -p 70000
	usage_error "out of range 1-65535" connect h 70000
	usage_error "out of range 1-65535" connect h 0
}

@test "cli: who gives neither an address nor a port to listen on is told of both" {
	for mode in echo chat flood sendfile recvfile; do
		usage_error "HOST PORT is missing, or -p PORT to listen" $mode
	done
	usage_error "HOST and PORT are missing" connect
}

@test "cli: a place that cannot be is a usage error in every mode, on either side" {
	local mode file json long

	long=$(printf '%0108d' 0)
	touch f
	for mode in serve echo chat sendfile recvfile flood; do
		file=
		[ "$mode" = sendfile ] && file=f
		for json in "" --json; do
			# shellcheck disable=SC2086
			set -- "$mode" $json $file
			usage_error "is a name" "$@" -p 0 --numeric -s localhost
			usage_error "is a service's name" "$@" -p http --numeric
			usage_error "-4 and -6" "$@" -p 0 -4 -6
			usage_error "-U '@'" "$@" -U @
			usage_error "has 108 bytes" "$@" -U "$long"
		done
		[ "$mode" = serve ] || set -- "$mode" 127.0.0.1 1 $file
		[ "$mode" = serve ] && set -- connect 127.0.0.1 1
		usage_error "is a name" "$@" --numeric -s localhost
		usage_error "is a service's name" "$@" --numeric -b http
		usage_error "-4 and -6" "$@" -4 -6
		case $mode in sendfile | flood) continue ;; esac
		usage_error "--port-file" "$mode" -U x --port-file y
	done
	usage_error "-U '@'" probe -U @
	assert_file_not_exist y
}

@test "cli: a local address is an address, a name or an interface" {
	local word

	for word in "a b" a:b 127.0.0.1:80 "[localhost]" "[::1" ""; do
		usage_error "-s '$word'" serve -p 0 -s "$word"
		usage_error "-s '$word'" connect -s "$word" 127.0.0.1 1
		usage_error "--forward-bind '$word'" serve -p 0 \
			--forward 127.0.0.1:1 --forward-bind "$word"
	done
	usage_error "neither an address" serve "a b" 0
	run_err timeout 10 "$SOCKCTL" serve -p 0 -s lo --numeric --deadline 10ms
	assert_equal "$status" 4
	needs_ipv6
	for word in "-p 0 -s [::1]" "[::1] 0" "-p 0 -s ::1" "::1 0"; do
		# shellcheck disable=SC2086
		run_err timeout 10 "$SOCKCTL" serve $word --deadline 10ms
		assert_equal "$status" 4
		[[ $stderr == "listening on [::1]:"* ]] || fail "$stderr"
	done
}

@test "cli: a time that is too short for an option is told the shortest" {
	usage_error "from 1 ms up" flood --every 10us 127.0.0.1 1
	usage_error "above zero" flood --omit 0 127.0.0.1 1
}
