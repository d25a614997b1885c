#!/usr/bin/env bats
# Names that a sender may choose, and what may stand in their way: nothing
# outside of the folder is touched, nothing is written through or over.

load helper/common

XFER="$SOCKCTL_TOP/tests/helper/xfer.py"

# The watched tree is ./tree: tree/in is the folder, all else is outside.
watched() {
	mkdir -p tree/in tree/outside
	echo safe > tree/outside/safe
	echo safe > tree/passwd
	server recv recvfile -s 127.0.0.1 -d tree/in --json "$@"
	receiver=$pid
	look > before
}

look() {
	find tree -not -path 'tree/in*' -printf '%p %m %y %s %C@\n' | sort
}

untouched() {
	look | diff before -
}

# refused REASON NAME...: by an answer that says 3 (refuse), with this reason.
refused() {
	local i reason=$1

	shift
	run_err python3 "$XFER" offer "$port" "$@"
	assert_equal "${#lines[@]} of $#: $stderr" "$# of $#: "
	for ((i = 0; i < $#; i++)); do
		assert_regex "${lines[i]}" "^verdict 3 reason $reason .*type 9"
	done
}

taken() {
	local i

	run_err python3 "$XFER" offer "$port" "$@"
	assert_equal "${#lines[@]} of $#: $stderr" "$# of $#: "
	for ((i = 0; i < $#; i++)); do
		assert_regex "${lines[i]}" '^verdict 1 .* receipt 1 type 9'
	done
}

@test "names: what leaves the folder or hides is refused by name" {
	local long

	watched
	long=$(printf 'x%.0s' {1..256})
	refused 7 .. ../passwd /etc/passwd a/../b a/.. . ./a a/./b a//b a/ / \
		../in/a .hidden .ssh/authorized_keys a/.b ... .x.part a/.x.part \
		$'a\nb' $'a\e[2Jb' $'a\x7f' $'\t' "$long" "a/$long/b" \
		$'a\u009bm' hex:610062
	run find tree/in -mindepth 1
	assert_output ''
	untouched
	stop "$receiver"
	assert_equal "$code" 0
	json recv.out "last['refused'] == 26 and len(ev('file')) == 26 and
		all(e['status'] == 'refused' and e['reason'] for e in ev('file'))"
}

@test "names: with --dotfiles hidden ones are taken, those of parts never" {
	watched --dotfiles
	taken .hidden .ssh/authorized_keys ... .part
	refused 7 .. . a/../b .x.part a/.b.part/c ..part
	untouched
}

@test "names: in UTF-8 and in other bytes, long and deep ones" {
	local long deep

	watched
	long=$(printf 'x%.0s' {1..255})
	deep=$(printf 'd/%.0s' {1..1000})f
	taken "grün 日本" "$long" "$deep" hex:fffe80
	cmp "tree/in/grün 日本" "tree/in/$long"
	assert_file_exists "tree/in/$deep"
	assert_file_exists $'tree/in/\xff\xfe\x80'
	refused 8 "$long"
	run find tree/in -name '.*.part'
	assert_output ''
	# What a terminal shows of them is escaped.
	stop "$receiver"
	server recv recvfile -s 127.0.0.1 -d tree/in
	refused 7 $'a\e[31m'
	stop "$pid"
	assert_file_contains recv.out 'a\\x1b\[31m: refused'
}

@test "names: links, fifos, devices, folders and files in the way" {
	watched --overwrite
	ln -s ../passwd tree/in/link
	ln -s ../outside tree/in/folder
	ln -s nowhere tree/in/dangling
	mkfifo tree/in/fifo
	mkdir tree/in/dir
	echo old > tree/in/file
	ln -s ../../passwd tree/in/dir/.planted.part
	ln tree/in/file tree/in/.twice.part
	mknod tree/in/null c 1 3 2> /dev/null || ln -s /dev/null tree/in/null
	refused 9 link link/x folder/new folder/safe dangling fifo fifo/x dir \
		dir/planted twice file/x null
	taken file dir/new
	assert_equal "$(cat tree/in/file)" abc
	untouched
	# Without --overwrite a file is one thing more that is in the way.
	stop "$receiver"
	watched
	refused 8 file
	refused 9 link
	untouched
}

@test "names: a link planted between the look and the write leads nowhere" {
	watched --overwrite
	mkdir tree/in/d
	cat > plant.py <<- 'END'
		import itertools, os
		os.chdir("tree/in")
		for i in itertools.count():
		    os.makedirs("d", exist_ok=True)
		    os.rename("d", "d%d" % i)
		    try:
		        os.symlink("../outside", "d")
		        os.unlink("d")
		    except OSError:
		        pass
	END
	bg plant python3 plant.py
	planter=$pid
	mkdir many
	(cd many && touch {1..500})
	# As often as it takes to meet the folder, and not the folder.
	for _ in {1..30}; do
		"$SOCKCTL" sendfile -r 127.0.0.1 "$port" many --as d \
			>> send.out 2>&1 || true
		! grep -q 'ok, 0 B' send.out ||
			! grep -q refused send.out || break
	done
	kill -KILL "$planter"
	ended "$planter"
	assert_file_contains send.out 'ok, 0 B'
	assert_file_contains send.out refused
	untouched
}

@test "names: a folder that exists keeps its mode, a new one gets its own" {
	watched
	mkdir -m 700 tree/in/old
	mkdir -p t/old t/new
	chmod 777 t/old
	chmod 555 t/new
	touch t/old/a
	((EUID != 0)) || touch t/new/b
	"$SOCKCTL" sendfile -r 127.0.0.1 "$port" t/old t/new
	assert_equal "$(stat -c %a tree/in/old)" 700
	assert_equal "$(stat -c %a tree/in/new)" 755
	assert_file_exists tree/in/old/a
}
