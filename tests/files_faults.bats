#!/usr/bin/env bats
# sendfile and recvfile when something breaks: nothing under the final name that
# is not whole, both sides say so by their exit code, and what was kept counts.
# FULL=1 does more of it.

load helper/common

XFER="$SOCKCTL_TOP/tests/helper/xfer.py"

receive() {
	mkdir -p in
	server recv recvfile -s 127.0.0.1 -d in "$@"
	receiver=$pid
}

random() {
	head -c "$1" /dev/urandom > "$2"
}

# code_of PID CODE: it ends with that.
code_of() {
	ended "$1"
	assert_equal "$code" "$2"
}

# The transfer is under way.
under_way() {
	wait_for bash -c "[ \"\$(stat -c %s in/.$1.part)\" -gt ${2:-0} ]"
}

@test "files: kill -9 of either side, again and again, then it is whole" {
	local kills=6 size=32M rate=30M/s i before=0 hits=0 victim other

	[ -z "${FULL-}" ] || kills=50 size=200M rate=100M/s
	random $size a
	# One that comes too late has to be done again: the file is there then,
	# and is whole.
	for ((i = 0; hits < kills && i < 10 * kills; i++)); do
		receive -1
		bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --rate $rate \
			--quiet
		victim=$receiver other=$pid
		((i % 2)) || victim=$pid other=$receiver
		wait_grep accept recv.err
		wait_for eval "[ -s in/.a.part ] || [ -e in/a ]"
		sleep "0.0$((RANDOM % 10))"
		kill -KILL "$victim" 2> /dev/null || true
		ended "$victim"
		ended "$other"
		if [ -e in/a ]; then
			cmp a in/a
			rm in/a
			before=0
			continue
		fi
		assert_equal "$code" 5
		assert [ "$(stat -c %s in/.a.part)" -ge "$before" ]
		before=$(stat -c %s in/.a.part)
		hits=$((hits + 1))
	done
	assert_equal "$hits" $kills
	receive -1 --json
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	assert_equal "$status" 0
	code_of "$receiver" 0
	json recv.out "ev('file')[0]['offset'] >= $before and
		ev('file')[0]['status'] == 'ok'"
	cmp a in/a
	assert_file_not_exists in/.a.part
}

