#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# Everything about style that a program can judge. One verdict a check; what is wrong stands above.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit
OUT=${OUT:-out}
file_lines_max=800
makefile_lines_max=250

# Files of the project: what git knows, or everything if this is no clone.
files() {
  {
    git -c safe.directory='*' ls-files 2>/dev/null || find . -path ./out -prune -o -type f -printf '%P\n'
  } | while IFS= read -r file; do [[ -f $file ]] && printf '%s\n' "$file"; done
}

c_files() { files | grep -E '\.[ch]$' | grep -E "${1:-}"; }

# verdict NAME: runs check_NAME, which prints what is wrong and fails then.
verdict() {
  if "check_$1"; then
    echo "PASS lint/$1"
  else
    echo "FAIL lint/$1"
  fi
}

# The first line, or the second under "#!". JSON and go.sum have no comments; licence texts are themselves.
check_spdx() {
  local file bad=0

  while IFS= read -r file; do
    if ! head -n 2 "$file" | awk 'NR == 1 || first ~ /^#!/ { print } NR == 1 { first = $0 }' |
      grep -qF 'SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)'; then
      echo "$file:1: no SPDX line"
      bad=1
    fi
  done < <(files | grep -vE '^LICENSES/|\.json$|/go\.sum$')
  return $bad
}

check_sizes() {
  local lines file most bad=0

  while IFS= read -r file; do
    lines=$(wc -l <"$file")
    most=$file_lines_max
    [[ $file != Makefile ]] || most=$makefile_lines_max
    ((lines <= most)) && continue
    echo "$file: $lines lines, more than $most"
    bad=1
  done < <(files | grep -E '\.([ch]|sh|awk|py)$|^Makefile$')
  return $bad
}

check_layers() {
  # shellcheck disable=SC2046 # no file name here has spaces
  awk -f tests/lint/layers.awk $(c_files '^(maps|bpf|user)/')
}

# The rule must refuse what it forbids, or it guards nothing.
check_layers_self_test() {
  local folder expected bad=0 rule=$PWD/tests/lint/layers.awk path include

  folder=$(mktemp -d)
  while read -r expected path include; do
    mkdir -p "$folder/$(dirname "$path")"
    printf '#include %s\n' "$include" >"$folder/$path"
    if (cd "$folder" && awk -f "$rule" "$path" >/dev/null); then
      [[ $expected == allowed ]] || { echo "not refused: $path includes $include" && bad=1; }
    else
      [[ $expected == refused ]] || { echo "refused: $path includes $include" && bad=1; }
    fi
  done <<'END'
refused user/base/a.c "plan/plan.h"
refused user/model/a.c "maps/abi.h"
refused user/plan/a.c "dataplane/dataplane.h"
refused user/plan/a.c <bpf/libbpf.h>
refused user/agent/a.c <bpf/libbpf.h>
refused user/agent/a.c "meridian.skel.h"
refused user/ctl/a.c "agent/engine.h"
refused user/config/a.c "dataplane/dataplane.h"
refused user/source/a.c "../model/model.h"
refused maps/a.h "base/ip.h"
refused bpf/a.c "user/base/ip.h"
refused user/plan/a.c "bpf/lib/pick.h"
allowed user/plan/a.c "model/model.h"
allowed user/plan/a.c "maps/abi.h"
allowed user/dataplane/a.c <bpf/libbpf.h>
allowed user/dataplane/a.c "meridian.skel.h"
allowed bpf/a.c <bpf/bpf_helpers.h>
allowed bpf/a.c "lib/pick.h"
allowed bpf/lib/a.h "vmlinux.h"
allowed user/base/a.c "diag.h"
allowed user/base/a.c <yaml.h>
allowed tests/unit/plan/a.c "bpf/lib/pick.h"
END
  rm -rf "$folder"
  return $bad
}

check_format() {
  c_files | xargs clang-format-14 --dry-run -Werror 2>&1 | grep -E 'error:' | sort -u >"$temp/format"
  head -n 20 "$temp/format"
  [[ ! -s $temp/format ]]
}

# BPF programs are checked by clang itself, with -Werror, and by the verifier.
check_tidy() {
  # shellcheck disable=SC2016 # the inner shell expands it
  c_files '^(user|tests|demo|bench)/.*\.c$' | grep -v '\.bpf\.c$' |
    GEN=$OUT/gen xargs -P "$(nproc)" -n 4 bash -c 'clang-tidy-14 --quiet "$@" -- -std=gnu11 \
      -D_GNU_SOURCE "-DMRD_VERSION=\"lint\"" -Iuser -I. "-I$GEN"' tidy >"$temp/tidy" 2>"$temp/tidy.err"
  grep -E '(warning|error):' "$temp/tidy" | sort -u >"$temp/tidy.lines"
  head -n 40 "$temp/tidy.lines"
  [[ ! -s $temp/tidy.lines ]]
}

check_shellcheck() {
  # shellcheck disable=SC2046 # no file name here has spaces
  shellcheck -x $(files | grep -E '\.sh$|/meridian-join$') .ci/run
}

check_man() {
  # shellcheck disable=SC2046 # no file name here has spaces
  mandoc -Tlint -Wwarning $(files | grep -E '^docs/man/.*\.[1-9]$')
}

# With what must be refused, or it guards nothing. By Debian's Python: the YAML package is its.
check_manifests() {
  /usr/bin/python3 tests/lint/manifests.py --self-test
}

temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
(($#)) || set -- spdx sizes layers layers_self_test format shellcheck man manifests tidy
for check; do
  verdict "$check"
done
