# Section "Streams and their ends" of sockctl(1), sentence by sentence.
load helper/common

# peer NAME STEP...: a listening peer; $port, $pid.
peer() {
	local name=$1

	shift
	rm -f "$name.port"
	bg "$name" python3 "$SOCKCTL_TOP/tests/helper/peer.py" listen \
		"$name.port" "$@"
	wait_for test -s "$name.port"
	port=$(cat "$name.port")
}

data() {
	head -c "$1" /dev/urandom > data
}

@test "standard input ends: all is delivered, then one FIN, and reading goes on" {
	peer p drain send=late fin drain
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf question)
	assert_output late
	ended "$pid"
	assert_equal "$(head -n 1 p.out)" "drain 8 eof"
}

@test "the peer's FIN: everything received is delivered" {
	peer p sendn=3000000 close
	"$SOCKCTL" connect 127.0.0.1 "$port" < /dev/null > out
	assert_equal "$(stat -c %s out)" 3000000
}

@test "no FIN is told after a loss, on a Unix socket too" {
	bg s "$SOCKCTL" serve -U "$PWD/s" --once --behave close-unread
	wait_grep listening s.err
	head -c 1M /dev/zero > data
	run -5 "$SOCKCTL" connect -U "$PWD/s" --json < data
	printf '%s\n' "${lines[@]}" > e
	json e 'not [h for h in ev("half-close") if h["side"] == "local"]'
	json e 'ev("close")[0]["first"] == "peer"'
}

@test "urgent data of the peer costs nothing of what follows it" {
	cat > urgent.py <<- END
		import os, socket
		s = socket.create_server(("127.0.0.1", 0))
		open("u.new", "w").write(str(s.getsockname()[1]))
		os.rename("u.new", "u.port")
		for i in range(2):
		    c = s.accept()[0]
		    c.send(b"ab")
		    c.send(b"X", socket.MSG_OOB)
		    c.sendall(b"cd" * 50000)
		    c.shutdown(socket.SHUT_WR)
		    c.recv(1)
		    c.close()
	END
	bg u python3 urgent.py
	wait_for test -s u.port
	"$SOCKCTL" connect 127.0.0.1 "$(cat u.port)" < /dev/null | cat > out
	assert_equal "$(head -c 4 out) $(wc -c < out)" "abcd 100002"
	"$SOCKCTL" connect 127.0.0.1 "$(cat u.port)" < /dev/null > out
	assert_equal "$(head -c 4 out) $(wc -c < out)" "abcd 100002"
}

@test "the FIN of a short request waits for the answer" {
	# A peer that takes a FIN for a hang-up: its answer comes after 0.3 s, and
	# it looks whether the FIN came before.
	peer p recv=3 nofin=0.3 send=answer drain
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf ask)
	assert_output answer
	ended "$pid"
	assert_equal "$(sed -n 2p p.out)" "no fin"
}

@test "the held FIN comes 100 ms after the answer, 1 s without one, --fin 0 at once" {
	peer p recv=3 send=answer drain close
	run_err -0 "$SOCKCTL" connect --json 127.0.0.1 "$port" < <(printf ask)
	assert_output answer
	printf '%s\n' "$stderr" > e
	json e 'ev("close")[0]["first"] == "local" and 0.08 < last["duration_s"] < 0.9'
	# Sent and answered in one turn of the loop.
	mkfifo f
	exec 7<> f
	peer p peek send=answer drain close 7>&-
	BG_INPUT=f bg c "$SOCKCTL" connect --json -v 127.0.0.1 "$port" 7>&-
	wait_grep connect c.err
	printf ask > f
	exec 7>&-
	ended "$pid"
	assert_equal "$(cat c.out)" answer
	json c.err '0.08 < last["duration_s"] and ev("close")[0]["ts"] - ev("half-close")[0]["ts"] < 0.9'
	peer p recv=3 drain close
	run_err -0 "$SOCKCTL" connect --json 127.0.0.1 "$port" < <(printf ask)
	printf '%s\n' "$stderr" > e
	json e 'last["duration_s"] > 0.95'
	json e '"FIN" in ev("close")[0]["why"]'
	peer p recv=3 drain close
	run_err -0 "$SOCKCTL" connect --fin 0 --json 127.0.0.1 "$port" \
		< <(printf ask)
	printf '%s\n' "$stderr" > e
	json e 'last["duration_s"] < 0.9'
}

