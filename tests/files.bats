#!/usr/bin/env bats
# sendfile and recvfile with each other, and --raw with netcats: what arrives is
# what was sent, under its name only when it is whole.

load helper/common

# receive OPTION...: a listening recvfile into ./in; $pid, $port.
receive() {
	mkdir -p in
	server recv recvfile -s 127.0.0.1 -d in "$@"
	receiver=$pid
}

# sends ARGUMENT...: a sendfile to it that must succeed.
sends() {
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" "$@"
	((status == 0)) || fail "sendfile $*: exit $status: $output $stderr"
}

refuses() {
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" "$@"
	assert_equal "$status" 8
}

random() {
	head -c "$1" /dev/urandom > "$2"
}

no_parts() {
	run find "$@" -name '.*.part'
	assert_output ''
}

@test "files: each size around a block arrives with its hash, mode and time" {
	local n

	receive --json
	for n in 0 1 262143 262144 262145 3000000; do
		random $n f$n
	done
	chmod 750 f1
	chmod 4755 f0
	touch -d '2001-02-03 04:05:06.789' f1
	sends f0 f1 f26214? f3000000
	for n in 0 1 262143 262144 262145 3000000; do
		cmp f$n in/f$n
	done
	assert_equal "$(stat -c %a in/f1)" 750
	assert_equal "$(stat -c %a in/f0)" 755
	assert_equal "$(stat -c %y in/f1)" "$(stat -c %y f1)"
	assert_output --partial 'f0: ok'
	no_parts in
	stop "$receiver"
	assert_equal "$code" 0
	hash=$(python3 "$SOCKCTL_TOP/tests/helper/xfer.py" hash f3000000)
	json recv.out "[e['size'] for e in ev('file')] ==
		[0, 1, 262143, 262144, 262145, 3000000]"
	json recv.out "ev('file')[5]['hash'] == 'xxh64:$hash'"
	json recv.out "all(e['status'] == 'ok' and e['conn'] == 1 and
		e['bytes'] == e['size'] and e['offset'] == 0 and
		e['reason'] is None and e['elapsed_s'] >= 0
		for e in ev('file'))"
	json recv.out "last['event'] == 'summary' and last['exit'] == 0 and
		last['files'] == 6 and last['ok'] == 6 and
		last['bytes'] == 3786433 and last['skipped'] == 0 and
		last['refused'] == 0 and last['failed'] == 0 and
		last['elapsed_s'] > 0 and last['bytes_per_second'] > 0"
}

@test "files: a listening sendfile serves one receiver after the other" {
	random 500000 a
	random 10 b
	server send sendfile -s 127.0.0.1 a b --json
	mkdir one two
	run_err "$SOCKCTL" recvfile 127.0.0.1 "$port" -d one --json
	assert_equal "$status" 0
	echo "$output" > one.json
	json one.json "ev('file')[0]['name'] == 'a' and last['ok'] == 2"
	run_err "$SOCKCTL" recvfile "127.0.0.1:$port" -d two
	assert_equal "$status" 0
	cmp a one/a && cmp b two/b
	stop "$pid"
	assert_equal "$code" 0
	json send.out "last['ok'] == 4 and last['files'] == 4 and
		last['bytes'] == 1000020"
}

@test "files: --once ends both sides with their result" {
	random 1000 a
	receive -1
	sends a
	ended "$receiver"
	assert_equal "$code" 0
	receive -1
	refuses a
	ended "$receiver"
	assert_equal "$code" 8
	server send sendfile -1 a
	run "$SOCKCTL" recvfile 127.0.0.1 "$port" -O b
	assert_equal "$status" 0
	ended "$pid"
	assert_equal "$code" 0
	cmp a b
}

