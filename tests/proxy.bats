#!/usr/bin/env bats
# connect --proxy: through real proxies, and against proxies that refuse, lie,
# stall or talk nonsense.

bats_require_minimum_version 1.5.0
load helper/common

# A port that was free a moment ago: the proxies here cannot choose one.
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("", 0))
print(s.getsockname()[1])'
}

connects() {
	(exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# start_proxy FILE COMMAND...: COMMAND with {} for the port: $proxy.
start_proxy() {
	local file=$1

	shift
	proxy=$(free_port)
	bg "$file" "${@//\{\}/$proxy}"
	wait_for connects "$proxy"
}

start_tinyproxy() {
	cat > tiny.conf <<- END
		Listen 127.0.0.1
		Timeout 60
		MaxClients 20
		$1
	END
	proxy=$(free_port)
	echo "Port $proxy" >> tiny.conf
	bg tiny tinyproxy -d -c tiny.conf
	wait_for connects "$proxy"
}

# start_hostile BEHAVIOUR: a proxy of the tests' own: $proxy.
start_hostile() {
	rm -f hostile.port
	bg hostile python3 "$SOCKCTL_TOP/tests/helper/proxy.py" "$1" \
		hostile.port
	wait_for test -s hostile.port
	proxy=$(cat hostile.port)
}

# connect_by URL HOST PORT [OPTION...]: a line to a far side that returns it.
connect_by() {
	local url=$1

	shift
	run_err "$SOCKCTL" connect --proxy "$url" "$@" <<< "there and back"
}

start_echo() {
	server echo serve --exec cat
}

# both_ways URL: 4 MiB there, then 4 MiB back, the same bytes. One after the
# other: these proxies know no half-close.
both_ways() {
	head -c 4194304 /dev/urandom > file
	server sink serve --once
	"$SOCKCTL" connect --proxy "$1" --send-only 127.0.0.1 "$port" < file
	ended "$pid"
	cmp file sink.out
	server source serve --reply file
	"$SOCKCTL" connect --proxy "$1" 127.0.0.1 "$port" < /dev/null > got
	cmp file got
}

@test "proxy: SOCKS 5 by microsocks, to an address and to a name" {
	needs microsocks
	start_echo
	start_proxy socks microsocks -i 127.0.0.1 -p {}
	connect_by "socks5://127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_success
	assert_output "there and back"
	connect_by "socks5://localhost:$proxy" localhost "$port"
	assert_success
	assert_output "there and back"
	both_ways "socks5://127.0.0.1:$proxy"
}

@test "proxy: SOCKS 5 to an IPv6 address" {
	needs microsocks
	needs_ipv6
	start_echo
	start_proxy socks microsocks -i 127.0.0.1 -p {}
	connect_by "socks5://127.0.0.1:$proxy" ::1 "$port"
	assert_success
	assert_output "there and back"
}

@test "proxy: SOCKS 5 with user and password, from the URL and from outside" {
	needs microsocks
	start_echo
	start_proxy socks microsocks -i 127.0.0.1 -p {} -u me -P 'p@ss:word'
	connect_by "socks5://me:p%40ss:word@127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_success
	assert_output "there and back"
	SOCKCTL_PROXY_AUTH=me:p@ss:word \
		connect_by "socks5://127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_success
	assert_output "there and back"
	connect_by "socks5://me:wrong@127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_failure 1
	[[ $stderr == *"user or password refused"* ]]
	[[ $stderr != *wrong* ]]
	connect_by "socks5://127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_failure 1
	[[ $stderr == *"wants user and password"* ]]
}

@test "proxy: a target that refuses, behind SOCKS 5 and behind HTTP" {
	local closed

	needs microsocks tinyproxy
	closed=$(free_port)
	start_proxy socks microsocks -i 127.0.0.1 -p {}
	connect_by "socks5://127.0.0.1:$proxy" 127.0.0.1 "$closed" --json
	assert_failure 1
	json <(echo "$stderr") 'ev("error")[0]["op"] == "connect" and
		ev("error")[0]["errno"] == "ECONNREFUSED" and
		ev("error")[0]["target"] == "127.0.0.1:'"$closed"'" and
		last["exit"] == 1'
	start_tinyproxy
	connect_by "http://127.0.0.1:$proxy" 127.0.0.1 "$closed"
	assert_failure 1
	[[ $stderr == *"proxy 127.0.0.1:$proxy: 50"* ]]
}

@test "proxy: HTTP CONNECT by tinyproxy, to an address and to a name" {
	needs tinyproxy
	start_echo
	start_tinyproxy
	connect_by "http://127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_success
	assert_output "there and back"
	connect_by "http://localhost:$proxy/" localhost "$port"
	assert_success
	assert_output "there and back"
	both_ways "http://127.0.0.1:$proxy"
}

@test "proxy: HTTP CONNECT to an IPv6 address" {
	needs tinyproxy
	needs_ipv6
	start_echo
	start_tinyproxy
	connect_by "http://127.0.0.1:$proxy" ::1 "$port"
	assert_success
	assert_output "there and back"
}

@test "proxy: HTTP with user and password" {
	needs tinyproxy
	start_echo
	start_tinyproxy "BasicAuth me p4ssword"
	connect_by "http://me:p4ssword@127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_success
	assert_output "there and back"
	SOCKCTL_PROXY_AUTH=me:p4ssword \
		connect_by "http://127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_success
	connect_by "http://me:wrong@127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_failure 1
	connect_by "http://127.0.0.1:$proxy" 127.0.0.1 "$port"
	assert_failure 1
	[[ $stderr == *": 407 "* ]]
	[[ $stderr == *SOCKCTL_PROXY_AUTH* ]]
}

@test "proxy: an IPv6 proxy in brackets" {
	needs microsocks
	needs_ipv6
	start_echo
	proxy=$(free_port)
	bg socks microsocks -i ::1 -p "$proxy"
	wait_grep ":$(printf %04X "$proxy") .* 0A " /proc/net/tcp6
	connect_by "socks5://[::1]:$proxy" 127.0.0.1 "$port"
	assert_success
	assert_output "there and back"
}

@test "proxy: one that is not there is a refusal of its own" {
	proxy=$(free_port)
	connect_by "http://127.0.0.1:$proxy" db.example 5432
	assert_failure 1
	[[ $stderr == *"connect db.example:5432: proxy 127.0.0.1:$proxy: "* ]]
}

@test "proxy: an answer a byte at a time works, and no byte behind it is lost" {
	local behaviour

	for behaviour in http_slow http_early socks_slow; do
		start_hostile "$behaviour"
		connect_by "${behaviour%_*}://127.0.0.1:$proxy" h 1 2> /dev/null ||
			true
		[[ $behaviour == http* ]] ||
			connect_by "socks5://127.0.0.1:$proxy" h 1
		assert_success
		assert_output "first there and back"
	done
}

@test "proxy: one that hangs up or talks nonsense is not a proxy: exit 8" {
	local behaviour url

	for behaviour in hang_up hang_up_half_way nonsense headers; do
		start_hostile "$behaviour"
		for url in "http://127.0.0.1:$proxy" \
			"socks5://127.0.0.1:$proxy"; do
			[[ $url$behaviour == socks*ers ]] ||
				[[ $url$behaviour == socks*half_way ]] ||
				hostile_ends "$url"
		done
	done
}

hostile_ends() {
	connect_by "$1" h 1 --json -w 20
	assert_failure 8
	json <(echo "$stderr") 'ev("error")[0]["op"] == "protocol" and
		last["exit"] == 8'
}

@test "proxy: one that says no is told with its own words, escaped" {
	start_hostile forbids
	connect_by "http://127.0.0.1:$proxy" h 1
	assert_failure 1
	[[ $stderr == *"403 \\x1b[31mNo"* ]]
	start_hostile socks_refuses
	connect_by "socks5://127.0.0.1:$proxy" h 1
	assert_failure 1
	[[ $stderr == *"forbidden by its rules"* ]]
}

@test "proxy: one that stalls is left after -w" {
	local behaviour

	for behaviour in stall socks_stall; do
		start_hostile "$behaviour"
		connect_by "socks5://127.0.0.1:$proxy" h 1 -w 200ms --json
		assert_failure 4
		json <(echo "$stderr") 'ev("error")[0]["errno"] == "ETIMEDOUT" and
			"proxy 127.0.0.1:'"$proxy"'" in ev("error")[0]["message"]'
	done
	start_hostile stall
	connect_by "http://127.0.0.1:$proxy" h 1 -w 200ms
	assert_failure 4
}

@test "proxy: a URL that is none, and what no proxy can do: usage errors" {
	local url

	for url in "" proxy:1080 https://h:1 socks5://h http://h:0 \
		http://h:1/path http://a%zz:b@h:1 socks5://:b@h:1 http://::1:80; do
		connect_by "$url" h 1
		assert_failure 2
		[[ $stderr == *--proxy* ]]
		[[ $stderr == *"try 'sockctl connect --help'"* ]]
	done
	SOCKCTL_PROXY_AUTH=nocolon connect_by http://h:1 h 1
	assert_failure 2
	connect_by http://h:1 -u h 1
	assert_failure 2
	connect_by http://h:1 unix:/nowhere
	assert_failure 2
	connect_by http://127.0.0.1:1 --numeric h 1
	assert_failure 2
}

@test "proxy: every mode that connects refuses what it cannot do at once" {
	local words

	for words in "echo -u h 1" "flood -u h 1" "sendfile --numeric h 1 x" \
		"serve -p 0 --forward udp:h:1"; do
		# shellcheck disable=SC2086 # words are wanted
		run_err "$SOCKCTL" $words --proxy http://127.0.0.1:1
		assert_failure 2
	done
}
