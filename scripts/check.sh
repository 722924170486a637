#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Runs parts of the tests and counts them: check.sh PART…, parts: deps build unit lint verify fuzz e2e kube.
# `make check`, `make test` and their like call it; environment: MAKE, OUT, T (a pattern for names).
#
# Each part prints lines "PASS name", "FAIL name", "SKIP name: why", which are counted here; a unit
# test binary counts as many times as it has test functions. A failure does not stop what follows.
# The last line is "N passed, N failed, N skipped", which is in $OUT/counts as well; the exit code says whether anything
# failed.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
MAKE=${MAKE:-make}
OUT=${OUT:-out}
pattern=${T:-}
e2e_limit_s=900 # the whole demo is one of the tests, and the boot of other kernels

passed=0 failed=0 skipped=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# A pattern is a part of the name, or a shell pattern for it.
# shellcheck disable=SC2053 # the right side is a pattern on purpose
wanted() {
  [[ -z $pattern || $1 == *"$pattern"* || $1 == $pattern ]]
}

# Counts the verdicts on standard input, and hands them on.
count() {
  local line

  while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
    "PASS "*) passed=$((passed + 1)) ;;
    "FAIL "*) failed=$((failed + 1)) ;;
    "SKIP "*) skipped=$((skipped + 1)) ;;
    esac
  done
}

verdict() {
  count < <(printf '%s\n' "$*")
}

# build NAME TARGET…: a part of its own in the count only if it fails.
build() {
  local name=$1 jobs=()

  shift
  [[ ${MAKEFLAGS-} == *-j* ]] || jobs=(-j "$(nproc)")
  if "$MAKE" --no-print-directory -k "${jobs[@]}" OUT="$OUT" "$@" >"$logs/build" 2>&1; then
    return 0
  fi
  grep -vE '^  [A-Z]+ +' "$logs/build" | head -n 60
  verdict "FAIL build/$name"
  return 1
}

part_deps() {
  scripts/deps.sh || verdict "FAIL deps"
}

part_build() {
  build programs all aux-binaries && verdict "PASS build"
}

# One binary of unit tests: a line for it, but a count for each of its functions.
unit_binary() {
  local binary=$1 name=$2 good bad left status

  timeout 120 "$binary" >"$logs/unit" 2>&1
  status=$?
  good=$(grep -c '^\[       OK \]' "$logs/unit")
  bad=$(grep -c '^\[  FAILED  \] [A-Za-z_0-9]*$' "$logs/unit")
  left=$(grep -c '^\[  SKIPPED \] [A-Za-z_0-9]*$' "$logs/unit")
  # cmocka prints the names once more in its summary.
  bad=$(((bad + 1) / 2)) left=$(((left + 1) / 2))
  if ((status == 0 && bad == 0 && good > 0)); then
    echo "PASS $name ($good tests)"
  else
    ((bad)) || bad=1 # a sanitizer's abort, a time-out, or no test at all
    tail -n 40 "$logs/unit"
    echo "FAIL $name ($bad of $((good + bad)) tests, exit $status)"
  fi
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
}

# The same for a file of Python's unit tests. By Debian's Python: numpy is its.
unit_python() {
  local file=$1 name=$2 ran bad status

  timeout 120 /usr/bin/python3 -B "$file" >"$logs/unit" 2>&1
  status=$?
  ran=$(sed -n 's/^Ran \([0-9]*\) tests\? in .*/\1/p' "$logs/unit")
  bad=$(grep -cE '^(FAIL|ERROR): ' "$logs/unit")
  if ((status == 0 && ran > 0)); then
    echo "PASS $name ($ran tests)"
  else
    ((bad)) || bad=1
    tail -n 40 "$logs/unit"
    echo "FAIL $name ($bad of ${ran:-0} tests, exit $status)"
  fi
  passed=$((passed + (ran > bad ? ran - bad : 0))) failed=$((failed + bad))
}

