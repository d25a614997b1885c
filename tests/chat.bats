#!/usr/bin/env bats
# sockctl chat: the room, with members that are bare sockets, nc, telnet and
# sockctl itself. The terminal client is in chat_tty.bats.

load helper/common
bats_require_minimum_version 1.5.0

# A python program with the classes of helper/chatpeer.py, and port.
py() {
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$SOCKCTL_TOP/tests/helper" \
		python3 - "$port" <<- END
		import re, socket, sys, time
		from chatpeer import Peer, Datagrams
		port = int(sys.argv[1])
		$(cat)
	END
}

# The server with a console whose input is the fifo on descriptor 8.
console() {
	mkfifo in
	exec 8<> in
	BG_INPUT=in server "$@"
}

@test "room: lines go to all others, nobody hears himself" {
	server s chat
	py <<- 'END'
		ann, bob, cyd = Peer(port, "ann"), Peer(port, "bob"), Peer(port)
		ann.say("hello")
		assert bob.expect("^<") == "<ann> hello"
		assert cyd.expect("^<") == "<ann> hello"
		bob.say("/me waves")
		assert ann.expect("waves") == "* bob waves"
		cyd.say("/msg ann psst")
		assert ann.expect("psst") == "[%s] psst" % cyd.name
		ann.say("/msg 2 by  number")
		assert bob.expect("number") == "[ann] by  number"
		for p in ann, bob, cyd:
		    p.sync()
		assert not [l for l in ann.lines if l.startswith("<")]
		assert not [l for l in cyd.lines if l.startswith("[")]
		assert not [l for l in bob.lines if "waves" in l]
	END
}

@test "room: entering, leaving and renaming are announced" {
	server s chat
	py <<- 'END'
		ann = Peer(port, "ann")
		bob = Peer(port)
		assert ann.next() == "-- guest2 joined"
		bob.say("/nick bob")
		assert ann.next() == "-- guest2 is now bob"
		bob.say("/quit so long")
		assert ann.next() == "-- bob left: so long"
		bob.end()
		cyd = Peer(port)
		assert ann.next() == "-- guest3 joined"
		cyd.s.shutdown(socket.SHUT_WR)
		assert ann.next() == "-- guest3 left"
		cyd.end()
		assert not [l for l in cyd.lines if "guest3 joined" in l or
		            "left" in l]
	END
}

@test "names: what is refused, and why" {
	server s chat
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port)
		for name in ["", " ", "a b", "12", "guest7", "GUEST7", "-a", ".a",
		             "ann>", "<ann", "a/b", "x" * 33, "a\x1b[1m", "a\x07",
		             "a\u202e", "a\u200b", "a\u00a0b", "ann", "ANN",
		             "console", "a\u20ac"]:
		    bob.say("/nick " + name)
		    bob.next()
		    while bob.last.startswith("-- more than"):
		        bob.next()
		    assert re.match("-- name refused: .{10}", bob.last), (name, bob.last)
		bob.say(b"/nick a\xff")
		bob.expect("^-- name refused: a name is UTF-8")
		for name in ["x" * 32, "Jürgen", "李雷", "a-b_c.d1", "Ольга"]:
		    bob.say("/nick " + name)
		    bob.expect("^-- you are now " + re.escape(name) + "$")
	END
}

@test "names: a freed one can be taken, one's own may change case" {
	server s chat
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		ann.say("/nick Ann")
		ann.expect("^-- you are now Ann$")
		bob.expect("^-- ann is now Ann$")
		ann.say("/nick eve")
		bob.expect("^-- Ann is now eve$")
		bob.say("/nick ANN")
		bob.expect("^-- you are now ANN$")
		ann.expect("^-- bob is now ANN$")
		bob.say("/quit")
		ann.expect("^-- ANN left$")
		ann.say("/nick ann")
		ann.expect("^-- you are now ann$")
	END
}

