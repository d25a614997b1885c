#!/usr/bin/env bats
# sockctl chat on a terminal: a pseudo-terminal whose screen is looked at
# (helper/screen.py), and expect.

load helper/common
bats_require_minimum_version 1.5.0

# A python program with peers, and chat(OPTION...) for a client on a terminal.
py() {
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$SOCKCTL_TOP/tests/helper" \
		python3 - "$port" "$SOCKCTL" <<- END
		import os, re, signal, socket, sys, time
		from chatpeer import Peer
		from screen import Screen
		port, sockctl = int(sys.argv[1]), sys.argv[2]
		def chat(*options, **how):
		    return Screen([sockctl, "chat", *options, "127.0.0.1",
		                   str(port)], **how)
		def hostile():
		    s = socket.create_server(("127.0.0.1", 0))
		    return s, s.getsockname()[1]
		$(cat)
	END
}

@test "two users type while messages arrive: the row stays below" {
	server s chat
	py <<- 'END'
		ann = chat("-n", "ann")
		ann.expect("^-- you are now ann$")
		bob = chat("-n", "bob")
		bob.expect("^-- you are now bob$")
		ann.expect("^-- guest2 is now bob$")
		ann.expect_row("> ")
		ann.type("half a li")
		bob.type("and I")
		ann.expect_row("> half a li")
		bob.expect_row("> and I")
		peer = Peer(port, "cyd")
		for i in range(5):
		    peer.say("line %d" % i)
		for s, row in (ann, "> half a li"), (bob, "> and I"):
		    s.expect("^<cyd> line 4$")
		    s.expect_row(row)
		    i = s.text().index("<cyd> line 0")
		    assert s.text()[i:] == ["<cyd> line %d" % i
		        for i in range(5)] + [row], s.text()
		ann.type("ne\r")
		bob.expect("^<ann> half a line$")
		bob.expect_row("> and I")
		ann.expect_row("> ")
		assert "> half a line" in ann.text()
		bob.type("\x15/exit\r")
		bob.end(0)
		ann.expect("^-- bob left$")
		ann.type("\x04")
		ann.end(0)
	END
	wait_grep '^-- ann left$' s.out
}

@test "editing: arrows, words, history, UTF-8 and wide characters" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		ann = chat("-n", "ann")
		ann.expect("you are now ann")
		for keys, row, column in [
		        ("helo\x1b[Dl", "> hello", 6),
		        ("\x01>> \x05!", "> >> hello!", None),
		        ("\x15你好吗", "> 你好吗", 8),
		        ("\x7f", "> 你好", 6),
		        ("\x1b[D", "> 你好", 4),
		        ("ü", "> 你ü好", 5),
		        ("\x05\x15one two  three\x17", "> one two  ", 11),
		        ("\x17\x17", "> ", None)]:
		    ann.type(keys)
		    ann.expect_row(row, column)
		for line in "first", "second":
		    ann.type(line + "\r")
		    peer.expect("^<ann> %s$" % line)
		ann.type("draft\x1b[A")
		ann.expect_row("> second")
		ann.type("\x1b[A!")
		ann.expect_row("> first!")
		ann.type("\x1b[B\x1b[B")
		ann.expect_row("> draft")
		ann.type("\x0c")
		ann.wait("an empty screen", lambda: ann.row == 0)
		ann.expect_row("> draft")
		ann.type("\x15李雷 é\r")
		peer.expect("^<ann> 李雷 é$")
		peer.say("宽 wide")
		ann.expect("^<cyd> 宽 wide$")
		ann.type("\x1b\x1b[\x1b[99~\x1bO\x04")
		ann.end(0)
	END
}

@test "a long line is scrolled sideways; the window may change" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		ann = chat("-n", "ann", columns=40)
		ann.expect("you are now ann")
		text = "".join("%03d " % i for i in range(30))
		ann.type(text)
		ann.expect_row("> " + text[-37:-1], 39)
		ann.type("\x01")
		ann.expect_row("> " + text[:37].rstrip(), 2)
		ann.type("\x05")
		ann.expect_row("> " + text[-37:-1], 39)
		ann.resize(60)
		ann.expect_row("> " + text[-57:-1], 59)
		ann.resize(20)
		ann.expect_row("> " + text[-17:-1], 19)
		peer.say("hi")
		ann.expect("^<cyd> hi$")
		ann.expect_row("> " + text[-17:-1], 19)
		ann.type("\r")
		peer.expect("^<ann> " + text.strip() + " *$")
		ann.type("\x04")
		ann.end(0)
	END
}