part_unit() {
  local source name

  build unit-tests SAN=1 unit-binaries
  for source in tests/unit/*/test_*.c; do
    name=${source#tests/} name=${name%.c}
    wanted "$name" || continue
    if [[ -x $OUT/san/$name ]]; then
      unit_binary "$OUT/san/$name" "$name"
    else
      verdict "FAIL $name: not built"
    fi
  done
  for source in tests/unit/*/test_*.py; do
    name=${source#tests/} name=${name%.py}
    ! wanted "$name" || unit_python "$source" "$name"
  done
}

part_lint() {
  build generated generated
  count < <(OUT="$OUT" tests/lint/lint.sh 2>&1)
}

# The objects in a folder, against the budget.
verify_objects() {
  "$OUT/rel/tests/verify" tests/verify/budget.txt "$1"/meridian{,_legacy}.bpf.o >"$logs/verify" 2>&1 ||
    grep -q '^FAIL ' "$logs/verify" || echo "FAIL verify: exit without a verdict" >>"$logs/verify"
}

# Those of a machine without BTF, built from the committed types, are to load as well.
part_verify() {
  local plain=$OUT/plain

  build verify all aux-binaries || return
  verify_objects "$OUT/bpf"
  count <"$logs/verify"
  if build verify/plain BTF=/nonexistent OUT="$plain" "$plain"/bpf/meridian{,_legacy}.bpf.o; then
    verify_objects "$plain/bpf"
    count < <(sed 's|^\([A-Z]* verify\)|\1/plain|' "$logs/verify")
  fi
  "$OUT/rel/tests/tc_packets" -b tests/verify/budget.txt "$OUT"/bpf/meridian{,_legacy}.bpf.o >"$logs/verify" 2>&1 ||
    grep -q '^FAIL ' "$logs/verify" || echo "FAIL tc: exit without a verdict" >>"$logs/verify"
  count <"$logs/verify"
  end_to_end verify
}

# A minute for each reader, as many at once as there are processors. One that says nothing did not run.
part_fuzz() {
  local source name

  count < <("$MAKE" --no-print-directory -k -j "$(nproc)" OUT="$OUT" fuzz 2>&1 |
    grep -vE '^  [A-Z]+ +' | tee "$logs/fuzz")
  for source in tests/fuzz/fuzz_*.c; do
    name=fuzz/${source#tests/fuzz/fuzz_} name=${name%.c}
    grep -qE "^(PASS|FAIL) $name(:|\$)" "$logs/fuzz" || verdict "FAIL $name: not built"
  done
}

part_e2e() {
  build e2e all aux-binaries && end_to_end e2e
}

# Against real API servers, which are built here if they are not there.
part_kube() {
  build kube all aux-binaries || return
  if scripts/kube_assets.sh >/dev/null; then
    # A folder in KUBEBUILDER_ASSETS need not have these: then tests that need nodes are skipped.
    scripts/kube_assets.sh --nodes >/dev/null || true
    end_to_end kube
  else
    verdict "FAIL kube-assets"
  fi
}

# The scripts of a folder of tests/.
end_to_end() {
  local script name status

  for script in tests/"$1"/[0-9]*.sh; do
    name=$1/$(basename "$script" .sh)
    wanted "$name" || continue
    MRD_OUT=$OUT/rel timeout -k 30 "$e2e_limit_s" "$script" >"$logs/e2e" 2>&1 </dev/null
    status=$?
    if [[ $(tail -n 1 "$logs/e2e") == @(PASS|SKIP)\ * && $status == @(0|77) ]]; then
      count < <(tail -n 1 "$logs/e2e")
    else
      # The failed checks once more: the servers' logs are long, and a record may keep its end only.
      grep -v '^FAIL ' "$logs/e2e" | tail -n 60
      grep '^  not ok' "$logs/e2e"
      verdict "FAIL $name: exit $status$(sed -n "s|^FAIL $name: |, |p" "$logs/e2e")"
    fi
  done
}

shopt -s extglob
mkdir -p "$OUT" && rm -f "$OUT/counts"
for part; do
  echo "== $part"
  "part_$part"
done
echo "$passed passed, $failed failed, $skipped skipped" | tee "$OUT/counts"
((failed == 0))