@test "commands: /list, /who, /time, /name, /help, unknown ones" {
	server s chat --exit-word EXIT
	py <<- 'END'
		import subprocess
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		stamp = r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
		ann.say("/list")
		ann.expect(r"^-- 0 console - - " + stamp)
		ann.expect(r"^-- 1 ann 127\.0\.0\.1 %d %s" % (
		    ann.s.getsockname()[1], stamp))
		ann.expect(r"^-- 2 bob 127\.0\.0\.1 %d %s" % (
		    bob.s.getsockname()[1], stamp))
		ann.say("/who BOB")
		ann.expect(r"^-- 2 bob 127\.0\.0\.1 %d %s" % (
		    bob.s.getsockname()[1], stamp))
		ann.say("/who nobody")
		assert ann.next() == "-- nobody here is called nobody"
		ann.say("/time")
		assert re.match(r"-- \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$", ann.next())
		ann.say("/name")
		assert ann.next() == "-- " + socket.gethostname()
		ann.say("/help")
		for word in "nick list msg me time name who help quit".split():
		    ann.expect("^-- /" + word + r"\b")
		ann.expect("^-- EXIT ")
		ann.say("/dance \x1b[1m")
		ann.expect("^-- unknown command /dance; /help")
		for line in "/msg", "/msg bob", "/me", "/who":
		    ann.say(line)
		    assert ann.next().startswith("-- usage: " + line.split()[0])
		ann.say("/msg bobo hi")
		assert ann.next() == "-- nobody here is called bobo"
		ann.say("/msg ann hi")
		assert ann.next() == "-- that is you"
		ann.say("/LIST")
		ann.expect("^-- 0 console")
		for line in "EXITS", " EXIT", "", "EXIT":
		    bob.say(line)
		ann.expect("^<bob> EXITS$")
		ann.expect("^<bob>  EXIT$")
		assert ann.next() == "-- bob left"
		bob.end()
	END
}

@test "lines: control, bidi and zero-width characters go, bad bytes are U+FFFD" {
	server s chat
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		for said, seen in [
		        (b"a\x1b[31mb\x07\x00c", "a[31mbc"),
		        (b"tab\there", "tab\there"),
		        ("c1\x9b bidi\u202e\u2066 zero\u200b\ufeff".encode(),
		         "c1 bidi zero"),
		        (b"bad \xff\xc3( \xed\xa0\x80", "bad \ufffd\ufffd( \ufffd\ufffd\ufffd"),
		        ("你好 ü".encode(), "你好 ü"),
		        (b"cr\rlf\r", "crlf"),
		        (b"-- ann left", "-- ann left")]:
		    bob.say(said)
		    assert ann.expect("^<bob>") == "<bob> " + seen, (said, ann.last)
		bob.say(b"/me \x1b[2Jjumps")
		assert ann.expect("jumps") == "* bob [2Jjumps"
		bob.say(b"/msg ann \x1b[2Jpsst")
		assert ann.expect("psst") == "[bob] [2Jpsst"
		bob.say(b"\x1b\x07")
		bob.say(b"/quit \x1b[2Jbye")
		assert ann.next() == "-- bob left: [2Jbye"
	END
}

@test "lines: whole ones only" {
	server s chat
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		ann.expect("now bob")
		bob.s.sendall(b"half")
		time.sleep(0.1)
		ann.sync()
		assert not [l for l in ann.lines if "half" in l]
		bob.s.sendall(b" done\r\n\r\nunfinished")
		assert ann.expect("half") == "<bob> half done"
		bob.s.shutdown(socket.SHUT_WR)
		assert ann.next() == "-- bob left"
	END
}

@test "lines: over 4096 bytes is refused, the client stays" {
	server s chat
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		for n in 4095, 4096:
		    for end in b"", b"\r":
		        bob.say(b"y" * n + end)
		        assert ann.expect("^<") == "<bob> " + "y" * n
		for data in b"x" * 4097, b"x" * 4097 + b"\r", b"x" * (1 << 20):
		    bob.say(data)
		    bob.expect("^-- line refused: over 4096 bytes")
		bob.say("after")
		assert ann.next() == "<bob> after"
		bob.sync()
		assert len([l for l in bob.lines if "refused" in l]) == 3
	END
	wait_grep 'a line over 4096 bytes was refused' s.err
}