@test "files: folders with all in them; links are skipped, or followed" {
	mkdir -p tree/sub/deep tree/empty tree/bin
	random 1000 tree/sub/deep/f
	echo hi > "tree/sub/grün und 日本"
	echo bad > $'tree/sub/\xff\xfe'
	ln -s sub/deep/f tree/link
	ln -s .. tree/sub/up
	ln -s nowhere tree/dangling
	mkfifo tree/fifo
	chmod 711 tree/bin
	receive
	run "$SOCKCTL" sendfile 127.0.0.1 "$port" tree
	assert_equal "$status" 2
	assert_output --partial 'recursive'
	sends -r tree/ --json
	echo "$output" > send.json
	json send.json "sorted(e['name'] for e in ev('file')
		if e['status'] == 'skipped') == ['tree/dangling', 'tree/fifo',
		'tree/link', 'tree/sub/up']"
	json send.json "last['ok'] == 3 and last['skipped'] == 4"
	assert_dir_exists in/tree/empty
	assert_equal "$(stat -c %a in/tree/bin)" 711
	rm tree/link tree/sub/up tree/dangling tree/fifo
	diff -r tree in/tree
	ln -s sub/deep/f tree/link
	ln -s .. tree/sub/up
	rm -r in/tree
	sends -r --follow tree
	cmp tree/sub/deep/f in/tree/link
	assert_output --partial 'up: skipped: a link to a folder that it is in'
	mkdir in/.x
	(cd tree && "$SOCKCTL" sendfile 127.0.0.1 "$port" -r . > /dev/null)
	cmp tree/sub/deep/f in/sub/deep/f
}

@test "files: standard input of unknown length, and other names" {
	random 700000 a
	receive
	run_err bash -c "(head -c 300000 a; sleep 0.2; tail -c +300001 a) |
		'$SOCKCTL' sendfile 127.0.0.1 $port - --as b/c --json"
	assert_equal "$status" 0
	cmp a in/b/c
	echo "$output" > send.json
	json send.json "ev('file')[0]['name'] == 'b/c' and
		ev('file')[0]['size'] == 700000"
	run_err bash -c "'$SOCKCTL' sendfile 127.0.0.1 $port - a < a"
	assert_equal "$status" 0
	cmp a in/stdin && cmp a in/a
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" - < /dev/null --as none
	assert_equal "$status" 0
	assert_equal "$(stat -c %s in/none)" 0
	for name in .. a/../b /etc/x '' $'a\nb'; do
		run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a --as "$name"
		assert_equal "$status" 2
	done
}

@test "files: --output takes one file, to a name or to standard output" {
	random 700000 a
	server out recvfile -1 -O -
	sends a
	ended "$pid"
	assert_equal "$code" 0
	cmp a out.out
	assert_file_contains out.err accept
	bg slow bash -c "'$SOCKCTL' recvfile -p 0 --port-file slow.port -1 \
		-O - --json | (sleep 0.5; cat > got); exit \${PIPESTATUS[0]}"
	wait_for test -s slow.port
	port=$(cat slow.port)
	sends a --idle 10
	ended "$pid"
	assert_equal "$code" 0
	cmp a got
	json slow.err "last['event'] == 'summary' and last['ok'] == 1"
	server name recvfile -O b --json
	refuses a a
	assert_file_exists b
	refuses a
	stop "$pid"
	cmp a b
	json name.out "sorted(e['status'] for e in ev('file')) == ['ok',
		'refused', 'refused']"
	server null recvfile -1 -O /dev/null
	sends a
	run "$SOCKCTL" recvfile -p 0 -O in/none/x
	assert_equal "$status" 6
	run "$SOCKCTL" recvfile -p 0 -O .
	assert_equal "$status" 6
	run "$SOCKCTL" recvfile -p 0 -d none
	assert_equal "$status" 6
}

@test "files: an existing file is refused, replaced, renamed or skipped" {
	echo new > a
	mkdir in
	echo old > in/a
	touch -d '2001-02-03 04:05:06' in/a
	receive
	refuses a
	assert_file_contains in/a old
	assert_regex "$stderr" 'a file of that name exists'
	stop "$receiver"
	receive --rename --json
	sends a
	sends a
	assert_file_contains in/a old
	assert_file_contains in/a.2 new
	stop "$receiver"
	json recv.out "[e['name'] for e in ev('file')] == ['a.1', 'a.2']"
	receive --skip --json
	refuses a
	cp -p a in/a
	sends a --json
	echo "$output" > send.json
	json send.json "ev('file')[0]['status'] == 'skipped' and
		last['skipped'] == 1 and last['bytes'] == 0"
	touch -d '2001-02-03 04:05:06' a
	refuses a
	stop "$receiver"
	receive --overwrite
	echo newer > a
	sends a
	assert_file_contains in/a newer
	no_parts in
}

