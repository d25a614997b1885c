#!/usr/bin/env bats
# Manners at a terminal and away from it: colour, the line of progress, locales.

load helper/common

# A python program with Screen, sockctl's path and the port.
py() {
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$SOCKCTL_TOP/tests/helper" \
		python3 - "$SOCKCTL" "${port:-0}" <<- END
		import os, re, sys
		from screen import Screen
		sockctl, port = sys.argv[1:]
		$(cat)
	END
}

@test "terminal: colour only there, never with NO_COLOR or a dumb one" {
	py <<- 'END'
		def fails(*more, **environment):
		    os.environ.pop("NO_COLOR", None)
		    os.environ["TERM"] = "xterm"
		    os.environ.update(environment)
		    s = Screen([sockctl, "connect", "127.0.0.1", "1", *more])
		    s.end(1)
		    return s.raw
		assert b"\x1b[31msockctl connect: " in fails()
		assert b"\x1b[31m" in fails(NO_COLOR="")
		for raw in fails(NO_COLOR="1"), fails(TERM="dumb"):
		    assert b"sockctl connect: " in raw and b"\x1b" not in raw, raw
		fails("--log", "log")
	END
	TERM=xterm run ! "$SOCKCTL" connect 127.0.0.1 1
	assert_output --partial refused
	printf '%s' "$output" | cat - log > away
	assert_file_contains log refused
	run grep -c $'\e' away
	assert_output 0
}

@test "terminal: the line of progress is as wide as the window, and stays one" {
	mkdir in
	server recv recvfile -d in --quiet
	name=$(printf 'name%.0s' {1..50})
	truncate -s 100M "$name"
	py <<- 'END'
		s = Screen([sockctl, "sendfile", "--rate", "1M/s", "127.0.0.1", port,
		            "name" * 50], columns=100)
		def shows(columns, pattern):
		    """Drawn anew, it matches; a line that is cut is no shorter."""
		    s.resize(columns)
		    s.columns = 200  # what was drawn before does not wrap
		    s.wait("%d columns" % columns, lambda:
		           columns - 12 < len(s.at()[0]) < columns and
		           re.match(pattern, s.at()[0]))
		whole = r"(n?a?m?e)+ +\d+% [0-9.]+ [KM]iB [0-9.]+ ([KM]i)?B/s"
		shows(100, whole)
		shows(60, whole)
		shows(20, r"mename +\d+%")
		shows(90, whole)
		os.kill(s.pid, 15)
		s.end(-15)
		assert "%" not in "".join(s.text()), s.text()
	END
}

@test "terminal: no progress in logs, pipes and files" {
	mkdir in
	server recv recvfile -d in --quiet
	head -c 500000 /dev/zero > a
	py <<- 'END'
		s = Screen([sockctl, "sendfile", "--rate", "1M/s", "--log", "log",
		            "127.0.0.1", port, "a"])
		s.end(0)
	END
	"$SOCKCTL" sendfile --rate 1M/s 127.0.0.1 "$port" a --as b > out 2> err
	"$SOCKCTL" sendfile --rate 1M/s 127.0.0.1 "$port" a --as c 2>&1 | cat > pipe
	assert_file_contains log "a: ok"
	assert_file_contains out "b: ok"
	assert_file_contains pipe "c: ok"
	assert_file_empty err
	run grep -lE $'\r|\e|%' log out pipe recv.out recv.err
	assert_output ""
}

# What is said of a name that is not ASCII, and of figures, in locale $1.
in_locale() {
	local LC_ALL=$1 LANG=$1

	export LC_ALL LANG
	"$SOCKCTL" sendfile --idle 9.5 127.0.0.1 "$port" ä --as "ä$1"
	run -2 "$SOCKCTL" sendfile --idle 9,5 127.0.0.1 "$port" ä
	"$SOCKCTL" sendfile --json 127.0.0.1 "$port" ä --as "json$1" > told
}

@test "terminal: every locale has the same figures and names" {
	export LOCPATH=$PWD/locales
	mkdir in locales
	server recv recvfile -d in --quiet
	head -c 1300000 /dev/zero > ä
	needs localedef
	[ -e /usr/share/i18n/locales/de_DE ] || skip "no de_DE to make here"
	# It warns, and says so by its exit code.
	localedef -i de_DE -f UTF-8 "$LOCPATH/de_DE.UTF-8" || :
	# It is one that has a comma.
	run env LC_ALL=de_DE.UTF-8 locale decimal_point
	assert_output ,
	for name in C C.UTF-8 de_DE.UTF-8; do
		in_locale "$name" > said
		assert_file_contains said "^ä$name: ok, 1\.24 MiB, "
		run grep '[0-9],[0-9]' said
		assert_output ""
		json told 'ev("file")[0]["size"] == 1300000 and last["elapsed_s"] >= 0'
	done
}