@test "pace: over 20 lines in 2 s are read more slowly, told once, none lost" {
	server s chat
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		start = time.time()
		for i in range(40):
		    bob.say(b"/time" if i % 2 else b"line %d" % i)
		bob.s.shutdown(socket.SHUT_WR)
		for i in range(0, 40, 2):
		    assert ann.expect("^<") == "<bob> line %d" % i
		took = time.time() - start
		ann.expect("^-- bob left$")
		bob.end()
		assert took > 1.5, took
		assert len([l for l in bob.lines if "more than 20 lines" in l]) == 1
		assert len([l for l in bob.lines if l.startswith("-- 2")]) == 20
	END
}

@test "pace: what was sent before a reset is still heard" {
	server s chat
	py <<- 'END'
		import struct
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		ann.expect("now bob")
		for i in range(24):
		    bob.say("line %d" % i)
		ann.expect("line 19")
		bob.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		    struct.pack("ii", 1, 0))
		bob.close()
		for i in range(20, 24):
		    assert ann.next() == "<bob> line %d" % i
		assert ann.next().startswith("-- bob left")
	END
}

@test "500 clients, offenders among them: all lines, whole, in one order" {
	server s chat --sndbuf 16K --json
	run timeout 120 python3 "$SOCKCTL_TOP/tests/helper/chatcrowd.py" \
		"$port" 500 s.out
	assert_success
	rss=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
	is_san || ((rss < 160000)) || fail "$rss KiB"
	stop "$pid"
	((code == 0))
	run grep -c '"reason":"limit".*"why":"it let more than 256 KiB' s.err
	assert_output 1
	grep -q '"event":"error".*a line over 4096 bytes was refused' s.err
	local event

	for event in join:523 leave:523 close:523 message:502; do
		run grep -c "\"event\":\"${event%:*}\"" s.err
		assert_output "${event#*:}"
	done
}

@test "a member that does not read is dropped at 256 KiB, not at megabytes" {
	server s chat --no-console --history 0 --json
	cat > crowd.py <<- 'END'
		import socket, sys, threading
		def connect():
		    return socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		def read(s):
		    while s.recv(1 << 16):
		        pass
		silent = connect()
		others = [connect() for i in range(12)]
		for s in others:
		    threading.Thread(target=read, args=(s,), daemon=True).start()
		for s in others:
		    s.sendall((b"x" * 4000 + b"\n") * 20)
		threading.Event().wait()
	END
	bg p python3 crowd.py "$port"
	wait_grep '"reason":"limit".*"why":"it let more than 256 KiB' s.err
	json s.err 'len([e for e in ev("close")]) == 1 and ev("close")[0]["conn"] == 1'
}

@test "console: standard input and output are a member" {
	console s chat
	py <<- 'END'
		ann = Peer(port, "ann")
		open("in", "w").write("from here\n/nick boss\n/msg ann psst\n/list\n")
		assert ann.next() == "<console> from here"
		assert ann.next() == "-- console is now boss"
		assert ann.next() == "[boss] psst"
		ann.say("to you")
		ann.say("/msg boss private")
		ann.say("/quit")
		ann.end()
	END
	wait_grep '^-- ann left$' s.out
	grep -q '^<ann> to you$' s.out
	grep -q '^\[ann\] private$' s.out
	grep -q '^-- guest1 joined$' s.out
	grep -q '^-- 1 ann 127.0.0.1 ' s.out
	run grep -c 'from here' s.out
	assert_output 0
	exec 8>&-
}

@test "console: its end of input ends nothing, /quit neither; --no-console" {
	server s chat
	py <<- 'END'
		ann = Peer(port, "ann")
		ann.say("still heard")
		ann.sync()
	END
	wait_grep '^<ann> still heard$' s.out
	stop "$pid"
	console s chat -n host
	py <<- 'END'
		ann = Peer(port, "ann")
		open("in", "w").write("/quit good night\n")
		assert ann.next() == "-- host left: good night"
		ann.say("unheard")
		ann.sync()
	END
	run grep -c unheard s.out
	assert_output 0
	exec 8>&-
	stop "$pid"
	((code == 0))
	echo 'must not be said' > text
	BG_INPUT=text server s chat --no-console
	py <<- 'END'
		ann = Peer(port, "ann")
		ann.say("/list")
		assert ann.next().startswith("-- 1 ann")
	END
	stop "$pid"
	[ ! -s s.out ]
}

