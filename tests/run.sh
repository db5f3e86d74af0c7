#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh - runs the tests and counts them; the last line is "N passed, N failed, N skipped".
#
# Called by `make check`; T=NAME runs one of them.  Every test prints TAP: "ok 1 - name",
# "not ok 2 - name", "ok 3 - name # SKIP why".  What failed is shown whole, with the line to run it again.

LC_ALL=C.UTF-8
TZ=UTC
OMP_NUM_THREADS=1
CMOCKA_MESSAGE_OUTPUT=TAP
export LC_ALL TZ OMP_NUM_THREADS CMOCKA_MESSAGE_OUTPUT top_srcdir top_builddir

log=tests/log
rm -rf "$log"
mkdir -p "$log"
passed=0 failed=0 skipped=0

count() {
	grep -c "$1" "$2" || :
}

# one NAME COMMAND...
one() {
	name=$1
	shift
	if [ -n "$T" ] && [ "$T" != "$name" ]; then
		return
	fi
	start=$(date +%s)
	"$@" >"$log/$name" 2>&1 </dev/null
	status=$?
	p=$(grep '^ok ' "$log/$name" | grep -vc '# SKIP' || :)
	s=$(count '^ok .*# SKIP' "$log/$name")
	f=$(count '^not ok ' "$log/$name")
	planned=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$log/$name" | awk '{ n += $1 } END { print n + 0 }')
	# A test that died has fewer results than it planned, or none.
	if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((p + s)) -eq 0 ] || [ $((p + s)) -lt "$planned" ]; }
	then
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-24s %4d passed %3d failed %3d skipped  %3d s\n' "$name" "$p" "$f" "$s" \
		$(($(date +%s) - start))
	if [ "$f" -ne 0 ]; then
		sed 's/^/    /' "$log/$name" | tail -n 40
		echo "    again: make check T=$name   (status $status)"
	fi
	sed -n 's/^ok [0-9]* -* *\(.*\) # SKIP/    skipped: \1/p' "$log/$name" | sort | uniq
}

for t in $UNIT_TESTS; do
	one "$(basename "$t")" "./$t"
done
for t in "$top_srcdir"/tests/*.sh; do
	case $(basename "$t") in
	run.sh | lib*.sh) ;;
	*) one "$(basename "$t" .sh)" sh "$t" ;;
	esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
