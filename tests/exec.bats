# --exec: a command joined with a connection.
load helper/common

@test "the connection is its standard input and output; half-close, last output, status" {
	server s serve --exec 'cat; echo bye; exit 3' --json
	run -0 "$SOCKCTL" connect 127.0.0.1 "$port" < <(printf 'hi\n')
	assert_output "$(printf 'hi\nbye')"
	wait_grep '"close"' s.err
	json s.err 'ev("close")[0]["exec_status"] == 3 and ev("close")[0]["rx"] == 3'
}

@test "the environment says who is there" {
	server s serve --exec 'echo $PROTO $TCPLOCALIP $TCPLOCALPORT $TCPREMOTEIP $TCPREMOTEPORT $SOCKCTL_CONN'
	local from=$((20000 + RANDOM % 10000))
	run -0 "$SOCKCTL" connect -b "$from" 127.0.0.1 "$port" < /dev/null
	assert_output "TCP 127.0.0.1 $port 127.0.0.1 $from 1"
}

@test "connect --exec joins a command instead of the standard streams" {
	server s serve --once
	run -0 "$SOCKCTL" connect --exec 'echo from command; exec cat > got' 127.0.0.1 "$port" < /dev/null
	wait_grep 'from command' s.out
}

@test "commands that never read, never write, die of a signal, fork into the background" {
	server s serve --json --exec 'read -r x; case $x in
		noread) exec sleep 0.5 < /dev/null;;
		kill) kill -9 $$;;
		fork) (sleep 30) & echo forked;;
		esac'
	head -c 300000 /dev/zero > zeros
	for what in noread kill fork; do
		(echo $what; cat zeros) > input
		timeout 10 "$SOCKCTL" connect 127.0.0.1 "$port" < input > "$what.got" || true
	done
	assert_equal "$(cat fork.got)" forked
	wait_for test "$(grep -c '"close"' s.err)" = 3 || true
	wait_grep '"event":"close","conn":3' s.err
	json s.err '137 in [e["exec_status"] for e in ev("close")]'
	stop "$pid"
	assert_equal "$code" 0
	run pgrep -P "$pid"
	assert_output ""
}

@test "a background process that holds the output open is given up; none is left" {
	server s serve --exec 'sleep 47 & echo now'
	run -0 timeout 10 "$SOCKCTL" connect 127.0.0.1 "$port" < /dev/null
	assert_output now
	stop "$pid"
	assert_equal "$code" 0
}

@test "a client that is reset ends its command" {
	server s serve --exec 'echo $$ > id; exec sleep 48' --json
	bg c python3 "$SOCKCTL_TOP/tests/helper/peer.py" connect "$port" send=x sleep=0.3 rst
	ended "$pid"
	wait_grep '"close"' s.err
	json s.err 'ev("close")[0]["reason"] == "reset"'
	stop "${COMMON_PIDS[0]}"
	run kill -0 "$(cat id)"
	assert_failure
}

@test "500 clients of cat, at most --max-clients at once, no zombie" {
	server s serve --exec cat -m 40 --quiet
	sp=$pid
	cat > many.py <<- 'END'
		import socket, sys, threading
		good = []
		def one(i):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    text = b"client %d\n" % i
		    s.sendall(text); s.shutdown(socket.SHUT_WR)
		    got = b""
		    while True:
		        d = s.recv(100)
		        if not d: break
		        got += d
		    if got == text: good.append(i)
		t = [threading.Thread(target=one, args=(i,)) for i in range(int(sys.argv[2]))]
		for x in t: x.start()
		for x in t: x.join()
		print(len(good))
	END
	run -0 timeout 60 python3 many.py "$port" 500
	assert_output 500
	wait_for sh -c "! pgrep -P $sp"
	kill -0 "$sp"
}

@test "SIGTERM ends the commands with the server" {
	server s serve --exec 'echo in; exec sleep 49.731'
	bg c "$SOCKCTL" connect --recv-only 127.0.0.1 "$port"
	wait_grep in c.out
	stop "${COMMON_PIDS[0]}"
	assert_equal "$code" 0
	run pgrep -f 'sleep 49.731'
	assert_output ""
}
