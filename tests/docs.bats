#!/usr/bin/env bats
# The pages say what the program does: every option stands in its page and the
# reverse, exit codes and events too, and what a page shows can be typed.

load helper/common

@test "docs: the man pages are good mdoc" {
	needs mandoc
	run mandoc -T lint -W warning "$SOCKCTL_TOP"/man/*.[0-9]
	assert_success
}

@test "docs: every mode has a page with what a page has" {
	for mode in serve connect echo chat sendfile recvfile flood probe; do
		page=$SOCKCTL_TOP/man/sockctl-$mode.1
		[ -e "$page" ] || fail "no $page"
		for section in NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" \
			EVENTS EXAMPLES "SEE ALSO"; do
			grep -qx "\.Sh $section" "$page" ||
				fail "$page has no section $section"
		done
	done
}

# The options that a page describes: its list items, as "-x" or "--name".
page_options() {
	sed -n 's/^\.It //p' "$1" | tr -d '\\&' | awk '{
		for (i = 1; i <= NF; i++) {
			if ($i == "Fl") flags = 1
			else if ($i ~ /^(Ar|Op|Ns|Cm|Xc|No|Oo|Oc|Ic)$/) flags = 0
			else if ($i == ",") continue
			else if (flags) print "-" $i
		} flags = 0 }' | sort -u
}

@test "docs: every option stands in its page, and no other" {
	shared=$SOCKCTL_TOP/man/sockctl.1
	page_options "$shared" > shared
	python3 "$SOCKCTL_TOP/tests/helper/options.py" "$SOCKCTL" show > rows
	wrong=
	for mode in $(cut -f 1 rows | sort -u); do
		page=$SOCKCTL_TOP/man/sockctl-$mode.1
		[ -e "$page" ] || continue
		page_options "$page" > own
		cat own shared | sort -u > known
		awk -F '\t' -v mode="$mode" '$1 == mode {
			if ($2 != "-") print $2; if ($3 != "-") print $3 }' rows |
			sort -u > has
		# Options that are taken and change nothing may stand in a sentence.
		for option in $(comm -13 known has); do
			grep -q -e "Fl ${option#-}\b" "$page" "$shared" ||
				wrong+="$mode: $option is in no page"$'\n'
		done
		for option in $(comm -23 own has); do
			wrong+="$mode: $option stands in its page only"$'\n'
		done
	done
	cut -f 2,3 rows | tr '\t' '\n' | grep -vx -e - | sort -u > any
	for option in $(comm -23 shared any); do
		case $option in
		--help | -h | --version) ;;
		*) wrong+="sockctl.1: no mode has $option"$'\n' ;;
		esac
	done
	[ -z "$wrong" ] || fail "$wrong"
}

@test "docs: sockctl.1 names every event and its members" {
	[ -e "$SOCKCTL_TOP/util/event.c" ] || skip "no table of events"
	sed -n 's/.*EV_[A-Z_]*\] *= *{ *"\([a-z-]*\)".*/\1/p' \
		"$SOCKCTL_TOP/util/event.c" > events
	[ -s events ] || skip "the table of events has another form"
	while read -r event; do
		[ "$event" = note ] || grep -q "^\.It Cm .*\b$event\b" \
			"$SOCKCTL_TOP/man/sockctl.1" || fail "no event $event"
	done < events
}

# together MODE OPTION... -- COMMAND...: a server of MODE, and who talks to its
# PORT. It ends by itself with --once, else it says how far it is and is stopped.
together() {
	local mode=$1 options=()

	shift
	until [ "$1" = -- ]; do
		options+=("$1")
		shift
	done
	shift
	talks=$((${talks-0} + 1))
	server "far$talks" "$mode" --json "${options[@]}"
	timeout 20 "$SOCKCTL" "${@/PORT/$port}" --json < text \
		> "near$talks.out" 2> "near$talks.err" || :
	[[ " ${options[*]} " == *" --once "* ]] || {
		kill -USR1 "$pid"
		wait_for told_progress "far$talks"
		kill "$pid"
	}
	ended "$pid"
}

told_progress() {
	cat "$1.out" "$1.err" | grep -q '"event":"progress"'
}

