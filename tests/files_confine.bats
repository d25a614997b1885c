#!/usr/bin/env bats
# recvfile, once it is set up, gives up what it does not need: whoever took it
# over could write below its folder only, and execute nothing.

load helper/common

# intruder.so: what somebody would do who had taken it over, at the moment when
# a file is flushed. old.so: a kernel that knows no Landlock.
intruder() {
	needs cc
	! is_san || skip 'no preloading under sanitizers'
	cc -shared -fPIC -x c -o intruder.so - <<- 'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <unistd.h>
		int fsync(int fd) {
			(void)fd;
			open(getenv("INSIDE"), O_WRONLY | O_CREAT, 0600);
			open(getenv("OUTSIDE"), O_WRONLY | O_CREAT, 0600);
			execl("/bin/sh", "sh", "-c", ": > in/executed", NULL);
			return 0;
		}
	END
	cc -shared -fPIC -x c -o old.so - <<- 'END'
		#include <errno.h>
		long syscall(long n, ...) { (void)n; errno = ENOSYS; return -1; }
	END
	export INSIDE=$PWD/in/inside OUTSIDE=$PWD/outside
	mkdir in
	echo a > a
}

needs_landlock() {
	"$SOCKCTL" --version | grep -q '^with:.* landlock' ||
		skip 'not in this build'
	timeout 20 "$SOCKCTL" recvfile -p 0 -1 -w 1ms -v > said 2>&1 || true
	grep -q 'confined: .*(Landlock)' said || skip 'no Landlock here'
}

@test "confined: an intruder writes below the folder, and nowhere else" {
	needs_landlock
	intruder
	LD_PRELOAD=$PWD/intruder.so server recv recvfile -1 -d in --fsync -v \
		--log log -x dump
	wait_grep 'confined: no new privileges; writes only' log
	grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status"
	run "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	assert_equal "$status" 0
	ended "$pid"
	assert_equal "$code" 0
	cmp a in/a
	assert_file_exists in/inside
	assert_file_not_exists in/executed
	assert_file_not_exists outside
	# What was open before stays as good as it was.
	assert_file_contains log 'a: ok'
	assert_file_contains dump 'SCT'
}

@test "confined: without Landlock the rest holds, and it is said" {
	! is_portable || skip 'a portable build has neither'
	intruder
	LD_PRELOAD="$PWD/intruder.so $PWD/old.so" server recv recvfile -1 \
		-d in --fsync -v
	wait_grep 'confined: no new privileges; .*no Landlock here' recv.err
	grep -q '^NoNewPrivs:.*1$' "/proc/$pid/status"
	run "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	assert_equal "$status" 0
	ended "$pid"
	cmp a in/a
	assert_file_exists outside
	assert_file_exists in/executed
}

@test "confined: whatever it was told to write, it writes" {
	local i id

	head -c 300000 /dev/urandom > a
	mkdir -m 711 sockets
	mkdir in
	ln -s sockets link
	bg recv "$SOCKCTL" recvfile -U link/sock -d in -v --log sockets/log
	wait_for test -S sockets/sock
	head -c 100000 a > in/.3.part
	for i in 1 2 3; do
		bg send$i "$SOCKCTL" sendfile -U sockets/sock a --as $i --json
		id[i]=$pid
	done
	for i in 1 2 3; do
		ended "${id[i]}"
		assert_equal "$code" 0
		cmp a in/$i
	done
	json send3.out "ev('file')[0]['offset'] == 100000"
	stop "${COMMON_PIDS[0]}"
	assert_equal "$code" 0
	run ls -A sockets
	assert_output log
	assert_file_contains sockets/log 'summary: 3 files'
	# The other direction, to a file, a fifo, a device.
	mkfifo fifo
	cat fifo > got &
	COMMON_PIDS+=($!)
	for i in b fifo /dev/null; do
		server send sendfile -1 a
		run "$SOCKCTL" recvfile 127.0.0.1 "$port" -O $i
		assert_equal "$i $status" "$i 0"
	done
	cmp a b
	wait_for cmp a got
}

# descriptors PID PATH: how many it has of it, to write only (ours of the fifo
# is open to both).
descriptors() {
	find "/proc/$1/fd" -lname "*$2" ! -perm -400 | wc -l
}

@test "confined: an output that is a fifo can still be opened anew" {
	! is_portable || skip 'it is written to without that'
	head -c 300000 /dev/urandom > a
	mkfifo fifo
	exec 8<> fifo
	server recv recvfile -1 -O fifo
	bg send "$SOCKCTL" sendfile 127.0.0.1 "$port" a
	# One of its own, not to block: nobody reads yet.
	wait_for eval "[ \$(descriptors ${COMMON_PIDS[0]} /fifo) = 2 ]"
	head -c 300000 <&8 > got
	ended "$pid"
	assert_equal "$code" 0
	cmp a got
}
