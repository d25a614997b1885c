# serve: actions and how clients are taken. The ends are in ends.bats.
load helper/common

peer() { # peer NAME STEP...: connects to $port
	local name=$1

	shift
	bg "$name" python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" "$@"
}

@test "types both ways, and says who came from where" {
	mkfifo f
	exec 7<> f
	BG_INPUT=f bg s "$SOCKCTL" serve -p 0 --port-file s.port
	sp=$pid
	wait_for test -s s.port
	port=$(cat s.port)
	local from=$((20000 + RANDOM % 10000))
	bg c "$SOCKCTL" connect -b "$from" --recv-only 127.0.0.1 "$port"
	wait_grep "#1 accept 127.0.0.1:$from" s.err
	echo "hello client" >&7
	wait_grep "hello client" c.out
	stop "$pid"
	stop "$sp"
	assert_equal "$code" 0
	exec 7>&-
	# At once again, on the same port.
	bg s "$SOCKCTL" serve -p "$port" --port-file t.port
	wait_for test -s t.port
	assert_equal "$(cat t.port)" "$port"
}

@test "serve [ADDR] PORT, and one event for each address with one port number" {
	bg s "$SOCKCTL" serve 127.0.0.1 0 --port-file s.port --json
	wait_for test -s s.port
	json s.err 'ev("listening")[0]["local"].startswith("127.0.0.1:") and len(ev("listening")) == 1'
	needs_ipv6
	bg t "$SOCKCTL" serve -p 0 --port-file t.port --json
	wait_for test -s t.port
	json t.err 'len(ev("listening")) == 2 and len({e["local"].rsplit(":", 1)[1] for e in ev("listening")}) == 1'
}

@test "standard input goes to every client, each gets all of it" {
	mkfifo f
	exec 7<> f
	BG_INPUT=f bg s "$SOCKCTL" serve -p 0 --port-file s.port
	wait_for test -s s.port
	port=$(cat s.port)
	for i in 1 2 3; do peer "c$i" drain; done
	wait_grep '#3 accept' s.err
	head -c 300000 /dev/zero >&7
	wait_for true
	sleep 0.3
	kill "${COMMON_PIDS[0]}"
	for i in 1 2 3; do ended "${COMMON_PIDS[$i]}"; done
	exec 7>&-
	assert_equal "$(cat c1.out c2.out c3.out | sort -u)" "drain 300000 eof"
}

@test "standard input is read only while a client is there: nothing is lost" {
	(echo early; sleep 0.3; echo late) > lines &
	mkfifo f
	(printf 'one\ntwo\n' > f) 3>&- &
	BG_INPUT=f bg s "$SOCKCTL" serve -p 0 --port-file s.port
	wait_for test -s s.port
	port=$(cat s.port)
	peer c recv=8
	ended "$pid"
	assert_equal "$(cat c.out)" "$(printf 'recv one\ntwo\n')"
}

@test "a slow client holds standard input back; --drop-slow drops it; --live skips" {
	head -c 12000000 /dev/zero > big
	BG_INPUT=big bg s "$SOCKCTL" serve -p 0 --port-file s.port
	wait_for test -s s.port
	port=$(cat s.port)
	peer slow rcvbuf=4096 mark=in file=go drain
	wait_for test -e in
	peer fast drain
	wait_grep '#2 accept' s.err
	touch go
	kill -0 "$pid"
	rm -f in go
	BG_INPUT=big bg d "$SOCKCTL" serve -p 0 --port-file d.port --drop-slow --json
	wait_for test -s d.port
	port=$(cat d.port)
	peer slow2 rcvbuf=4096 mark=in file=go drain
	wait_grep '"limit"' d.err
	json d.err 'ev("close")[0]["reason"] == "limit" and ev("close")[0]["unsent"] > 0'
	touch go
	BG_INPUT=big bg l "$SOCKCTL" serve -p 0 --port-file l.port --live
	wait_for test -s l.port
	port=$(cat l.port)
	peer live drain
	wait_grep '#1 accept' l.err
}

