#!/bin/sh
# run-tests.sh PROGRAM: runs the tests of one program that tests.txt lists.
# Exits with 1 if one of them fails.
program=$1
passed=0
failed=0

while read -r name of rounds runs; do
	[ "$of" = "$program" ] || continue
	run=0
	while [ "$run" -lt "$runs" ]; do
		run=$((run + 1))
		if "build/$program" "$name" "$rounds"; then
			passed=$((passed + 1))
		else
			echo "$program: $name: FAILED" >&2
			failed=$((failed + 1))
		fi
	done
done <tests.txt

echo "$program: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