@test "the FIN of 64 KiB and more waits for nothing" {
	data 65536
	peer p drain close
	run_err -0 "$SOCKCTL" connect --json 127.0.0.1 "$port" < data
	printf '%s\n' "$stderr" > e
	json e 'last["duration_s"] < 0.9 and last["tx"] == 65536'
}

@test "-S never sends FIN; --expect holds it until TEXT was seen" {
	peer p recv=3 sleep=1.3 send=x mark=open close
	run_err -0 "$SOCKCTL" connect -S -v 127.0.0.1 "$port" < <(printf ask)
	assert_output x
	refute_line --partial "local side ended"
	peer p recv=3 sleep=1.2 send=ready drain close
	run_err -0 "$SOCKCTL" connect --expect ready --json 127.0.0.1 "$port" \
		< <(printf ask)
	printf '%s\n' "$stderr" > e
	json e 'last["duration_s"] > 1.1 and ev("close")[0]["first"] == "local"'
}

@test "no input (/dev/null) sends no FIN until the peer has sent its own" {
	peer p sleep=1.3 send=hello fin drain
	run_err -0 "$SOCKCTL" connect --json 127.0.0.1 "$port" < /dev/null
	assert_output hello
	printf '%s\n' "$stderr" > e
	json e 'ev("close")[0]["first"] == "peer"'
	ended "$pid"
	assert_equal "$(cat p.out)" "drain 0 eof"
}

@test "a closed standard input works as /dev/null, and no socket lands on 0" {
	peer p send=hello close
	"$SOCKCTL" connect 127.0.0.1 "$port" <&- > out
	assert_equal "$(cat out)" hello
	peer p drain
	printf abc | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port" >&- 2>&-
	ended "$pid"
	assert_equal "$(cat p.out)" "drain 3 eof"
}

@test "standard input and output may be one socket (inetd)" {
	peer p recv=3 send=answer drain close
	run -0 timeout 10 python3 - "$SOCKCTL" "$port" <<- 'END'
		import socket, subprocess, sys
		l = socket.create_server(("127.0.0.1", 0))
		b = socket.create_connection(l.getsockname())
		a = l.accept()[0]
		p = subprocess.Popen([sys.argv[1], "connect", "127.0.0.1",
		    sys.argv[2]], stdin=a, stdout=a)
		a.close()
		b.sendall(b"ask")
		print(b.recv(6))
		b.shutdown(socket.SHUT_WR)
		print(b.recv(6), p.wait())
	END
	assert_line "b'answer'"
	assert_line "b'' 0"
}

@test "--recv-only never reads; --send-only sends, FIN at once, discards" {
	peer p send=abc close
	run -0 "$SOCKCTL" connect --recv-only 127.0.0.1 "$port" < <(printf x)
	assert_output abc
	peer p send=unwanted drain close
	run -0 "$SOCKCTL" connect --send-only 127.0.0.1 "$port" < <(printf x)
	assert_output ""
	ended "$pid"
	assert_equal "$(cat p.out)" "drain 1 eof"
}

@test "after the peer's FIN standard input is sent while it gives data" {
	peer p fin drain
	(for i in 1 2 3 4; do sleep 0.4; echo "$i"; done) |
		"$SOCKCTL" connect 127.0.0.1 "$port"
	ended "$pid"
	assert_equal "$(cat p.out)" "drain 8 eof"
}

@test "after the peer's FIN an idle pipe is given up after 1 s" {
	mkfifo f
	peer p fin drain
	exec 7<> f
	bg c env "$SOCKCTL" connect 127.0.0.1 "$port"
	kill "$pid"
	ended "$pid"
	peer p fin drain
	BG_INPUT=f bg c "$SOCKCTL" connect --json 127.0.0.1 "$port"
	ended "$pid"
	exec 7>&-
	assert_equal "$code" 0
	json c.err '0.9 < last["duration_s"] < 5'
}