@test "--reply: the file to each, also to one that half-closes; --after waits" {
	head -c 3000000 /dev/urandom > data
	server s serve --reply data
	"$SOCKCTL" connect 127.0.0.1 "$port" < <(printf request) > out
	cmp data out
	wait_grep request s.out
	"$SOCKCTL" connect --recv-only 127.0.0.1 "$port" > out
	cmp data out
	printf 'kept' | "$SOCKCTL" serve -p 0 --port-file k.port --reply - 2> k.err 3>&- &
	COMMON_PIDS+=($!)
	wait_for test -s k.port
	for i in 1 2; do
		assert_equal "$("$SOCKCTL" connect --recv-only 127.0.0.1 "$(cat k.port)")" kept
	done
	server a serve --reply data --after $'\\n\\n'
	run -0 bash -c '(printf "GET"; sleep 0.2; printf "\n\n") | "$0" connect 127.0.0.1 "$1" | cmp - data' "$SOCKCTL" "$port"
	wait_for cmp <(printf 'GET\n\n') a.out
	printf 'a\nb\r\n' > lines
	server l serve --reply lines -C
	"$SOCKCTL" connect --recv-only 127.0.0.1 "$port" > out
	cmp out <(printf 'a\r\nb\r\n')
	run_err -6 "$SOCKCTL" serve -p 0 --reply nosuch
	assert_equal "${#stderr_lines[@]}" 1
}

@test "what clients sent is delivered before the end, also to a slow reader" {
	mkfifo f
	"$SOCKCTL" serve -p 0 --port-file p.port > f 2> s.err 3>&- &
	sp=$!
	COMMON_PIDS+=("$sp")
	exec 7< f
	wait_for test -s p.port
	port=$(cat p.port)
	peer p sendn=150000 close 7<&-
	ended "$pid"
	wait_grep accept s.err
	kill "$sp"
	assert_equal "$(wc -c <&7)" 150000
	exec 7<&-
	ended "$sp"
	assert_equal "$code" 0
}

@test "--discard counts; --chargen is RFC 864; --daytime is one line of ISO 8601" {
	server s serve --discard --json
	head -c 100000 /dev/zero | "$SOCKCTL" connect 127.0.0.1 "$port"
	wait_grep '"close"' s.err
	json s.err 'ev("close")[0]["rx"] == 100000'
	assert_equal "$(cat s.out)" ""
	server c serve --chargen
	peer c recv=222 rst
	ended "$pid"
	run head -n 2 c.out
	assert_line --index 0 --partial "recv  !\"#\$%&'()*+,-./0123456789:;<=>?@ABCDEFG"
	assert_equal "$(sed -n 2p c.out | cut -c 1-3)" "!\"#"
	server r serve --chargen --json -v
	peer p recv=222 rst
	ended "$pid"
	wait_grep '"close"' r.err
	json r.err 'ev("half-close") == []'
	json r.err '" %d not sent" % ev("close")[0]["unsent"] in ev("error")[0]["message"]'
	server d serve --daytime
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < /dev/null
	# The extended format: a colon in the zone as in the time.
	assert_output --regexp '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9]{2}:[0-9]{2}'
}

@test "--broker: to all others, whole, and not to oneself; --prefix labels lines" {
	server s serve --broker --prefix
	peer a recv=4 send=one close
	wait_grep accept s.err
	peer b send=two\\n recv=3 drain
	wait_grep 'recv two' a.out
	wait_grep 'recv one' b.out
	wait_grep '^#[12] two' s.out
	wait_grep '^#[12] one' s.out
}

@test "--count, --once and --ignore-empty; the result is the worst" {
	server s serve --count 2 --discard
	printf a | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port"
	kill -0 "$pid"
	printf a | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port"
	ended "$pid"
	assert_equal "$code" 0
	server s serve --once --ignore-empty --reply /dev/null --json
	sp=$pid
	peer a close
	peer b rst
	wait_grep '"conn":2.*"close"\|"close".*"conn":2\|"event":"close","conn":2' s.err
	printf real | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port"
	ended "$sp"
	assert_equal "$code" 0
	json s.err 'last["connections"] == 3'
	grep -q real s.out
	server s serve --once
	sp=$pid
	peer c mark=in file=go send=x sleep=0.2 rst
	wait_for test -e in
	wait_grep '#1 accept' s.err
	wait_for eval '! "$SOCKCTL" probe 127.0.0.1 "$port"'
	touch go
	ended "$sp"
	assert_equal "$code" 5
}

@test "--max-clients: others wait in the backlog" {
	server s serve -m 1 --discard
	peer a mark=a file=go close
	wait_grep '#1 accept' s.err
	peer b send=x close
	sleep 0.2
	run -1 grep '#2 accept' s.err
	touch go
	wait_grep '#2 accept' s.err
}

@test "--allow and --deny: the first match decides, any --allow makes deny the default" {
	server s serve --deny 127.0.0.1 --json
	peer a drain
	ended "$pid"
	assert_equal "$(cat a.out | cut -d' ' -f1-2)" "drain 0"
	json s.err 'ev("denied")[0]["peer"].startswith("127.0.0.1:") and "127.0.0.1" in ev("denied")[0]["rule"]'
	server t serve --allow 10.0.0.0/8 --json
	peer b drain
	ended "$pid"
	wait_grep denied t.err
	printf '# here\n127.0.0.0/8\n' > list
	server u serve --allow @list --discard --json
	peer c send=x close
	wait_grep '"accept"' u.err
}