@test "files: --max-size, hidden names, the umask" {
	random 1001 a
	mkdir -p .ssh
	echo key > .ssh/authorized_keys
	chmod 666 a
	receive --max-size 1000
	refuses a
	assert_regex "$stderr" 'larger than the receiver takes'
	run bash -c "'$SOCKCTL' sendfile 127.0.0.1 $port - < a"
	assert_equal "$status" 8
	refuses -r .ssh
	refuses .ssh/authorized_keys --as .ssh/authorized_keys
	run find in -type f -not -name '.stdin.part'
	assert_output ''
	stop "$receiver"
	umask 027
	receive --dotfiles
	umask 022
	sends a
	sends -r .ssh
	assert_equal "$(stat -c %a in/a)" 640
	cmp .ssh/authorized_keys in/.ssh/authorized_keys
	echo x > .x.part
	refuses .x.part
	no_parts in
}

@test "files: several senders at once; the second of one name is refused" {
	local i

	for i in 1 2 3 4 5; do
		random 2000000 f$i
	done
	receive --json
	for i in 1 2 3 4 5; do
		bg s$i "$SOCKCTL" sendfile 127.0.0.1 "$port" f$i --rate 5M/s
		pids[i]=$pid
	done
	wait_for test -s in/.f1.part
	refuses f1
	assert_regex "$stderr" 'under way'
	for i in 1 2 3 4 5; do
		ended "${pids[i]}"
		assert_equal "$code" 0
		cmp f$i in/f$i
	done
	stop "$receiver"
	json recv.out "last['ok'] == 5 and last['refused'] == 1"
}

@test "files: a thousand small ones, more than may be offered at once" {
	local n=1000

	[ -z "${FULL-}" ] || n=10000
	mkdir many
	(cd many && seq $n | split -l 1 -a 4 -)
	receive
	sends -r many --json
	echo "$output" > send.json
	json send.json "last['ok'] == $n"
	diff -r many in/many
	# With few descriptors it takes turns.
	rm -r in/many
	stop "$receiver"
	(ulimit -n 40 && exec "$SOCKCTL" recvfile -p 0 --port-file few.port \
		-d in --quiet) > few.out 2> few.err 3>&- &
	COMMON_PIDS+=($!)
	wait_for test -s few.port
	port=$(cat few.port)
	(ulimit -n 30 && "$SOCKCTL" sendfile -r 127.0.0.1 "$port" many)
	diff -r many in/many
}

@test "files: over 4 GiB (FULL=1)" {
	[ -n "${FULL-}" ] || skip 'FULL=1 sends 4.1 GiB'
	truncate -s 4300000000 a
	echo end >> a
	receive -1 --json
	sends a
	cmp a in/a
	ended "$receiver"
	json recv.out "ev('file')[0]['size'] == 4300000004"
}

@test "files: both sides stay below 16 MiB of memory" {
	! is_san || skip 'sanitizers take memory of their own'
	random 30000000 a
	receive
	bg send "$SOCKCTL" sendfile -p 0 --port-file send.port a
	sends a a a --rate 100M/s &
	wait_for test -s send.port
	"$SOCKCTL" recvfile 127.0.0.1 "$(cat send.port)" -O b
	for id in "$receiver" "$pid"; do
		assert [ "$(awk '/VmHWM/ { print $2 }' /proc/$id/status)" \
			-lt 16384 ]
	done
	kill %+ 2> /dev/null || true
	wait $! || true
}