@test "--half-close goes on until standard input ends; --exit-on-eof leaves at once" {
	peer p fin drain
	(sleep 1.6; echo x) | "$SOCKCTL" connect --half-close 127.0.0.1 "$port"
	ended "$pid"
	assert_equal "$(cat p.out)" "drain 2 eof"
	mkfifo f
	exec 7<> f
	peer p fin drain
	BG_INPUT=f bg c "$SOCKCTL" connect --exit-on-eof --json 127.0.0.1 "$port"
	ended "$pid"
	exec 7>&-
	assert_equal "$code" 0
	json c.err 'last["duration_s"] < 0.8'
}

@test "--exit-on-eof: no pace holds it up, nor does a peer that does not read" {
	data 20000
	for pace in "--rate 4kbit" "--delay 2 --chunk 1000"; do
		peer p fin drain
		# shellcheck disable=SC2086 # words are wanted
		run_err -0 "$SOCKCTL" connect --exit-on-eof $pace --json \
			127.0.0.1 "$port" < data
		printf '%s\n' "$stderr" > e
		json e 'last["duration_s"] < 15 and last["unsent"] == 0'
		ended "$pid"
	done
	peer p rcvbuf=4096 fin file=go
	run_err -5 "$SOCKCTL" connect --exit-on-eof --json 127.0.0.1 "$port" \
		< <(head -c 50000000 /dev/zero)
	printf '%s\n' "$stderr" > e
	json e 'ev("error")[0]["op"] == "send" and last["duration_s"] < 15'
}

@test "a reset: one line with the counts, exit 5, what had arrived is delivered" {
	peer p send=partial recv=4 sleep=0.2 rst
	run_err -5 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf ping)
	assert_output partial
	assert_equal "${#stderr_lines[@]}" 1
	assert_equal "$(grep -c 'reset by peer after 4 sent, 7 received, 0 not sent' <<< "$stderr")" 1
}

@test "sent means acknowledged: a peer that takes both FINs and then resets is a loss" {
	data 3000000
	peer p rcvbuf=4096 fin sleep=1 rst
	run_err -5 "$SOCKCTL" connect --json 127.0.0.1 "$port" < data
	printf '%s\n' "$stderr" > e
	json e 'last["exit"] == 5 and ev("error")[0]["errno"] in ("ECONNRESET", "EPIPE")'
	json e 'ev("close")[0]["reason"] == "reset"'
	json e 'last["tx"] + last["unsent"] <= 3000000'
}

@test "-q ends with a plain close after which the peer still reads everything" {
	data 200000
	peer p rcvbuf=400000 file=go drain
	"$SOCKCTL" connect -q 0 127.0.0.1 "$port" < data
	touch go
	ended "$pid"
	assert_equal "$(cat p.out)" "drain 200000 eof"
}

@test "-q TIME hears that long; without input it sends no FIN" {
	peer p recv=1 sleep=0.2 send=soon sleep=3 send=late
	run_err -0 "$SOCKCTL" connect -q 1 --json 127.0.0.1 "$port" < <(printf a)
	assert_output soon
	printf '%s\n' "$stderr" > e
	json e '0.9 < last["duration_s"] < 2.8'
	kill "$pid" 2> /dev/null || true
	peer p sleep=0.2 send=x drain
	run_err -0 "$SOCKCTL" connect -q 0.5 -v 127.0.0.1 "$port" < /dev/null
	assert_output x
	refute_line --partial "half-close"
}