@test "console: the last line without a newline counts, SIGPIPE and full disk end" {
	printf 'one\ntwo' > text
	BG_INPUT=text server s chat
	py <<- 'END'
		ann = Peer(port)
		assert [l for l in ann.lines] and ann.expect("<console> one")
		ann.expect("<console> two")
	END
	stop "$pid"
	[ -w /dev/full ] || skip "no /dev/full"
	rm -f port
	"$SOCKCTL" chat -p 0 --port-file port > /dev/full 2> err 3>&- &
	pid=$!
	COMMON_PIDS+=("$pid")
	common_started "$pid" port
	port=$(cat port)
	run "$SOCKCTL" connect --fin 0 127.0.0.1 "$port" < /dev/null
	ended "$pid"
	((code == 6))
	grep -q 'write standard output: No space left' err
}

@test "history and --motd greet a newcomer" {
	printf 'rule 1\n\x1b[31mrule 2\r\n' > motd
	server s chat --history 3 --motd motd
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port, "bob")
		for i in range(5):
		    ann.say("line %d" % i)
		ann.say("/me nods")
		ann.say("/msg bob secret")
		ann.sync()
		cyd = Peer(port)
		cyd.sync()
		assert cyd.lines[1:3] == ["-- rule 1", "-- [31mrule 2"], cyd.lines
		assert [l for l in cyd.lines if l[0] in "<*["] == [
		    "<ann> line 3", "<ann> line 4", "* ann nods"], cyd.lines
	END
	stop "$pid"
	server s chat
	py <<- 'END'
		ann = Peer(port, "ann")
		for i in range(21):
		    ann.say("line %d" % i)
		ann.expect("more than")
		ann.sync()
		cyd = Peer(port)
		cyd.sync()
		assert [l for l in cyd.lines if l[0] == "<"] == [
		    "<ann> line %d" % i for i in range(1, 21)], cyd.lines
	END
	stop "$pid"
	server s chat --history 0
	py <<- 'END'
		ann = Peer(port, "ann")
		ann.say("gone")
		ann.sync()
		cyd = Peer(port)
		cyd.sync()
		assert not [l for l in cyd.lines if l[0] == "<"]
	END
	run "$SOCKCTL" chat -p 0 --motd missing
	((status == 6))
}

@test "--transcript is appended to, a line at a time" {
	echo 'what was there' > log
	server s chat --transcript log
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port)
		ann.say("hello")
		bob.expect("<ann> hello")
		ann.say("/msg 2 secret")
		bob.expect("secret")
		text = open("log").read()
		stamp = r"\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d "
		assert text.startswith("what was there\n")
		for line in "-- guest1 joined", "-- guest1 is now ann", "<ann> hello":
		    assert re.search(stamp + line + "\n", text), (line, text)
		assert "secret" not in text
	END
	stop "$pid"
	server s chat --transcript log
	stop "$pid"
	grep -q '<ann> hello' log
	echo welcome > motd
	run "$SOCKCTL" chat -p 0 --motd motd --transcript /nonexistent/log
	((status == 6))
	[ -w /dev/full ] || return 0
	server s chat --transcript /dev/full
	py <<- 'END'
		ann, bob = Peer(port, "ann"), Peer(port)
		ann.say("goes on")
		bob.expect("goes on")
	END
	grep -q 'write /dev/full: No space left' s.err
}