@test "many lines at once are all sent, in order" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		ann = chat("-n", "ann")
		ann.expect("you are now ann")
		ann.type("\r".join("line %d" % i for i in range(30)) + "\r")
		for i in range(30):
		    assert peer.expect("^<ann>") == "<ann> line %d" % i
		ann.expect("more than 20 lines")
		ann.expect_row("> ")
		ann.type("\x04")
		ann.end(0)
	END
}

@test "the terminal is as it was on every way out" {
	server s chat
	py <<- 'END'
		for number, code in [(signal.SIGTERM, -15), (signal.SIGHUP, -1),
		                     (signal.SIGQUIT, -3), (signal.SIGINT, -2)]:
		    ann = chat()
		    ann.expect_row("> ")
		    assert ann.is_raw()
		    os.kill(ann.pid, number)
		    ann.end(code)
		ann = chat()
		ann.expect_row("> ")
		ann.type("something\x03")
		ann.end(-2)
		ann = chat()
		ann.expect_row("> ")
		ann.type("/quit so long\r")
		ann.end(0)
		ann = chat("--deadline", "0.3")
		ann.expect_row("> ")
		ann.end(4)
		free = socket.create_server(("127.0.0.1", 0))
		nobody = free.getsockname()[1]
		free.close()
		ann = Screen([sockctl, "chat", "127.0.0.1", str(nobody)])
		ann.end(1)
	END
	wait_grep 'left: so long$' s.out
}

@test "Ctrl-Z and back: the terminal is free meanwhile, the text is kept" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		ann = chat("-n", "ann")
		ann.expect("you are now ann")
		ann.type("half")
		ann.expect_row("> half")
		for i in range(2):
		    ann.type("\x1a")
		    ann.stopped()
		    assert ann.mode() == ann.before
		    peer.say("meanwhile %d" % i)
		    os.kill(ann.pid, signal.SIGCONT)
		    ann.expect("^<cyd> meanwhile %d$" % i)
		    ann.expect_row("> half")
		    assert ann.is_raw()
		ann.type(" and half\r")
		peer.expect("^<ann> half and half$")
		ann.type("\x04")
		ann.end(0)
	END
}

@test "in the background the terminal is not touched, until it is given" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		ann = chat("-n", "ann", background=True)
		peer.expect("^-- guest2 is now ann$")
		assert ann.mode() == ann.before
		peer.say("hello")
		ann.expect("^<cyd> hello$")
		assert ann.mode() == ann.before
		os.kill(ann.leader, signal.SIGUSR1)
		ann.expect_row("> ")
		assert ann.is_raw()
		ann.type("here\r")
		peer.expect("^<ann> here$")
		ann.type("\x04")
		ann.end(0)
	END
}

@test "the server ends: the user stays, and connects when he says so" {
	server s chat
	echo "$pid" > pid
	server t chat
	echo "$port" > other
	port=$(cat s.port)
	py <<- 'END'
		ann = chat("-n", "ann")
		ann.expect("you are now ann")
		ann.type("half")
		os.kill(int(open("pid").read()), signal.SIGTERM)
		ann.expect("^-- not connected; /connect HOST PORT, /exit$")
		ann.expect_row("> half")
		ann.type(" lost\r")
		ann.expect("^-- not connected; /connect HOST PORT$")
		ann.type("/connect 127.0.0.1 %d\r" % port)
		ann.expect("^sockctl chat: connect .*Connection refused")
		ann.expect_row("> ")
		ann.type("/connect 127.0.0.1 %s\r" % open("other").read().strip())
		ann.wait("in again", lambda: sum("you are now ann" in l
		    for l in ann.text()) == 2)
		ann.type("/disconnect\r")
		ann.wait("out again", lambda: sum("HOST PORT, /exit" in l
		    for l in ann.text()) == 3)
		ann.type("/exit\r")
		ann.end(0)
	END
	wait_grep '^-- ann left$' t.out
}