@test "docs: events and members are those that the program prints" {
	local see=(--sndbuf 32K --show-sockopts --stats -x -) options

	echo text > text
	mkdir in
	together serve "${see[@]}" --once -- connect "${see[@]}" 127.0.0.1 PORT
	together serve --deny 127.0.0.1 -- connect 127.0.0.1 PORT
	together serve --once --script 'recv 2; send 2' -- \
		connect --script 'send 2; recv 2' 127.0.0.1 PORT
	together serve --once --script 'recvall 9' --step-timeout 0.1 -- \
		connect --script 'recv 1' 127.0.0.1 PORT
	together echo "${see[@]}" -- \
		echo "${see[@]}" --count 2 --interval 0 127.0.0.1 PORT
	together recvfile "${see[@]}" -d in -- \
		sendfile "${see[@]}" 127.0.0.1 PORT text missing text
	together flood "${see[@]}" -- \
		flood "${see[@]}" -t 0.3 -i 0.1 127.0.0.1 PORT
	for options in "--rr -t 0.1" "--bidir -t 0.1" "--until-block --chunk 1000 --sndbuf 8K --rcvbuf 8K"; do
		# shellcheck disable=SC2086 # words
		together flood -- flood $options 127.0.0.1 PORT
	done
	together flood -u -- flood -u --rate 1mbit -t 0.1 127.0.0.1 PORT
	printf '/nick a\nhello\n/msg a to me\n/quit\n' > text
	together chat --no-console -- chat 127.0.0.1 PORT
	server far serve --json --reply text
	for options in "--banner" "--info" "--count 2 --interval 0" "--wait 5" \
		"--backlog-test" "--show-sockopts --sndbuf 32K"; do
		# shellcheck disable=SC2086 # words
		"$SOCKCTL" probe --json $options 127.0.0.1 "$port" >> probe.out
	done
	"$SOCKCTL" probe --json --interfaces >> probe.out
	stop "$pid"
	# Beside a dump not all is JSON.
	for file in *.out *.err; do
		grep '^{"ts":' "$file" > "$file.json" || rm "$file.json"
	done
	run python3 "$SOCKCTL_TOP/tests/helper/events.py" \
		"$SOCKCTL_TOP/man" ./*.json
	assert_success
	for event in "probe port" "serve blocked" "connect script" \
		"flood result" "flood interval" "flood block" "chat message" \
		"recvfile file" "sendfile sockopt" "echo progress" "serve denied"; do
		assert_output --partial "$event"
	done
}

@test "docs: make html: every link of the start page and the pages is there" {
	needs mandoc
	"$SOCKCTL_TOP/.ci/html" "$PWD/html"
	for page in html/*.html; do
		for link in $(grep -o 'href="[^":]*"' "$page" | cut -d '"' -f 2); do
			file=${link%%#*}
			file=html/${file:-${page#html/}}
			[ -e "$file" ] || fail "$page: $link"
			[[ $link != *#* ]] || grep -qF "id=\"${link#*#}\"" "$file" ||
				fail "$page: $link"
		done
	done
	for page in "$SOCKCTL_TOP"/man/*.[0-9]; do
		grep -qF "href=\"${page##*/}.html\"" html/index.html
	done
}