@test "events: join, leave, rename, message, denied" {
	server s chat --json --deny 127.0.0.2
	py <<- 'END'
		ann, bob = Peer(port), Peer(port, "bob")
		ann.say("/nick ann")
		ann.say("to all \x1b")
		ann.say("/me waves")
		ann.say("/msg bob to one")
		bob.expect("one")
		ann.say("/quit bye now")
		bob.expect("left")
		s = socket.socket()
		s.bind(("127.0.0.2", 0))
		s.connect(("127.0.0.1", port))
		s.recv(10)
	END
	wait_grep '"event":"leave".*"name":"bob"' s.err
	stop "$pid"
	json s.err '[(e["id"], e["name"], e["conn"]) for e in ev("join")] == [(1, "guest1", 1), (2, "guest2", 2)]'
	json s.err '[(e["id"], e["old"], e["name"]) for e in ev("rename")] == [(2, "guest2", "bob"), (1, "guest1", "ann")]'
	json s.err '[(e["id"], e["name"], e["to"], e["text"]) for e in ev("message")] == [(1, "ann", None, "to all \x1b"), (1, "ann", None, "/me waves"), (1, "ann", "bob", "to one")]'
	json s.err '[(e["id"], e["name"], e["text"]) for e in ev("leave")][0] == (1, "ann", "bye now")'
	json s.err 'ev("leave")[1]["peer"].startswith("127.0.0.1:")'
	json s.err 'ev("denied")[0]["peer"].startswith("127.0.0.2:") and ev("denied")[0]["rule"]'
	json s.err 'last["event"] == "summary" and (last["connections"], last["denied"]) == (2, 1) and last["tx"] > last["rx"] > 0'
}

@test "nc is a full client" {
	needs nc.openbsd
	server s chat
	mkfifo in
	exec 8<> in
	nc.openbsd 127.0.0.1 "$port" < in > out 3>&- &
	COMMON_PIDS+=("$!")
	wait_grep '^-- welcome, you are guest1' out
	py <<- 'END'
		ann = Peer(port, "ann")
		open("in", "w").write("/nick nora\nhello\n/msg ann psst\n")
		ann.expect("^<nora> hello$")
		ann.expect(r"^\[nora\] psst$")
		ann.say("hi nora")
		ann.sync()
	END
	wait_grep '^<ann> hi nora$' out
	echo /quit > in
	wait_grep '^-- nora left$' s.out
	exec 8>&-
}

@test "telnet is a full client, its negotiation is ignored" {
	needs telnet
	server s chat
	py <<- 'END'
		ann, tom = Peer(port, "ann"), Peer(port)
		tom.s.sendall(b"\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20"
		    b"/nick to\xff\xf1m\r\n")
		tom.expect("^-- you are now tom$")
		tom.s.sendall(b"hel\xff\xfa\x18\x00xterm\n\xff\xf0lo\r\n")
		ann.expect("^<tom> hello$")
	END
	mkfifo in
	exec 8<> in
	telnet 127.0.0.1 "$port" < in > out 3>&- &
	COMMON_PIDS+=("$!")
	wait_grep 'welcome, you are guest' out
	printf '/nick theo\nhello from telnet\n' > in
	wait_grep '^<theo> hello from telnet$' s.out
	exec 8>&-
}

@test "UDP: the same, after sending back the number" {
	server s chat -u --exit-word EXIT --json
	py <<- 'END'
		ann, bob = Datagrams(port, "ann"), Datagrams(port)
		ann.expect("^-- guest2 joined$")
		bob.say("/nick ANN")
		bob.expect("^-- name refused: ")
		bob.say("/nick bob")
		ann.expect("^-- guest2 is now bob$")
		bob.s.send(b"no newline")
		ann.expect("^<bob> no newline$")
		bob.s.send(b"two\nlines\r\n")
		ann.expect("^<bob> two$")
		ann.expect("^<bob> lines$")
		bob.say("z" * 5000)
		bob.expect("^-- line refused")
		bob.say("/list")
		bob.expect(r"^-- 1 ann 127\.0\.0\.1 %d since" % ann.s.getsockname()[1])
		bob.say("EXIT")
		bob.expect("^-- bye$")
		ann.expect("^-- bob left$")
		bob.say("who?")
		ann.sync()
		assert not [l for l in ann.lines if "who?" in l]
	END
	stop "$pid"
	json s.err 'len(ev("accept")) == 2 == last["connections"]'
	json s.err 'len(ev("join")) == 2 == len(ev("leave")) == len(ev("close"))'
}

