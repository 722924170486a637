# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
# shellcheck shell=bash
#
# How the demo prints: made for a terminal of 80 to 100 columns, in colour only on a terminal.

BOLD='' DIM='' GREEN='' RED='' PLAIN=''
if [[ -t 1 && -z ${NO_COLOR-} && ${TERM:-dumb} != dumb ]]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
fi

TABLE=()
declare -i DIFFERENT=0

title() {
  local rule

  printf -v rule '%*s' $((76 - ${#1})) ''
  printf '\n%s── %s %s%s\n' "$BOLD" "$1" "${rule// /─}" "$PLAIN"
}

# say TEXT…: a paragraph.
say() {
  echo "$*" | fmt -w 76 | sed 's/^/   /'
}

# A command as a reader would type it, and where.
typed() {
  printf '\n   %s$ %s%s%s\n' "$BOLD" "$1" "$PLAIN" "${2:+   ${DIM}# $2$PLAIN}"
}

# What a command prints.
indented() {
  sed "s/^\(..*\)\$/     $DIM\1$PLAIN/"
}

# The same, with long lines folded: for logs and sentences.
prose() {
  fold -s -w 90 | indented
}

# look NODE VERB…: meridianctl on that node. $COLUMNS_SHOWN names the columns of its table that fit
# on the page, and $ROWS_SHOWN is a pattern of rows; without them, all.
look() {
  typed "meridianctl ${*:2}${ROWS_SHOWN:+ | grep $ROWS_SHOWN}" "on $1"
  { ctl "$@" 2>&1 || true; } | awk -v rows="${ROWS_SHOWN-}" 'NR == 1 || $0 ~ rows' |
    columns "${COLUMNS_SHOWN-}" | indented
}

# columns "NAME …": those of a table whose cells stand two spaces or more apart, under a header.
columns() {
  awk -F '  +' -v names="$1" '
    BEGIN { wanted = split(names, name, " ") }
    !wanted { print; next }
    {
      sub(/^ +/, "")
      for (i = 1; i <= NF; i++) {
        if (NR == 1)
          at[$i] = i
        cell[NR, i] = $i
      }
    }
    END {
      for (i = 1; i <= wanted; i++)
        for (row = 1; name[i] in at && row <= NR; row++)
          if (length(cell[row, at[name[i]]]) > width[i])
            width[i] = length(cell[row, at[name[i]]])
      for (row = 1; wanted && row <= NR; row++) {
        line = ""
        for (i = 1; i <= wanted; i++)
          if (name[i] in at)
            line = line sprintf("%-" width[i] + 2 "s", cell[row, at[name[i]]])
        sub(/ +$/, "", line)
        print line
      }
    }'
}

# prove WHAT LOW HIGH SEEN [UNIT]: the number that an act is about.
prove() {
  local what=$1 low=$2 high=$3 seen=$4 unit=${5:+ $5} expected="$2 to $3" mark=$GREEN verdict=ok

  [[ $low != "$high" ]] || expected=$low
  if [[ ! $seen =~ ^[0-9]+$ ]] || ((seen < low || seen > high)); then
    mark=$RED verdict=DIFFERENT
    DIFFERENT+=1
  fi
  printf '\n   %s%s: %s%s%s, expected %s   %s%s\n' "$BOLD" "$what" "$mark" "$seen$unit" \
    "$PLAIN$BOLD" "$expected" "$mark$verdict" "$PLAIN"
  TABLE+=("$ACT|$what|$expected$unit|$seen|$mark$verdict$PLAIN")
}

print_table() {
  local row act what expected seen verdict

  title "Expected and seen"
  printf '   %s%-13s %-36s %12s %6s%s\n' "$BOLD" act what expected seen "$PLAIN"
  for row in "${TABLE[@]}"; do
    IFS='|' read -r act what expected seen verdict <<<"$row"
    printf '   %-13s %-36s %12s %6s  %s\n' "$act" "$what" "$expected" "$seen" "$verdict"
  done
  echo
}
