# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# How the demo speaks: chapters, commands as a user types them, and claims that are checked. Sourced by demo.sh.

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\033[1m' green=$'\033[32m' red=$'\033[31m' blue=$'\033[34m' faint=$'\033[2m' plain=$'\033[0m'
else
  bold='' green='' red='' blue='' faint='' plain=''
fi
claims=0

chapter() { printf '\n%s%s%s\n' "$bold$blue" "$1" "$plain"; }
say() { printf '%s\n' "$*"; }
quote() { sed 's/^./    &/'; }

# The words of a command, with quotes where a user would need them.
typed() {
  local word line=''
  for word in "$@"; do
    [[ $word == *' '* ]] && word="\"$word\""
    line+=" $word"
  done
  printf '%s' "${line# }"
}

# A command as a user would type it, and what it prints. Ends the demo when it fails.
show() {
  local out
  printf '  %s$ %s%s\n' "$bold" "$(typed "$@")" "$plain"
  out=$("$@" 2>&1) || die "$1 failed: $out"
  [[ -z $out ]] || quote <<<"$out"
}

kept() { # CLAIM
  claims=$((claims + 1))
  printf '  %s✓%s %s\n' "$green" "$plain" "$1"
}

die() {
  printf '\n%s✗ not as told:%s %s\n' "$bold$red" "$plain" "$*" >&2
  if [[ -e ${world:-}/gatewayd.log ]]; then
    { printf '\ngatewayd said last:\n'; tail -n 20 "$world/gatewayd.log"; printf '\n'; gwctl status; } 2>&1 | quote >&2
  fi
  exit 1
}

fetch() { on "$1" curl -sS --globoff --connect-timeout 2 --max-time 5 "$2"; }

# WHO may fetch URL and gets the page of SERVER.
reaches() { # WHO SERVER URL
  local page
  page=$(fetch "$1" "$3" 2>&1) || die "$1 does not reach $2 at $3: $page"
  [[ $page == "hello from $2" ]] || die "$3 answers $1 with: $page"
  kept "$1 reaches $2 at $3: '$page'"
}

# WHO gets no answer: the packets vanish (curl 28), they are not refused.
is_denied() { # WHO SERVER URL
  local said rc=0
  said=$(fetch "$1" "$3" 2>&1) || rc=$?
  ((rc == 28)) || die "$1 should get no answer from $2 at $3, but curl ended with $rc: $said"
  kept "$1 gets nothing from $2 at $3 ${faint}(curl: timed out)$plain"
}
