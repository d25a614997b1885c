#!/usr/bin/env bats
# make install, uninstall, dist, deb, help.

load helper/common

# The same variant as the tests': make hands its variables down.
make_in() {
	make -s -C "$SOCKCTL_TOP" "$@"
}

# The folder of objects may belong to a tree that is not ours to build in.
setup() {
	common_setup
	needs make
	[ -w "$SOCKCTL_TOP/build" ] || skip "cannot build in $SOCKCTL_TOP"
}

@test "install: everything where it belongs, and nothing left afterwards" {
	make_in install DESTDIR="$PWD/root" PREFIX=/usr MANDIR=/usr/man
	assert_file_executable root/usr/bin/sockctl
	assert_file_exists root/usr/man/man1/sockctl.1
	assert_file_exists root/usr/share/bash-completion/completions/sockctl
	assert_file_exists root/usr/share/zsh/site-functions/_sockctl
	assert_file_exists root/usr/share/fish/vendor_completions.d/sockctl.fish
	for page in "$SOCKCTL_TOP"/man/*.[17]; do
		name=$(basename "$page")
		cmp "$page" "root/usr/man/man${name##*.}/$name"
	done
	diff -r "$SOCKCTL_TOP/man/examples" root/usr/share/doc/sockctl/examples
	run root/usr/bin/sockctl --version
	assert_success
	make_in uninstall DESTDIR="$PWD/root" PREFIX=/usr MANDIR=/usr/man
	run find root ! -type d
	assert_output ""
	assert_not_exists root/usr/share/doc/sockctl
}

@test "install: systemd takes the example units" {
	needs systemd-analyze
	mkdir units
	for unit in "$SOCKCTL_TOP"/man/examples/sockctl-*; do
		sed "s|^ExecStart=sockctl|ExecStart=$SOCKCTL|" "$unit" \
			> "units/${unit##*/}"
	done
	run systemd-analyze verify units/*
	assert_success
	refute_output --partial sockctl-
}

# What UNIT starts, here: FROM is its path, TO ours.
command_of() {
	local unit=$1 from=$2 to=$3 text

	text=$(sed -n 's/^ExecStart=sockctl //p' \
		"$SOCKCTL_TOP/man/examples/$unit")
	[[ $text == *"$from"* ]] || fail "$unit does not name $from"
	read -ra words <<< "${text//"$from"/$to}"
}

@test "install: the example units' commands do what the units say" {
	echo hello > page
	command_of sockctl-page.service /srv/page page
	bg page python3 "$SOCKCTL_TOP/tests/helper/activate.py" port tcp \
		"$SOCKCTL" "${words[@]}"
	wait_for test -s port
	run "$SOCKCTL" connect 127.0.0.1 "$(cat port)" < /dev/null
	assert_output hello
	stop "$pid"

	mkdir in
	# shellcheck disable=SC2016 # systemd's variable, not ours
	command_of sockctl-inbox.service '${STATE_DIRECTORY}' in
	bg inbox "$SOCKCTL" "${words[@]}" -p 0 --port-file inbox.port \
		--allow 127.0.0.1
	wait_for test -s inbox.port
	for name in page page.1; do
		"$SOCKCTL" sendfile 127.0.0.1 "$(cat inbox.port)" page
		cmp page "in/$name"
	done
	stop "$pid"
}

@test "install: two tarballs are equal byte for byte" {
	needs git
	git -C "$SOCKCTL_TOP" rev-parse HEAD > /dev/null 2>&1 ||
		skip "not a git repository"
	make_in dist DISTDIR="$PWD/one"
	sleep 1
	make_in dist DISTDIR="$PWD/two"
	cmp one/*.tar.gz two/*.tar.gz
	mkdir src
	tar -xzf one/*.tar.gz -C src
	assert_file_exists "$(echo src/sockctl-*/Makefile)"
}

@test "install: a Debian package" {
	needs dpkg-deb dpkg
	make_in deb DISTDIR="$PWD"
	dpkg-deb -x ./*.deb root
	run root/usr/bin/sockctl --version
	assert_success
	assert_file_exists root/usr/share/man/man1/sockctl.1.gz
	run dpkg-deb -f ./*.deb Version
	assert_output --regexp '^[0-9.]+-1$'
	if command -v lintian > /dev/null; then
		run lintian --allow-root --fail-on error ./*.deb
		assert_success
	fi
}

# Beside the program, nothing: no library, no /etc, no /dev, no /proc.
@test "install: make static: below 400 KiB, works where nothing else is" {
	needs musl-gcc chroot
	[ "$(id -u)" = 0 ] || skip "chroot needs root"
	env -u SAN -u PORTABLE -u CC -u OUT -u MAKEFLAGS -u MAKEOVERRIDES \
		make -s -C "$SOCKCTL_TOP" static 3>&-
	mkdir root
	cp "$SOCKCTL_TOP/build/musl-gcc-static/sockctl" root
	run stat -c %s root/sockctl
	((output < 400 * 1024)) || fail "$output bytes"
	run chroot root /sockctl --version
	assert_success
	bg s chroot root /sockctl serve -p 0 --port-file port --reply /sockctl \
		--once
	wait_for test -s root/port
	run bash -c 'chroot root /sockctl connect 127.0.0.1 "$0" < /dev/null |
		cmp - root/sockctl' "$(cat root/port)"
	assert_success
	ended "$pid"
	assert_equal "$code" 0
	run chroot root /sockctl probe --json ::1,127.0.0.1 1
	assert_failure 1
}

@test "install: make help names the targets" {
	run make_in help
	assert_success
	for target in all test bench lint format fuzz coverage check-layers \
		install uninstall dist deb static cross clean demo soak html; do
		assert_line --regexp "^  $target +[a-zA-Z]"
	done
}
