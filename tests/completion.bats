#!/usr/bin/env bats
# Completion in bash, zsh and fish, each driven as a user drives it.

load helper/common

setup() {
	common_setup
	# A known_hosts and files of our own; the hosts file is the system's.
	export HOME=$PWD
	mkdir .ssh folder
	printf '%s\n' 'known.example,10.9.8.7 ssh-ed25519 AAAA' \
		'[port.example]:2222 ssh-ed25519 AAAA' \
		'|1|hash= ssh-ed25519 AAAA' > .ssh/known_hosts
	: > file.txt
	mkdir bin
	ln -s "$SOCKCTL" bin/sockctl
	PATH=$PWD/bin:$PATH
}

# The first congestion control of this system.
congestion() {
	local list=/proc/sys/net/ipv4/tcp_available_congestion_control

	[ -r "$list" ] || skip "no $list here"
	read -r name _ < "$list"
}

# A name of the system's hosts file.
hosts_name() {
	name=$(awk '$1 ~ /^[0-9.]+$/ && $2 ~ /^[a-z][a-z0-9.]+$/ { print $2; exit }' /etc/hosts)
	[ -n "$name" ] || skip "no name in /etc/hosts"
}

# The words that bash offers for a command line, one a line.
in_bash() {
	bash --norc -c '
		source <(sockctl completion bash)
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_sockctl && printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

# The same by readline itself, in a terminal.
in_bash_terminal() {
	needs expect
	cat > typed <<- 'END'
		set timeout 20
		spawn -noecho bash --norc --noprofile
		expect -re {\$ }
		send "PS1='ready> '; source <(sockctl completion bash)\r"
		expect "\nready> "
		send -- [lindex $argv 0]
		expect -re [lindex $argv 1] { exit 0 } timeout { exit 1 }
	END
	run expect typed "$@"
	assert_success
}

in_fish() {
	needs fish
	fish --no-config -c 'sockctl completion fish | source
		complete -C "$argv[1]"' "$1" | cut -f 1
}

in_zsh() {
	needs zsh expect
	cat > .zshrc <<- 'END'
		PS1='ready> '
		autoload -Uz compinit; compinit -u -D
		source <(sockctl completion zsh)
		zstyle ':completion:*' list-prompt ''
		zstyle ':completion:*' menu no
		unsetopt list_ambiguous auto_menu
		LISTMAX=1000
	END
	cat > typed <<- 'END'
		set timeout 20
		set env(TERM) dumb
		spawn -noecho zsh -d -i
		expect "ready> "
		send -- [lindex $argv 0]
		expect -re [lindex $argv 1] { exit 0 } timeout { exit 1 }
	END
	ZDOTDIR=$PWD run expect typed "$@"
	assert_success
}

@test "completion: bash: modes, options, values" {
	run in_bash sockctl ""
	for word in serve connect echo chat sendfile recvfile flood probe help \
		completion; do
		assert_line "$word"
	done
	run in_bash sockctl co
	assert_output $'connect\ncompletion'
	run in_bash sockctl completion z
	assert_output zsh
	run in_bash sockctl help sock
	assert_output sockopts
	run in_bash sockctl serve --port
	assert_output $'--port\n--port-file'
	run in_bash sockctl connect 127.0.0.1 -
	assert_line -- -4
	assert_line -- --retry
	refute_line -- --broker
	run in_bash sockctl connect --datagram ""
	assert_output $'read\nline'
	run in_bash sockctl connect --datagram = l
	assert_output line
	run in_bash sockctl connect -o ke
	assert_line keepalive
	run in_bash sockctl connect --chunk ""
	assert_output ""
}

@test "completion: bash: hosts, interfaces, congestion control, files" {
	run in_bash sockctl connect known
	assert_output known.example
	run in_bash sockctl connect 10.9
	assert_output 10.9.8.7
	run in_bash sockctl connect port
	assert_output port.example
	run in_bash sockctl serve -s l
	assert_line lo
	run in_bash sockctl serve --log fil
	assert_output file.txt
	congestion
	run in_bash sockctl connect --congestion "${name:0:2}"
	assert_line "$name"
	hosts_name
	run in_bash sockctl connect "${name:0:3}"
	assert_line "$name"
}

@test "completion: every option of every mode, in all three scripts" {
	for shell in bash zsh fish; do
		"$SOCKCTL" completion "$shell" > "$shell"
	done
	python3 "$SOCKCTL_TOP/tests/helper/options.py" "$SOCKCTL" show > rows
	[ "$(wc -l < rows)" -gt 100 ]
	for shell in bash zsh fish; do
		while IFS=$'\t' read -r mode letter name _; do
			[ "$letter" != - ] || letter=
			[ "$name" != - ] || name=
			row=$mode$'\t'$letter$'\t'$name$'\t'
			grep -qF -e "$row" "$shell" || fail "$shell lacks: $row"
		done < rows
	done
}

@test "completion: bash in a terminal" {
	in_bash_terminal $'sockctl serve --port-f\t' 'sockctl serve --port-file '
	in_bash_terminal $'sockctl connect --datagram=l\t' 'datagram=line'
	in_bash_terminal $'sockctl serve --log fil\t' 'log file.txt'
	in_bash_terminal $'sockctl sendf\t' 'sockctl sendfile '
}

@test "completion: fish" {
	run in_fish "sockctl "
	assert_line serve
	assert_line completion
	run in_fish "sockctl serve --port"
	assert_line -- --port
	assert_line -- --port-file
	run in_fish "sockctl connect --datagram "
	assert_line line
	run in_fish "sockctl connect --datagram=l"
	assert_line -- --datagram=line
	run in_fish "sockctl connect known"
	assert_line known.example
	run in_fish "sockctl serve --log fil"
	assert_line file.txt
	run in_fish "sockctl completion b"
	assert_line bash
	run in_fish "sockctl serve -s l"
	assert_line lo
}

@test "completion: fish: what the system has, and socket options" {
	run in_fish "sockctl connect -o ke"
	assert_line keepalive
	run in_fish "sockctl connect 10.9"
	assert_line 10.9.8.7
	run in_fish "sockctl connect port"
	assert_line port.example
	congestion
	run in_fish "sockctl connect --congestion ${name:0:2}"
	assert_line "$name"
	hosts_name
	run in_fish "sockctl connect ${name:0:3}"
	assert_line "$name"
}

@test "completion: zsh: what the system has, and socket options" {
	in_zsh $'sockctl serve -s l\t' '-s lo'
	in_zsh $'sockctl connect -o keepalive-in\t' 'keepalive-interval'
	in_zsh $'sockctl connect 10.9\t' '10\.9\.8\.7'
	in_zsh $'sockctl connect port.e\t' 'port\.example'
	congestion
	in_zsh "sockctl connect --congestion ${name%?}"$'\t' "congestion $name"
	hosts_name
	in_zsh "sockctl connect ${name%?}"$'\t' "connect $name"
}

@test "completion: zsh" {
	in_zsh $'sockctl sendf\t' 'sockctl sendfile'
	in_zsh $'sockctl serve --port-f\t' '--port-file'
	in_zsh $'sockctl connect --datagram l\t' 'datagram line'
	in_zsh $'sockctl connect --datagram=l\t' 'datagram=line'
	in_zsh $'sockctl connect known\t' 'known.example'
	in_zsh $'sockctl serve --log fil\t' 'log file.txt'
	in_zsh $'sockctl completion f\t' 'completion fish'
}

@test "completion: each script is one that its shell can read" {
	bash -n <("$SOCKCTL" completion bash)
	if command -v zsh > /dev/null; then
		"$SOCKCTL" completion zsh > script && zsh -n script
	fi
	if command -v fish > /dev/null; then
		"$SOCKCTL" completion fish > script && fish -n script
	fi
}