@test "standard output closed: dies of SIGPIPE; ignored: message and exit 6; full: 6" {
	peer p sendn=30000000 drain
	set +o pipefail
	"$SOCKCTL" connect 127.0.0.1 "$port" < /dev/null 2> err | head -c 1 > /dev/null
	assert_equal "${PIPESTATUS[0]}" 141
	assert_equal "$(cat err)" ""
	kill "$pid" 2> /dev/null || true # the reset may have ended it
	peer p sendn=30000000 drain
	(trap '' PIPE; "$SOCKCTL" connect 127.0.0.1 "$port" < /dev/null 2> err |
		head -c 1 > /dev/null; exit "${PIPESTATUS[0]}") && code=0 || code=$?
	assert_equal "$code" 6
	grep -q 'write standard output: Broken pipe (EPIPE)' err
	kill "$pid" 2> /dev/null || true # the reset may have ended it
	peer p sendn=3000 drain
	run_err -6 bash -c '"$0" connect 127.0.0.1 "$1" < /dev/null > /dev/full' \
		"$SOCKCTL" "$port"
	assert_equal "$(grep -c ENOSPC <<< "$stderr")" 1
}

@test "signals: a client reports and dies of them; a second one ends a server at once" {
	peer p drain
	bg c env --default-signal=INT "$SOCKCTL" connect --json 127.0.0.1 "$port"
	wait_grep '"connect"' c.err
	stop "$pid" INT
	assert_equal "$code" 130
	json c.err 'last["event"] == "summary" and last["exit"] == 130'
	peer p drain
	bg c "$SOCKCTL" connect -v 127.0.0.1 "$port"
	wait_grep ' connect ' c.err
	stop "$pid"
	assert_equal "$code" 143
	server s serve --json
	stop "$pid"
	assert_equal "$code" 0
	json s.err 'last["event"] == "summary" and last["exit"] == 0'
}

@test "SIGHUP acts as SIGTERM; ignored at start (nohup) it stays ignored" {
	bg s env --default-signal=HUP "$SOCKCTL" serve -p 0 --port-file s.port
	wait_for test -s s.port
	stop "$pid" HUP
	assert_equal "$code" 0
	(trap '' HUP; exec "$SOCKCTL" serve -p 0 --port-file n.port 2> n.err < /dev/null) 3>&- &
	COMMON_PIDS+=($!)
	pid=$!
	wait_for test -s n.port
	kill -HUP "$pid"
	printf x | "$SOCKCTL" connect --fin 0 127.0.0.1 "$(cat n.port)"
	stop "$pid"
	assert_equal "$code" 0
}

@test "a server told to stop waits for no client that has all" {
	server s serve --json -v
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" file=go
	wait_grep accept s.err
	stop "${COMMON_PIDS[0]}"
	touch go
	json s.err 'ev("close")[0]["reason"] == "local"'
	json s.err 'ev("close")[0]["ts"] - ev("half-close")[0]["ts"] < 0.9'
}

@test "a server told to stop sends what is queued" {
	data 2000000
	server s serve --reply data
	sp=$pid
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" \
		rcvbuf=4096 mark=in file=go drain
	wait_for test -e in
	wait_grep accept s.err
	touch go
	stop "$sp"
	assert_equal "$code" 0
	ended "$pid"
	grep -q '^drain' c.out
}

@test "sockctl sends no RST of its own: unread input is drained before a close" {
	peer p recv=1 sendn=100000 mark=sent sleep=0.3 drain
	"$SOCKCTL" connect -q 0.5 127.0.0.1 "$port" < <(printf a) > /dev/null
	ended "$pid"
	assert_equal "$(tail -n 1 p.out)" "drain 0 eof"
}

@test "an idle process uses no CPU time, whatever is at end-of-file" {
	mkfifo f
	exec 7<> f
	server s serve
	sp=$pid
	sport=$port
	peer p sleep=60
	bg a "$SOCKCTL" connect 127.0.0.1 "$port"
	a=$pid
	peer q fin sleep=60
	BG_INPUT=f bg b "$SOCKCTL" connect --half-close 127.0.0.1 "$port"
	b=$pid
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$sport" sleep=60
	wait_grep accept s.err
	sleep 0.3
	local before=() after=() i=0
	for id in "$sp" "$a" "$b"; do before+=("$(cpu_ms "$id")"); done
	sleep 1.2
	for id in "$sp" "$a" "$b"; do
		after=$(cpu_ms "$id")
		[ "$((after - before[i]))" -le 20 ] || fail "$id used $((after - before[i])) ms"
		i=$((i + 1))
	done
	exec 7>&-
}