@test "files: a flipped bit anywhere is noticed by both sides" {
	local byte place send recv rest places=()

	# magic, hello 8, offer 37, start 85, block 113, its content 125 to
	# 3124, its hash, end 3133, done 3169 (that one after the file)
	random 3000 a
	for byte in 0 8 9 14 30 37 43 60 84 88 113 114 118 119 123 125 2000 \
		3124 3130 3133 3140 3168 3172 3196; do
		places+=("$byte:$((RANDOM % 8))")
	done
	for _ in {1..20}; do
		places+=("$((RANDOM % 3197)):$((RANDOM % 8))")
	done
	for ((byte = 0; ${#FULL} && byte < 3197; byte += 1 + RANDOM % 16)); do
		places+=("$byte:$((RANDOM % 8))")
	done
	python3 "$XFER" flips "$SOCKCTL" a "${places[@]}" > flips
	while read -r place send recv rest; do
		assert_equal "$place: $send $recv" "$place: 8 8"
		[[ $rest != a ]] || [ "${place%:*}" -ge 3169 ] ||
			fail "$place: $rest lies there"
	done < flips
	assert_equal "$(grep -c 8 flips)" "${#places[@]}"
}

@test "files: a corrupted block is cut off, the rest is resumed" {
	random 2000000 a
	receive -1 --quiet
	bg flip python3 "$XFER" flip "$port" flip.port 1500000 3
	wait_for test -s flip.port
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$(cat flip.port)" a
	assert_equal "$status" 8
	code_of "$receiver" 8
	assert [ "$(stat -c %s in/.a.part)" -lt 1500000 ]
	receive -1 --json
	run "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	assert_equal "$status" 0
	ended "$receiver"
	json recv.out "ev('file')[0]['offset'] > 1000000"
	cmp a in/a
}

@test "files: a full disk: 6 there, 8 here, what came is kept" {
	((EUID == 0)) || skip 'mounting needs root'
	mkdir in
	mount -t tmpfs -o size=4m none in || skip 'no tmpfs can be mounted'
	random 6000000 a
	receive -1
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	assert_equal "$status" 8
	assert_regex "$stderr" 'space'
	code_of "$receiver" 6
	run ls -A in
	assert_output ''
	# Of a size that nobody could know before.
	receive -1 --json
	run_err bash -c "cat a | '$SOCKCTL' sendfile 127.0.0.1 $port - --as b"
	assert_equal "$status" 8
	assert_regex "$stderr" 'No space left'
	code_of "$receiver" 6
	assert_file_not_exists in/b
	json recv.out "ev('file')[0]['status'] == 'failed' and
		ev('error')[0]['errno'] == 'ENOSPC' and last['exit'] == 6"
}

@test "files: one file that cannot be written does not stop the others" {
	random 3000000 a
	random 1000 small
	mkdir in
	bg recv bash -c "ulimit -f 1000; exec '$SOCKCTL' recvfile -p 0 \
		--port-file limit.port -1 -d in --json"
	wait_for test -s limit.port
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$(cat limit.port)" a small
	assert_equal "$status" 8
	assert_regex "$stderr" 'File too large'
	code_of "$pid" 6
	cmp small in/small
	assert_file_not_exists in/a
	json recv.out "last['ok'] == 1 and last['failed'] == 1 and
		ev('error')[0]['errno'] == 'EFBIG'"
}

teardown() {
	common_teardown
	umount "$BATS_TEST_TMPDIR/in" 2> /dev/null || true
}

@test "files: --output to a full or closed place" {
	random 300000 a
	[ -c /dev/full ] || skip 'no /dev/full'
	server recv recvfile -1 -O /dev/full --quiet
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	assert_equal "$status" 8
	code_of "$pid" 6
	bg recv bash -c "'$SOCKCTL' recvfile -p 0 --port-file pipe.port -1 \
		-O - 2> err | head -c 10 > got; exit \${PIPESTATUS[0]}"
	wait_for test -s pipe.port
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$(cat pipe.port)" a
	assert_equal "$status" 5
	code_of "$pid" 141
}

# changes COMMAND: of the source, while it is sent.
changes() {
	random 3000000 a
	touch -d '2001-02-03 04:05:06' a # a write cannot be at the same time
	rm -rf in
	receive -1 --quiet
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --rate 8M/s
	under_way a
	eval "$1"
	code_of "$pid" 6
	assert_file_contains send.err "$2 while it was sent"
	code_of "$receiver" 5
	assert_file_not_exists in/a
}

@test "files: a source that grows, shrinks or changes: 6 here, 5 there" {
	changes 'echo more >> a' grew
	changes 'truncate -s 2900000 a' shrank
	changes 'truncate -s 100 a' shrank
	changes 'printf x | dd of=a bs=1 seek=2999999 conv=notrunc 2> /dev/null' \
		changed
}

@test "files: a sender that speaks something else, or nothing" {
	local want

	# Word, exit code of recvfile, frames that it sends, what lies there.
	want=$(cat <<- 'END'
		http 8 1 10 end
		random 8 1 10 end
		mangled 8 1 10 end
		newer 8 1 10 end
		receiver 8 1 10 end
		nothing 5 1 end
		unknown 8 1 10 end
		twice 8 1 10 end
		early 8 1 10 end
		unagreed 8 1 10 end
		unstarted 8 1 10 end
		longer 8 1 3 10 end
		shorter 8 1 3 10 end .g.part
		wronghash 8 1 3 10 end
		wrongend 8 1 3 10 end .g.part
		unfinished 8 1 3 10 end
		many 8 1 10 end
		same 8 1 10 end
		backward 8 1 10 end
		huge 8 1 10 end
		claims 8 1 10 end
		error 8 1 end
		ignorable 0 1 9 end
		wider 0 1 9 end
		folder 0 1 3 7 3 7 9 end d
		good 0 1 3 7 9 end g
	END
	)
	# shellcheck disable=SC2046 # words are meant
	run_err python3 "$XFER" receivers "$SOCKCTL" \
		$(cut -d ' ' -f 1 <<< "$want")
	assert_equal "$output" "$want"
	assert_equal "$(stat -c '%Y %s' in/g)" '1000000000 3'
	assert_regex "$stderr" "does not speak sockctl's file transfer"
	assert_regex "$stderr" 'other versions'
	assert_regex "$stderr" 'no \\x1b\[31mmore'
}

@test "files: a receiver that speaks something else, or nothing" {
	local want

	want=$(cat <<- 'END'
		takes 0 1 2 4 5 6 9 end
		resumes 0 1 2 4 5 6 9 end
		differs 0 1 2 4 5 6 9 end
		skips 0 1 2 9 end
		refuses 8 1 2 9 end
		fails 8 1 2 4 5 6 9 end
		others 8 1 2 4 5 6 9 end
		fewer 8 1 2 4 5 6 9 end
		unasked 8 1 2 10 end
		again 8 1 2 10 end
		ahead 8 1 2 10 end
		hasty 8 1 2 10 end
		premature 8 1 2 10 end
		offers 8 1 2 10 end
		block 8 1 2 10 end
		sender 8 1 10 end
		http 8 1 10 end
		newer 8 1 10 end
		nothing 5 1 end
	END
	)
	# shellcheck disable=SC2046 # words are meant
	run_err python3 "$XFER" senders "$SOCKCTL" \
		$(cut -d ' ' -f 1 <<< "$want")
	assert_equal "$output" "$want"
}

@test "files: strangers are met the same way, whoever connects" {
	local word there here sender limit

	echo abc > abc
	mkdir in
	# Word, exit code of a recvfile that connects, of a sendfile that listens.
	while read -r word there here; do
		# The one that says nothing more, but no fault either.
		[ "$word" = receiver ] && limit=1 || limit=30
		rm -f peer.port
		bg peer python3 "$XFER" listen "$word" peer.port
		wait_for test -s peer.port
		run_err "$SOCKCTL" recvfile 127.0.0.1 "$(cat peer.port)" \
			-d in --idle $limit --quiet
		assert_equal "recvfile $word $status" "recvfile $word $there"
		ended "$pid"
		server send sendfile -s 127.0.0.1 -1 abc --idle $limit \
			--quiet
		sender=$pid
		bg peer python3 "$XFER" say "$port" "$word"
		ended "$sender"
		assert_equal "sendfile $word $code" "sendfile $word $here"
		ended "$pid"
	done <<- 'END'
		http 8 8
		random 8 8
		mangled 8 8
		newer 8 8
		receiver 8 4
		nothing 5 5
		good 0 8
	END
	assert_equal "$(cat in/g)" abc
}

@test "files: silence before the greeting, and later: 4" {
	random 1000000 a
	receive -w 300ms
	bg peer python3 "$XFER" say "$port" silence
	wait_grep 'no greeting within 300 ms' recv.err
	bg peer python3 "$XFER" listen half peer.port
	wait_for test -s peer.port
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$(cat peer.port)" a -w 300ms
	assert_equal "$status" 4
	# The same the other way round.
	server send sendfile -s 127.0.0.1 a -w 300ms
	bg peer python3 "$XFER" say "$port" silence
	wait_grep 'no greeting within 300 ms' send.err
	rm -f peer.port
	bg peer python3 "$XFER" listen silence peer.port
	wait_for test -s peer.port
	run_err "$SOCKCTL" recvfile 127.0.0.1 "$(cat peer.port)" -w 300ms
	assert_equal "$status" 4
	rm -f peer.port
	bg peer python3 "$XFER" listen silence peer.port
	wait_for test -s peer.port
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$(cat peer.port)" a --idle 200ms
	assert_equal "$status" 4
	assert_regex "$stderr" 'no greeting within 200 ms'
	receive -1 --idle 1
	bg peer python3 "$XFER" say "$port" sender
	code_of "$receiver" 4
	assert_file_contains recv.err 'no sign of life for 1 s'
	rm -f peer.port
	bg peer python3 "$XFER" listen receives peer.port
	wait_for test -s peer.port
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$(cat peer.port)" a --idle 1 \
		--json
	assert_equal "$status" 4
	assert_output --partial '"errno":"ETIMEDOUT"'
	assert_output --partial '"reason":"idle"'
	receive -1 -w 200ms
	code_of "$receiver" 4
	assert_file_contains recv.err 'no connection within'
	run_err "$SOCKCTL" recvfile -p 0 --deadline 200ms
	assert_equal "$status" 4
}

@test "files: a stopped peer is a dead one, a slow source is not" {
	random 20000000 a
	receive -1 --idle 1 --quiet
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --rate 4M/s
	under_way a
	kill -STOP "$pid"
	code_of "$receiver" 4
	kill -CONT "$pid"
	code_of "$pid" 5
	rm -rf in
	receive -1 --quiet
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a --idle 1 --rate 8M/s
	sender=$pid
	under_way a
	kill -STOP "$receiver"
	code_of "$sender" 4
	kill -CONT "$receiver"
	ended "$receiver"
	# Waits keep it alive, before the first byte and later.
	receive -1 --idle 1 -w 1 --quiet
	run_err bash -c "(sleep 1.5; echo one; sleep 1.5; echo two) |
		'$SOCKCTL' sendfile 127.0.0.1 $port - --as slow --idle 1 -w 1"
	assert_equal "$status" 0
	code_of "$receiver" 0
	assert_equal "$(cat in/slow)" $'one\ntwo'
}

@test "files: a disk that takes long to flush is waited for" {
	needs cc
	! is_san || skip 'no preloading under sanitizers'
	cc -shared -fPIC -x c -o slow.so - <<- 'END'
		#include <unistd.h>
		int fsync(int fd) { (void)fd; sleep(2); return 0; }
	END
	echo a > a
	mkdir in
	LD_PRELOAD=$PWD/slow.so server recv recvfile -1 -d in --fsync
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a --idle 1
	assert_equal "$status" 0
	cmp a in/a
	cc -shared -fPIC -x c -o bad.so - <<- 'END'
		#include <errno.h>
		int fsync(int fd) { (void)fd; errno = EIO; return -1; }
	END
	LD_PRELOAD=$PWD/bad.so server recv recvfile -1 -d in --fsync
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a --as b
	assert_equal "$status" 8
	code_of "$pid" 6
	assert_file_not_exists in/b
}

@test "files: a long look at what was kept is waited for, on either side" {
	needs cc
	! is_san || skip 'no preloading under sanitizers'
	# 128 reads, 2.5 s.
	cc -shared -fPIC -x c -o slow.so - <<- 'END'
		#define _GNU_SOURCE
		#include <sys/syscall.h>
		#include <sys/types.h>
		#include <unistd.h>
		ssize_t pread64(int fd, void *to, size_t n, off_t at) {
			usleep(20000);
			return syscall(SYS_pread64, fd, to, n, at);
		}
		ssize_t pread(int fd, void *to, size_t n, off_t at) {
			return pread64(fd, to, n, at);
		}
		ssize_t __pread64_chk(int fd, void *to, size_t n, off_t at,
			size_t most) { (void)most; return pread64(fd, to, n, at); }
	END
	truncate -s 33600000 a
	mkdir in
	truncate -s 32M in/.a.part
	truncate -s 32M in/.b.part
	LD_PRELOAD=$PWD/slow.so server recv recvfile -1 -d in --idle 1.2 --json
	run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" a --idle 1.2
	assert_equal "$status" 0
	receive -1 --idle 1.2 --json
	LD_PRELOAD=$PWD/slow.so run_err "$SOCKCTL" sendfile 127.0.0.1 "$port" \
		a --as b --idle 1.2
	assert_equal "$status" 0
	ended "$receiver"
	json recv.out "ev('file')[0]['offset'] == 33554432"
	cmp a in/b
}

@test "files: --raw: a reset is a loss, a full file is told" {
	random 400000 a
	server raw recvfile --raw -1 -O got
	python3 - "$port" <<- 'END'
		import socket, struct, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.sendall(b"half")
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		             struct.pack("ii", 1, 0))
	END
	code_of "$pid" 5
	assert_file_not_exists got
	server raw recvfile --raw -1 -O got --max-size 100000
	"$SOCKCTL" sendfile --raw 127.0.0.1 "$port" a || true
	code_of "$pid" 8
	assert_file_not_exists got
	server raw sendfile --raw -1 a --rate 200K/s
	python3 - "$port" <<- 'END'
		import socket, struct, sys
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		s.recv(1)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		             struct.pack("ii", 1, 0))
	END
	code_of "$pid" 5
	server raw recvfile --raw -1 -O got
	"$SOCKCTL" sendfile --raw 127.0.0.1 "$port" - < /dev/null
	code_of "$pid" 0
	assert_equal "$(stat -c %s got)" 0
	run "$SOCKCTL" sendfile --raw 127.0.0.1 9 a
	assert_equal "$status" 1
}