@test "UDP: nobody hears more than he sent before he has returned the number" {
	server s chat -u
	py <<- 'END'
		eve = Datagrams(port, enter=False)
		for n in 1, 5, 10, 17, 18, 19, 30, 63, 64, 200, 1400:
		    eve.s.send(b"x" * n)
		    time.sleep(0.01)
		    while eve.read(0.05):
		        pass
		    size = sum(len(l) + 1 for l in eve.lines)
		    assert size <= n or (n == 18 and size == 19), (n, eve.lines)
		    if n > 19:
		        assert re.match(r"-- enter \d{9}$", eve.lines[0])
		    number = int(eve.lines[0].split()[2]) if eve.lines else 0
		    eve.lines = []
		for text in ("%09d" % ((number + 1) % 10**9), "0", "%09d0" % number,
		             "x %09d" % number, "%09d\nhello" % number):
		    eve.say(text)
		    while eve.read(0.05):
		        pass
		    assert not [l for l in eve.lines if "welcome" in l], text
		other = Datagrams(port, enter=False)
		other.say("%09d" % number)
		while other.read(0.1):
		    pass
		assert not [l for l in other.lines if "welcome" in l]
		eve.say(" %09d \r" % number)
		eve.expect("welcome")
	END
}

@test "UDP: who is silent for --idle leaves, and the name is free" {
	server s chat -u --idle 0.4
	py <<- 'END'
		ann, bob = Datagrams(port, "ann"), Datagrams(port, "bob")
		end = time.time() + 30
		while not [l for l in ann.lines if "bob left" in l]:
		    ann.say("/time")
		    ann.read(0)
		    time.sleep(0.11)
		    assert time.time() < end
		ann.say("/nick bob")
		ann.expect("^-- you are now bob$")
	END
}

@test "TCP: --idle, --max-clients, SIGUSR1, SIGTERM" {
	server s chat --idle 0.3 -m 2
	py <<- 'END'
		a, b = Peer(port), Peer(port)
		s = socket.create_connection(("127.0.0.1", port))
		s.settimeout(0.1)
		try:
		    s.recv(1)
		    sys.exit("a third one was served")
		except socket.timeout:
		    pass
		a.end()
		s.settimeout(20)
		assert s.recv(100).startswith(b"-- welcome")
	END
	stop "$pid"
	server s chat
	py <<- 'END' &
		ann = Peer(port, "ann")
		open("there", "w").close()
		ann.end()
		assert ann.lines[-1] == "-- the server ends", ann.lines
	END
	client=$!
	wait_for test -e there
	kill -USR1 "$pid"
	wait_grep 'so far: 1 connections' s.err
	stop "$pid"
	((code == 0))
	wait "$client"
}

@test "Unix sockets, stream and datagram" {
	bg s "$SOCKCTL" chat -U sock
	wait_for test -S sock
	printf 'hello\n' | "$SOCKCTL" chat unix:sock > out
	grep -q 'welcome, you are guest1' out
	wait_grep '^-- guest1 left' s.out
	grep -q '^<guest1> hello$' s.out
	bg d "$SOCKCTL" chat -u -U dsock
	wait_for test -S dsock
	printf 'hello\n' | "$SOCKCTL" chat -u -n ann -U dsock > out
	wait_grep '^<ann> hello$' d.out
}

@test "client: plain lines, -n, what leaves when" {
	server s chat
	printf 'one\ntwo\nlast' | "$SOCKCTL" chat -n ann 127.0.0.1 "$port" > out
	grep -q '^-- you are now ann$' out
	wait_grep '^-- ann left$' s.out
	run grep '^<ann>' s.out
	assert_output $'<ann> one\n<ann> two\n<ann> last'
	# Without any input it listens until the server ends.
	bg c "$SOCKCTL" chat 127.0.0.1 "$port"
	client=$pid
	wait_grep 'welcome' c.out
	printf 'anybody?\n/quit\nnever said\n' |
		"$SOCKCTL" chat 127.0.0.1 "$port" > out
	wait_grep '^<guest3> anybody?$' c.out
	wait_grep '^-- guest3 left$' c.out
	kill "$(pgrep -P $$ -f 'chat -p 0')" 2> /dev/null ||
		kill "${COMMON_PIDS[0]}"
	ended "$client"
	((code == 0))
	run grep 'never said' s.out
	assert_failure
}