@test "/menu shows seven choices and takes their numbers" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		ann = chat()
		ann.expect("welcome")
		ann.type("/menu\r")
		for i, what in enumerate(["connect", "disconnect",
		        "the server's time", "the server's name",
		        "the list of clients", "a message to a client", "exit"]):
		    ann.expect("^-- %d %s$" % (i + 1, what))
		ann.type("3\r")
		ann.expect(r"^-- \d{4}-\d\d-\d\dT")
		ann.type("4\r")
		ann.expect("^-- " + re.escape(socket.gethostname()) + "$")
		ann.type("5\r")
		ann.expect(r"^-- 1 cyd 127\.0\.0\.1 \d+ since")
		ann.type("6\r1 psst\r")
		peer.expect(r"^\[guest2\] psst$")
		ann.type("2\r")
		ann.expect("^-- not connected; /connect HOST PORT, /exit$")
		ann.type("1\r127.0.0.1 %d\r" % port)
		peer.expect("^-- guest3 joined$")
		ann.expect("you are guest3")
		ann.type("5 is a number\r")
		peer.expect("^<guest3> 5 is a number$")
		ann.type("5\r")
		peer.expect("^<guest3> 5$")
		ann.type("/help\r")
		ann.expect("^-- /menu: ")
		ann.expect("^-- /nick NAME: ")
		ann.type("/menu\r7\r")
		ann.end(0)
	END
}

@test "nothing that a server sends drives the terminal" {
	port=0
	py <<- 'END'
		s, port = hostile()
		ann = chat()
		c = s.accept()[0]
		ann.expect_row("> ")
		ann.type("safe")
		c.sendall(b"\x1b[2J\x1b]0;title\x07\x1b[31mred\x9b1A \xe2\x80\xae"
		    b"bidi\r\nnext\x00line\xff\n")
		ann.expect(r"^\[2J\]0;title\[31mred.*bidi$")
		ann.expect("^nextline\ufffd$")
		ann.expect_row("> safe")
		c.sendall(b"x" * 70000 + b"\nend\n")
		ann.expect("^end$")
		ann.expect_row("> safe")
		c.close()
		ann.expect("^-- not connected")
		ann.type("\x15\x04")
		ann.end(0)
	END
}

@test "only standard input a terminal, or only output: plain lines" {
	server s chat
	py <<- 'END'
		peer = Peer(port, "cyd")
		line = "exec %s chat -n ann 127.0.0.1 %d" % (sockctl, port)
		ann = Screen(["/bin/sh", "-c", line + " > out"])
		peer.expect("^-- guest2 is now ann$")
		assert not ann.is_raw()
		ann.type("typed\n")
		peer.expect("^<ann> typed$")
		ann.type("\x04")
		ann.end(0)
		peer.expect("^-- ann left$")
		assert b"> " not in open("out", "rb").read()
		ann = Screen(["/bin/sh", "-c", "echo piped | " + line[5:]])
		peer.expect("^<ann> piped$")
		ann.end(0)
		ann.expect("^-- you are now ann$")
		assert b"\x1b" not in ann.raw
	END
}

@test "with expect" {
	needs expect
	server s chat
	cat > script <<- 'END'
		set timeout 30
		proc need {id text} {
			expect {
				-i $id -ex $text {}
				timeout { exit 1 }
				eof { exit 2 }
			}
		}
		spawn [lindex $argv 0] chat -n ann 127.0.0.1 [lindex $argv 1]
		set ann $spawn_id
		need $ann "you are now ann"
		spawn [lindex $argv 0] chat -n bob 127.0.0.1 [lindex $argv 1]
		set bob $spawn_id
		need $bob "you are now bob"
		send -i $ann "to you all\r"
		need $bob "<ann> to you all"
		send -i $bob "/msg ann psst\r"
		need $ann {[bob] psst}
		send -i $ann "/exit\r"
		set spawn_id $ann
		expect eof
		lassign [wait] id spawn os code
		exit $code
	END
	run expect script "$SOCKCTL" "$port"
	assert_success
}