@test "files: what was kept is resumed when both hashes agree" {
	random 3000000 a
	receive --json
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --rate 4M/s
	wait_for bash -c '[ "$(stat -c %s in/.a.part)" -gt 500000 ]'
	kill -KILL "$pid"
	wait_for grep -q '"status":"failed"' recv.out
	assert_file_not_exists in/a
	sends a --json
	echo "$output" > send.json
	json send.json "ev('file')[0]['offset'] > 500000 and
		ev('file')[0]['offset'] + ev('file')[0]['bytes'] == 3000000"
	cmp a in/a
	# Of another file, and of one that changed in its beginning.
	random 100000 in/.b.part
	random 200000 b
	sends b --json
	echo "$output" > send.json
	json send.json "ev('file')[0]['offset'] == 0"
	cmp b in/b
	random 300000 in/.c.part
	cp b c
	sends c
	cmp c in/c
	# All of it is there already.
	cp b in/.d.part
	cp b d
	sends d --json
	echo "$output" > send.json
	json send.json "ev('file')[0]['bytes'] == 0 and
		ev('file')[0]['offset'] == 200000"
	cmp d in/d
	stop "$receiver"
	receive --no-resume --json
	head -c 100000 b > in/.e.part
	sends b --as e
	cmp b in/e
	stop "$receiver"
	json recv.out "ev('file')[0]['offset'] == 0"
	no_parts in
}

@test "files: --no-verify on either side, --fsync, --rate, --progress" {
	random 600000 a
	receive --no-verify --fsync --json
	sends a --json
	assert_output --partial '"hash":null'
	cmp a in/a
	stop "$receiver"
	rm in/a
	receive --fsync --rate 2M/s --progress
	sends a --no-verify
	cmp a in/a
	SECONDS=0
	sends a --as b --rate 400K/s --progress
	((SECONDS >= 1))
	assert_regex "$stderr" 'b .*% .*/s'
	assert_file_contains recv.err 'b .*% .*/s'
	sends a --as c --rate 8mbit
	assert_equal "$stderr" ''
	sends a --as d --quiet
	assert_equal "$output$stderr" ''
	refuses a --as d --quiet
	assert_equal "$output" ''
	assert_regex "$stderr" '^sockctl sendfile: .*exists'
}

@test "files: Unix-domain sockets and IPv6" {
	random 100000 a
	mkdir in
	bg recv "$SOCKCTL" recvfile -U sock -d in -1
	wait_for test -S sock
	run "$SOCKCTL" sendfile -U sock a
	assert_equal "$status" 0
	ended "$pid"
	assert_equal "$code" 0
	cmp a in/a
	assert_file_not_exists sock
	needs_ipv6
	rm in/a
	server six recvfile -6 -s ::1 -1 -d in
	run "$SOCKCTL" sendfile "[::1]:$port" a
	assert_equal "$status" 0
	cmp a in/a
}

@test "files: signals: progress, a listener's end, a client's death" {
	random 3000000 a
	receive --json
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --rate 1M/s --json
	wait_for test -s in/.a.part
	kill -USR1 "$receiver"
	wait_grep '"event":"progress".*"bytes":[1-9]' recv.out
	stop "$pid"
	assert_equal "$code" 143
	json send.out "last['exit'] == 143 and last['failed'] == 1"
	wait_grep '"reason":"ended by the other side: it was stopped"' recv.out
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --rate 1M/s --json
	wait_grep '"event":"connect"' send.out
	sleep 0.2
	stop "$receiver"
	assert_equal "$code" 0
	json recv.out "last['event'] == 'summary' and last['exit'] == 0"
	ended "$pid"
	assert_equal "$code" 5
	assert_file_not_exists in/a
}

@test "files: bad input is told in one line, nothing is opened" {
	echo a > a
	mkdir d
	while read -r line; do
		# shellcheck disable=SC2086 # words are meant
		run_err "$SOCKCTL" $line
		assert_equal "$line: $status ${#stderr_lines[@]}" "$line: 2 1"
		assert_equal "$output" ''
	done << 'END'
sendfile
sendfile localhost
sendfile localhost 4000
sendfile localhost 0 a
sendfile localhost 4000 d
sendfile localhost 4000 - -
sendfile localhost 4000 a a --as b
sendfile localhost 4000 a a --raw
sendfile -u localhost 4000 a
sendfile localhost 4000 a --rate 5
sendfile localhost 4000 a --dotfiles
recvfile
recvfile localhost
recvfile localhost 4000 a
recvfile -p 4000 a
recvfile -p 65536
recvfile -p 4000 -O a -d d
recvfile -p 4000 --overwrite --rename
recvfile -p 4000 --max-size 0
recvfile -p 4000 --max-size x
recvfile -p 4000 --raw -d d
END
	run_err "$SOCKCTL" sendfile 127.0.0.1 9 none
	assert_equal "$status" 6
	assert_equal "${#stderr_lines[@]}" 1
	run_err "$SOCKCTL" sendfile 127.0.0.1 9 a --json
	assert_equal "$status" 1
	assert_output --partial '"summary"'
	receive
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" none a --json
	assert_equal "$status" 6
	echo "$output" > send.json
	json send.json "[e['status'] for e in ev('file')] == ['failed', 'ok']"
	cmp a in/a
}

