#!/usr/bin/env bats
# Runs each unit program (tests/unit/*.c) and each fuzz target's kept inputs
# (tests/fuzz/corpus); `make test` has built them.

load helper/common

# Without bats's descriptors: some count their own.
alone() {
	local fd

	for fd in {3..30}; do
		eval "exec $fd>&-"
	done
	exec "$@"
}

@test "unit: every program of tests/unit" {
	local source name failed=

	for source in "$SOCKCTL_TOP"/tests/unit/*.c; do
		name=$(basename "$source" .c)
		run alone "$SOCKCTL_OUT/unit/$name"
		((status == 0)) || failed+="$name: exit $status"$'\n'"$output"$'\n'
	done
	[ -z "$failed" ] || fail "$failed"
}

@test "unit: every kept input of the fuzz targets" {
	local source name corpus failed=

	for source in "$SOCKCTL_TOP"/tests/fuzz/fuzz_*.c; do
		[ -e "$source" ] || skip "no fuzz target"
		name=$(basename "$source" .c)
		corpus="$SOCKCTL_TOP/tests/fuzz/corpus/${name#fuzz_}"
		[ -d "$corpus" ] || corpus=
		run alone "$SOCKCTL_OUT/replay/$name" ${corpus:+"$corpus"}
		((status == 0)) || failed+="$name: exit $status"$'\n'"$output"$'\n'
	done
	[ -z "$failed" ] || fail "$failed"
}
