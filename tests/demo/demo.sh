#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job of gatewayd, for real, told step by step and checked: clients reach what their groups may reach and nothing
# else. It runs in namespaces of its own and touches nothing of this machine.
# usage: tests/demo/demo.sh [PROGRAMS_DIRECTORY]     KEEP=1 leaves it running
#        tests/demo/demo.sh stop [WORLD_DIRECTORY]   ends what KEEP=1 left (all of them unless one is named)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/demo/story.sh
source "$here/story.sh"
# shellcheck source=tests/demo/world.sh
source "$here/world.sh"
# shellcheck source=tests/demo/chapters.sh
source "$here/chapters.sh"

world=''

stop() {
  local kept_world found=0
  for kept_world in "${1:-/tmp/gatewayd-demo.}"*/; do
    [[ -e $kept_world/pids ]] || continue
    end_world "${kept_world%/}"
    say "ended: ${kept_world%/}"
    found=1
  done
  ((found)) || say "no demo is running"
}

# shellcheck disable=SC2317  # called by the trap
finish() {
  local rc=$?
  trap - EXIT INT TERM
  cd /
  [[ -n $world ]] || exit "$rc"
  if [[ -n ${KEEP:-} ]]; then
    look_around
  else
    end_world "$world"
  fi
  exit "$rc"
}

look_around() {
  chapter "It is still running. Look around:"
  say "  export DBUS_SYSTEM_BUS_ADDRESS=$DBUS_SYSTEM_BUS_ADDRESS PATH=$programs:\$PATH"
  say "  gwctl status; gwctl client list; gwctl rule list; gwctl explain alice 10.1.2.10 tcp/80"
  local host
  for host in gateway alice bob carol dave web data; do
    [[ -n ${holder[$host]:-} ]] && printf '  nsenter -t %s -n -m bash   %s# on %s%s\n' "${holder[$host]}" "$faint" "$host" "$plain"
  done
  say "  curl http://10.1.1.10/     ${faint}# there, as alice$plain"
  say "The log is $world/gatewayd.log. To end it: tests/demo/demo.sh stop $world"
}

check_machine() {
  ((EUID == 0)) || { echo "demo: run this as root: it makes network namespaces" >&2; exit 1; }
  local program missing=()
  for program in busybox curl dbus-daemon ip nft nsenter ping unshare wg wg-quick; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  ((${#missing[@]} == 0)) || { echo "demo: missing: ${missing[*]}; scripts/install-deps installs them" >&2; exit 1; }
  [[ -x $programs/gatewayd && -x $programs/gwctl && -x $programs/gwconnect ]] || { echo "demo: no gatewayd, gwctl and gwconnect in $programs; run make first" >&2; exit 1; }
}

if [[ ${1:-} == stop ]]; then
  stop "${2:-}"
  exit
fi
programs=$(realpath -m "${1:-$here/../../build/bin}")
check_machine
export PATH=$programs:$PATH
# Userspace WireGuard, where the kernel has none, says only what is wrong.
export LOG_LEVEL=error
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tell