@test "files: what is no file is named and not waited for" {
	local option

	mkfifo fifo
	for option in --raw --numeric; do
		receive
		bg send "$SOCKCTL" sendfile $option 127.0.0.1 "$port" fifo
		ended "$pid"
		assert_equal "$option $code" "$option 6"
		assert_file_contains send.err 'not a file but a fifo'
		stop "$receiver"
	done
}

@test "files: a receiver is told that the sender could not read all" {
	random 1000 a
	receive -1 --json
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a gone gone/too
	assert_equal "$status" 6
	ended "$receiver"
	assert_equal "$code" 5
	cmp a in/a
	json recv.out "last['exit'] == 5 and last['ok'] == last['files'] == 1 and
		last['error'] == ev('error')[0]['op'] + ' ' +
			ev('error')[0]['target'] + ': ' +
			'the other side could not read 2 of its files'"
	server send sendfile -s 127.0.0.1 a gone
	run_err "$SOCKCTL" recvfile "127.0.0.1:$port" -O -
	assert_equal "$status" 5
	assert_regex "$stderr" 'could not read 1 of its files'
}

# raw_out COMMAND...: what a netcat listens for, sent by sendfile --raw.
raw_pair() {
	local name=$1 listen=$2 connect=$3

	needs "$name"
	rm -f got port
	server raw sendfile --raw -1 a
	eval "timeout 20 $connect" > got < /dev/null
	cmp a got
	ended "$pid"
	assert_equal "$code" 0
	rm -f b
	server raw recvfile --raw -1 -O b
	connect=${connect/--recv-only/--send-only}
	eval "timeout 20 ${4:-$connect}" < a
	ended "$pid"
	assert_equal "$code" 0
	cmp a b
}

@test "files: --raw with nc.openbsd" {
	random 5000000 a
	raw_pair nc.openbsd '' 'nc.openbsd -d 127.0.0.1 $port' \
		'nc.openbsd -N 127.0.0.1 $port'
}

@test "files: --raw with nc.traditional" {
	random 5000000 a
	raw_pair nc.traditional '' 'nc.traditional 127.0.0.1 $port' \
		'nc.traditional -q 0 127.0.0.1 $port'
}

@test "files: --raw with ncat" {
	random 5000000 a
	raw_pair ncat '' 'ncat --recv-only 127.0.0.1 $port'
}

@test "files: --raw with socat" {
	random 5000000 a
	raw_pair socat '' 'socat -u TCP:127.0.0.1:$port -' \
		'socat -u - TCP:127.0.0.1:$port'
}

@test "files: one name twice in a run is taken in turn" {
	mkdir a b
	echo one > a/x
	echo other > b/x
	receive --rename
	sends a/x b/x
	assert_equal "$(cat in/x in/x.1)" $'one\nother'
	stop "$receiver"
	receive --overwrite
	sends a/x b/x
	assert_equal "$(cat in/x)" other
	stop "$receiver"
	rm -r in
	receive
	refuses a/x b/x
	assert_output --partial "a file of that name exists"
	assert_equal "$(cat in/x)" one
}

@test "files: a folder that is not there is 6, with what to type" {
	run_err -6 "$SOCKCTL" recvfile -p 0 -d inbox
	assert_equal "$stderr" "sockctl recvfile: open inbox: No such file or directory (ENOENT); the folder has to be there: mkdir inbox"
}