@test "--allow of a list that names nobody lets nobody in" {
	for list in "" "# nobody yet"; do
		echo "$list" > list
		for words in "serve --discard" "serve -u --discard" "echo --fork"; do
			# shellcheck disable=SC2086 # words are wanted
			server s $words --allow @list --json
			if [[ $words == *-u* ]]; then
				echo x | "$SOCKCTL" connect -u -q 0 127.0.0.1 "$port"
			else
				"$SOCKCTL" probe --quiet 127.0.0.1 "$port"
			fi
			wait_for json s.err 'len(ev("denied")) == 1'
			json s.err 'ev("denied")[0]["rule"] == "default" and not ev("accept")'
			stop "$pid"
		done
	done
}

@test "--pause-accept lets connections wait; --rate and --chunk pace" {
	server s serve --pause-accept 0.4 --discard --json
	printf x | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port"
	wait_grep '"close"' s.err
	json s.err 'ev("accept")[0]["ts"] - ev("listening")[0]["ts"] > 0.35'
	head -c 20000 /dev/zero > d
	server r serve --reply d --rate 40K/s --json
	"$SOCKCTL" connect --recv-only 127.0.0.1 "$port" > /dev/null
	wait_grep '"close"' r.err
	json r.err '0.3 < ev("close")[0]["duration_s"] < 5'
}

@test "-u: each address is a connection; answers leave from the address that was asked" {
	mkfifo f
	exec 7<> f
	BG_INPUT=f bg s "$SOCKCTL" serve -u -p 0 --port-file s.port --json --datagram line --idle 1
	wait_for test -s s.port
	port=$(cat s.port)
	(printf 'x\n'; sleep 0.5) | bg_connect_udp 127.0.0.2 3>&- &
	local c=$! asked=127.0.0.2
	is_portable && asked=0.0.0.0 # POSIX does not tell
	wait_grep '"accept"' s.err
	echo answer >&7
	wait_grep answer u.out
	wait "$c"
	exec 7>&-
	wait_grep '"close"' s.err
	json s.err 'ev("close")[0]["reason"] == "idle" and ev("accept")[0]["local"].startswith("127.0.0.2:")'
	assert_equal "$(cat s.out)" x
}

bg_connect_udp() {
	"$SOCKCTL" connect -u "$1" "$port" > u.out 2> u.err 3>&-
}

@test "Unix-domain sockets: path, mode, taken over only when nobody listens, removed" {
	bg s "$SOCKCTL" serve -U "$PWD/s.sock" --unix-mode 600 --discard
	sp=$pid
	wait_for test -S s.sock
	wait_grep listening s.err
	assert_equal "$(stat -c %a s.sock)" 600
	run_err -7 "$SOCKCTL" serve -U "$PWD/s.sock"
	printf x | "$SOCKCTL" connect --fin 0 "unix:$PWD/s.sock"
	kill -KILL "$sp"
	ended "$sp"
	bg t "$SOCKCTL" serve -U "$PWD/s.sock" --discard
	wait_grep listening t.err
	stop "$pid"
	assert_not_exist s.sock
	touch file
	run_err -7 "$SOCKCTL" serve -U "$PWD/file"
	assert_exist file
	run_err -2 "$SOCKCTL" serve -U "$(printf '%0108d' 0)"
}

@test "-w waits for the first connection of --once only" {
	run_err -4 "$SOCKCTL" serve -p 0 --once -w 0.2
	run_err -2 "$SOCKCTL" serve -p 0 -w 1
	[[ $stderr == *--idle*--deadline* ]]
}

@test "a listener that cannot start leaves nothing behind" {
	local kind

	echo something > data
	for kind in -u "--reply -"; do
		# shellcheck disable=SC2086 # they are words
		run_err "$SOCKCTL" serve $kind -p 0 --port-file no/such < data
		assert_equal "$status" 6
	done
}

@test "port in use: exit 7 and who holds it; SIGUSR1 tells progress" {
	server s serve --discard
	sp=$pid
	run_err -7 "$SOCKCTL" serve -p "$port" -s 0.0.0.0
	[[ $stderr == *"in use (EADDRINUSE)"*"$sp"* ]]
	head -c 5000 /dev/zero | "$SOCKCTL" connect 127.0.0.1 "$port"
	kill -USR1 "$sp"
	wait_grep '5000 received' s.err
}

@test "--idle closes a connection, and the server goes on" {
	server s serve --idle 0.3 --json
	peer a sleep=5
	wait_grep '"idle"' s.err
	printf x | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port"
	wait_grep '"eof"' s.err
}