@test "client: local commands and the menu work in plain lines, too" {
	server s chat
	{
		printf '/connect 127.0.0.1 1\n/menu\n3\n4\n5\n6\n0 psst\n'
		printf '2\nunheard\n/connect 127.0.0.1:%s\n' "$port"
		printf 'back\n/disconnect\n/disconnect\n/menu\n1\n127.0.0.1 %s\n' "$port"
		printf 'third\n/exit\nnever\n'
	} | "$SOCKCTL" chat 127.0.0.1 "$port" > out
	grep -q '^-- connected to 127.0.0.1:.*; /disconnect first$' out
	for i in '1 connect' '2 disconnect' "3 the server's time" \
		"4 the server's name" '5 the list of clients' \
		'6 a message to a client' '7 exit'; do
		grep -q "^-- $i\$" out || fail "$i"
	done
	grep -q '^-- [0-9-]*T[0-9:+-]*$' out
	grep -q "^-- $(hostname)\$" out
	grep -q '^-- 1 guest1 127.0.0.1 [0-9]* since' out
	grep -q '^-- not connected; /connect HOST PORT' out
	wait_grep '^-- guest3 left' s.out
	run grep '^[<[]' s.out
	assert_output $'[guest1] psst\n<guest2> back\n<guest3> third'
}

@test "client: exit codes" {
	run "$SOCKCTL" chat 127.0.0.1 1 < /dev/null
	((status == 1))
	run "$SOCKCTL" chat --numeric no.such.host 4000 < /dev/null
	((status == 2))
	port=$(python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	run "$SOCKCTL" chat -u 127.0.0.1 "$port" < /dev/null
	((status == 1))
	server s serve -u --discard
	run "$SOCKCTL" chat -u 127.0.0.1 "$port" --deadline 0.2 < /dev/null
	((status == 4))
	stop "$pid"
	server s serve --broker
	bg c "$SOCKCTL" chat --idle 0.2 127.0.0.1 "$port"
	ended "$pid"
	((code == 4))
	bg c env --default-signal=INT "$SOCKCTL" chat 127.0.0.1 "$port" -v
	wait_grep 'connect 127' c.err
	stop "$pid" INT
	((code == 130))
}

@test "idle: the server and the client use no CPU time" {
	server s chat
	bg c "$SOCKCTL" chat -n ann 127.0.0.1 "$port"
	wait_grep 'you are now' c.out
	s=$(pgrep -P "$BATS_TEST_PID" -f 'chat -p 0' || echo "${COMMON_PIDS[0]}")
	before=$(($(cpu_ms "$pid" | cut -d. -f1) + $(cpu_ms "${COMMON_PIDS[0]}" | cut -d. -f1)))
	sleep 0.5
	after=$(($(cpu_ms "$pid" | cut -d. -f1) + $(cpu_ms "${COMMON_PIDS[0]}" | cut -d. -f1)))
	((after - before <= 20)) || fail "$before $after $s"
}

@test "usage errors" {
	local line

	while read -r line; do
		# shellcheck disable=SC2086
		run_err "$SOCKCTL" chat $line
		((status == 2)) || fail "$line: $status"
		[ "${#stderr_lines[@]}" = 1 ] || fail "$line: $stderr"
	done <<- 'END'
		-p 0 -1
		-p 0 -w 3
		-p 0 localhost 7
		-p 0 --history -1
		-p 0 --history x
		-p 0 --history 10001
		-p 0 -n 12
		-p 0 --exit-word
		localhost 7 -1
		localhost 7 -n guest3
		localhost 7 -n a/b
		localhost 7 --motd x
		localhost 7 --history 3
		localhost 7 --transcript x
		localhost 7 --no-console
		localhost
		localhost 7 8
	END
}
