#!/bin/sh
# make demo: a conversation and a file each way on this machine, by sockctl
# alone. Prints each command before it runs, and what came of it. POSIX sh and
# coreutils only.
set -eu
cd "$(dirname "$0")/.."
sockctl=${SOCKCTL:-$PWD/sockctl}
work=$(mktemp -d)
server=
end() {
	[ -z "$server" ] || kill "$server" 2> /dev/null || :
	rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
cd "$work"
mkdir here there

show() {
	printf '\n$ %s\n' "$*"
}

# Until the file is there, or the server is gone.
wait_file() {
	tries=0
	until [ -s "$1" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 200 ] || ! kill -0 "$server" 2> /dev/null; then
			echo "the server did not start:"
			cat ./*.log
			exit 1
		fi
		sleep 0.05
	done
}

check() {
	if [ "$1" = "$2" ]; then
		echo "equal: $3"
	else
		echo "NOT EQUAL: $3"
		exit 1
	fi
}

echo "A conversation: what one side types, the other one reads."
show "echo 'hello from serve' | sockctl serve -p 0 --once --port-file port -v > heard.serve"
(
	# Its standard input stays open until the client has spoken.
	echo 'hello from serve'
	tries=0
	until [ -s heard.serve ] || [ "$tries" -gt 100 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
) | "$sockctl" serve -p 0 --once --port-file port -v > heard.serve \
	2> serve.log &
server=$!
wait_file port
port=$(cat port)
show "echo 'hello from connect' | sockctl connect localhost $port"
echo 'hello from connect' | "$sockctl" connect localhost "$port" > heard.connect
cat heard.connect
wait "$server"
server=
show "cat heard.serve"
cat heard.serve
show "what serve -v said of it:"
cat serve.log
check "$(cat heard.connect)" "hello from serve" "what connect read"
check "$(cat heard.serve)" "hello from connect" "what serve read"

echo
echo "A file each way, 8 MiB of random bytes, by pipes alone."
head -c 8388608 /dev/urandom > here/a
head -c 8388608 /dev/urandom > there/b
rm -f port
show "sockctl serve -p 0 --once --port-file port < here/a > here/b"
"$sockctl" serve -p 0 --once --port-file port < here/a > here/b 2> serve.log &
server=$!
wait_file port
port=$(cat port)
show "sockctl connect localhost $port < there/b > there/a"
"$sockctl" connect localhost "$port" < there/b > there/a
wait "$server"
server=
show "cksum here/* there/*"
cksum here/* there/*
check "$(cksum < here/a)" "$(cksum < there/a)" "a, from serve to connect"
check "$(cksum < here/b)" "$(cksum < there/b)" "b, from connect to serve"

echo
echo "The same with names, checksums and receipts: recvfile and sendfile."
rm -f port
mkdir in
show "sockctl recvfile -p 0 --once --port-file port -d in"
"$sockctl" recvfile -p 0 --once --port-file port -d in > recv.log 2>&1 &
server=$!
wait_file port
port=$(cat port)
show "sockctl sendfile localhost $port here/a there/b"
"$sockctl" sendfile localhost "$port" here/a there/b
wait "$server"
server=
cat recv.log
check "$(cksum < here/a)" "$(cksum < in/a)" "a, as recvfile put it in place"
check "$(cksum < there/b)" "$(cksum < in/b)" "b, as recvfile put it in place"
echo
echo "demo: all good"
