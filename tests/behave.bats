# behave: each peer that misbehaves, contract section 4.
load helper/common

talk() { # talk STEP...: an independent client, on $port; its lines in $output
	run timeout "$WAIT_MAX" python3 "$SOCKCTL_TOP/tests/helper/peer.py" \
		connect "$port" "$@"
}

@test "behave: never-accept only listens" {
	server s serve --backlog 8 --behave never-accept
	talk nofin=0.3
	assert_output "no fin"
	refute grep -q accept s.err
}

@test "behave: never-read accepts, and takes no more than its buffer" {
	server s serve --rcvbuf 8K --json --behave never-read
	bg c "$SOCKCTL" connect --json --sndbuf 8K --step-timeout 500ms \
		--script 'sendall 64M' 127.0.0.1 "$port"
	ended "$pid"
	assert_equal "$code" 4
	json c.err '0 < ev("blocked")[0]["result"] < 64 << 20'
	json s.err 'len(ev("accept")) == 1'
}

@test "behave: never-reply reads and says nothing" {
	server s serve -1 --json --behave never-reply
	talk sendn=3000000 nofin=0.2 fin drain
	assert_output "$(printf 'no fin\ndrain 0 eof')"
	ended "$pid"
	assert_equal "$code" 0
	json s.err 'last["rx"] == 3000000'
}

@test "behave: slow-read reads RATE" {
	server s serve --json --behave slow-read=10K/s
	bg c "$SOCKCTL" connect --script 'sendall 3072; shutdown wr; drain' 127.0.0.1 "$port"
	ended "$pid"
	assert_equal "$code" 0
	wait_grep '"event":"close"' s.err
	# Three reads of a tenth of a second each.
	json s.err 'ev("close")[0]["rx"] == 3072 and ev("close")[0]["duration_s"] >= 0.25'
}

@test "behave: one-byte echoes, a byte a write" {
	server s serve -1 --json --behave one-byte -x -
	talk send=abcdef recv=6 fin drain
	assert_output "$(printf 'recv abcdef\ndrain 0 eof')"
	ended "$pid"
	json s.err '[len(e["hex"].replace(" ", "")) for e in ev("data") if e["dir"] == "out"] == [2] * 6'
}

@test "behave: stall reads N bytes, then no more" {
	server s serve --json --stats --watch 50ms --behave stall=5
	talk send=123456789 nofin=0.3 close
	assert_output "no fin"
	is_portable || wait_grep '"recvq":4' s.err
}

@test "behave: rst-after reads N bytes, then resets" {
	server s serve -1 --json --behave rst-after=5
	talk send=12345 drain
	assert_output "drain 0 reset"
	ended "$pid"
	json s.err 'last["rx"] == 5'
}

@test "behave: close-unread: the system resets" {
	server s serve --behave close-unread
	talk send=12345 drain
	assert_output "drain 0 reset"
}

@test "behave: half-close sends FIN at once and reads on" {
	server s serve -1 --json --behave half-close
	talk nofin=5 sendn=5000 fin drain
	assert_output "$(printf 'fin\ndrain 0 eof')"
	ended "$pid"
	assert_equal "$code" 0
	json s.err 'last["rx"] == 5000'
}

@test "behave: echo-late echoes after TIME" {
	server s serve -1 --behave echo-late=300ms
	talk send=abc nofin=0.1
	[[ $output != *data* ]]
	stop "$pid"
	server s serve -1 --behave echo-late=300ms
	talk send=abc recv=3 fin drain
	assert_output "$(printf 'recv abc\ndrain 0 eof')"
}

@test "behave: what is wrong is a usage error that says what is right" {
	local name

	for name in nosuch never-read=1 stall stall= stall=0 stall=x \
		'stall=5; reset' slow-read=fast echo-late=x rst-after=-1; do
		run_err timeout 5 "$SOCKCTL" serve -p 0 --behave "$name"
		assert_equal "$status" 2
		assert_equal "${#stderr_lines[@]}" 1
	done
}

@test "behave: help behaviours: each script can be played by --script" {
	run "$SOCKCTL" help behaviours
	assert_equal "$status" 0
	local line text n=0
	while read -r line; do
		[[ $line == --script* ]] || continue
		text=${line#*\'}
		text=${text%\'*}
		text=${text//%/5}
		run_err timeout 5 "$SOCKCTL" connect -w 1 127.0.0.1 1 --script "$text"
		assert_equal "$status" 1
		n=$((n + 1))
	done <<< "$output"
	assert_equal "$n" 9
}