@test "no client and no end of standard input ends a server that serves on" {
	server s serve
	sp=$pid
	for how in rst close fin; do
		python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" send=x "$how"
	done
	printf again | "$SOCKCTL" connect --fin 0 127.0.0.1 "$port"
	wait_grep '#4 close' s.err
	kill -0 "$sp"
	grep -q again s.out
}

@test "--idle and --deadline: exit 4, with a line that says which" {
	peer p sleep=30
	run_err -4 "$SOCKCTL" connect --idle 0.3 127.0.0.1 "$port" < /dev/null
	assert_equal "$(grep -c 'nothing moved for' <<< "$stderr")" 1
	peer p sleep=30
	run_err -4 "$SOCKCTL" connect --deadline 0.3 127.0.0.1 "$port" < /dev/null
	assert_equal "$(grep -c 'deadline' <<< "$stderr")" 1
}

@test "--linger 0 sends RST; --linger 3 with full buffers stops no other client" {
	peer p recv=1 drain
	"$SOCKCTL" connect --linger 0 -q 0 127.0.0.1 "$port" < <(printf a)
	ended "$pid"
	assert_equal "$(tail -n 1 p.out)" "drain 0 eof" ||
		assert_equal "$(tail -n 1 p.out)" "drain 0 reset"
	data 4000000
	server s serve --linger 3 --reply data
	sp=$pid
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" \
		rcvbuf=4096 mark=in sleep=20
	wait_for test -e in
	wait_grep '#1 accept' s.err
	"$SOCKCTL" connect --recv-only 127.0.0.1 "$port" > out
	cmp out data
}

@test "serve --once: the end of standard input means FIN at once" {
	server s serve --once
	ended "$pid" & wait_for true
	mkfifo f
	rm -f t.port
	(echo hello > f) 3>&- &
	BG_INPUT=f bg t "$SOCKCTL" serve -p 0 --port-file t.port --once --json
	wait_for test -s t.port
	python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$(cat t.port)" drain > o
	ended "$pid"
	assert_equal "$(cat o)" "drain 6 eof"
	json t.err 'last["exit"] == 0 and last["duration_s"] < 5'
}

@test "serve: a client's FIN ends its connection, what is queued for it is sent" {
	mkfifo f
	exec 7<> f
	BG_INPUT=f bg s "$SOCKCTL" serve -p 0 --port-file s.port
	wait_for test -s s.port
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$(cat s.port)" \
		mark=in file=go fin drain
	wait_grep accept s.err
	head -c 50000 /dev/zero >&7
	wait_for test -e in
	touch go
	ended "$pid"
	exec 7>&-
	assert_equal "$(cat c.out)" "drain 50000 eof"
}

@test "a terminal: Ctrl-D sends FIN; after the peer's FIN it ends at once" {
	needs expect
	peer p recv=3 send=bye close
	run -0 expect -c "
		log_user 0
		set timeout 10
		spawn $SOCKCTL connect 127.0.0.1 $port
		send \"ab\r\"
		expect bye
		expect eof
		exit [lindex [wait] 3]"
	peer p recv=3 drain close
	run -0 expect -c "
		log_user 0
		set timeout 10
		spawn $SOCKCTL connect 127.0.0.1 $port
		send \"ab\r\"
		send \"\004\"
		expect eof
		exit [lindex [wait] 3]"
	ended "$pid"
	assert_equal "$(tail -n 1 p.out)" "drain 0 eof"
}

@test "a background job of a terminal is not stopped and reads when it comes to the front" {
	needs expect
	peer p recv=5 send=done close
	run -0 expect -c "
		log_user 0
		set timeout 15
		spawn bash --norc -i
		send \"set -m; PS1=; $SOCKCTL connect -v 127.0.0.1 $port &\r\"
		expect -re {connect 127}
		sleep 0.5
		send \"jobs\r\"
		expect Running
		send \"fg\r\"
		sleep 0.5
		send \"abcd\r\"
		expect done
		exit 0"
}