@test "docs: the program names no page that is not there" {
	for page in $(cat "$SOCKCTL_TOP"/man/*.[0-9] |
		sed -n 's/^\.Xr \(sockctl[a-z-]*\) \([0-9]\).*/\1.\2/p' | sort -u); do
		[ -e "$SOCKCTL_TOP/man/$page" ] || missing+=" $page"
	done
	[ -z "${missing-}" ] || fail "not there:$missing"
}

# A network and a hosts file of our own: the README's ports and names mean
# nobody else. Runs this file's function NAME there.
in_house() {
	unshare --net --mount true 2> /dev/null ||
		skip "namespaces cannot be made here"
	printf '127.0.0.1 localhost host otherhost db\n' > hosts
	# shellcheck disable=SC2163 # the names of functions
	export -f "$@"
	export SOCKCTL README="$SOCKCTL_TOP/README.md" WAIT_MAX
	mkdir bin
	ln -s "$SOCKCTL" bin/sockctl
	PATH=$PWD/bin:$PATH timeout 120 unshare --net --mount --pid --fork \
		--kill-child bash -eu -o pipefail -c '
		mount --bind hosts /etc/hosts
		mount -t proc proc /proc
		ip link set lo up
		"$0"' "$1" 3>&- < /dev/null
}

# recipe COMMAND...: the README shows it; the words are what runs.
recipe() {
	grep -qxF "    $*" "$README" || {
		echo "README.md does not show: $*" >&2
		return 1
	}
}

# A listener on PORT, and until it listens.
listening() {
	local i

	for ((i = 0; i < WAIT_MAX * 50; i++)); do
		grep -q ":$(printf %04X "$1") 0*:0000 0A" /proc/net/tcp && return
		sleep 0.02
	done
	echo "nobody listens on $1" >&2
	return 1
}

recipes() {
	recipe sockctl serve -p 4000
	recipe sockctl connect localhost 4000
	sockctl serve -p 4000 > heard < /dev/null &
	listening 4000
	echo hello | sockctl connect localhost 4000
	[ "$(cat heard)" = hello ]

	recipe mkdir in
	recipe sockctl recvfile -p 4001 -d in
	recipe sockctl sendfile -r otherhost 4001 photos
	mkdir in photos
	head -c 100000 /dev/urandom > photos/one
	sockctl recvfile -p 4001 -d in > received &
	listening 4001
	sockctl sendfile -r otherhost 4001 photos
	cmp photos/one in/photos/one

	recipe sockctl probe --wait 30 db 5432 -- ./server
	printf '#!/bin/sh\necho started > started\n' > server
	chmod +x server
	sockctl probe --wait 30 db 5432 -- ./server > probed &
	probe=$!
	sockctl serve -p 5432 --discard < /dev/null &
	wait "$probe"
	[ "$(cat started)" = started ]

	recipe sockctl serve -p 8080 --forward localhost:80 -x - --stats
	echo page > page
	sockctl serve -p 80 --reply page &
	sockctl serve -p 8080 --forward localhost:80 -x - --stats 2> seen &
	listening 80
	listening 8080
	[ "$(sockctl connect localhost 8080 < /dev/null)" = page ]
	grep -q 'page' seen
	grep -q tcpinfo seen

	recipe sockctl flood -p 5201
	recipe sockctl flood otherhost 5201
	sockctl flood -p 5201 > far &
	listening 5201
	sockctl flood otherhost 5201 -t 0.3 | grep -q 'bit/s'

	recipe sockctl serve -p 8080 --behave never-reply
	sockctl serve -p 8081 --behave never-reply > /dev/null &
	listening 8081
	code=0
	echo ask | sockctl connect --idle 0.5 localhost 8081 || code=$?
	[ "$code" = 4 ]
}

@test "docs: the README's recipes do what it says" {
	run in_house recipes recipe listening
	assert_success
}

# Every command of the table, and of the pages' examples, is one that the
# program takes: whatever else happens, it is no usage error.
taken() {
	local command code

	echo data > page
	mkfifo silent
	sleep 1000 > silent &
	# Some of the world that they talk to.
	sockctl serve -p 80 --reply page < /dev/null &
	sockctl serve -p 5432 --discard < /dev/null &
	listening 80
	listening 5432
	while IFS= read -r command; do
		code=0
		timeout 0.3 bash -c "$command" < /dev/null > said 2>&1 || code=$?
		if [ "$code" = 2 ] || grep -q "; try 'sockctl" said; then
			echo "not taken: $command: $(cat said)"
			exit 1
		fi
	done < commands
	echo "$(wc -l < commands) commands"
}

@test "docs: what the README's table says to type is taken" {
	sed -n 's/^| `[^`]*` | `\([^`]*\)` |$/\1/p' "$SOCKCTL_TOP/README.md" |
		sed 's/\\|/|/g; s/ cmd$/ true/' > commands
	[ "$(wc -l < commands)" -ge 12 ]
	run in_house taken listening
	assert_success
}

@test "docs: the examples of --help are taken" {
	for mode in serve connect echo chat sendfile recvfile flood probe; do
		"$SOCKCTL" "$mode" --help |
			sed -n '/^examples/,/^$/p' | sed -n 's/^  \([^ ].*\)/\1/p' |
			grep sockctl | sed 's/   *[^ ].*//'
	done > commands
	[ "$(wc -l < commands)" -ge 16 ]
	run in_house taken listening
	assert_success
}

# The commands that a picture of a session shows.
pictured() {
	python3 - "$1" <<- 'END'
		import sys, xml.etree.ElementTree as tree
		for text in tree.parse(sys.argv[1]).getroot():
		    if text.get("class") == "c":
		        print("".join(text.itertext()))
	END
}

@test "docs: the README's picture shows what make picture runs" {
	unshare --map-root-user --net true 2> /dev/null ||
		skip "namespaces cannot be made here"
	grep -qF "(man/session.svg)" "$SOCKCTL_TOP/README.md"
	run timeout 60 "$SOCKCTL_TOP/tests/picture" session.svg
	assert_success
	pictured "$SOCKCTL_TOP/man/session.svg" > shown
	pictured session.svg > ran
	[ "$(wc -l < ran)" -ge 9 ]
	run diff shown ran
	assert_success
	for said in "summary: 2 files, .* 2 ok" "It works" "exit 4" \
		"summary: throughput" "[12] open"; do
		grep -q "$said" session.svg || fail "no $said"
	done
}
