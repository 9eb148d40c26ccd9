# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The demo's machines: hosts in namespaces, processes that are remembered, and their end. Sourced by demo.sh.
#
#   alice, bob, carol ── internet ── eth0 gateway eth1 ── web   10.1.1.10  fd10:1:1::10
#   203.0.113.11 …      203.0.113.1                eth2 ── data  10.1.2.10  fd10:1:2::10

declare -A holder=() # host -> process that holds its namespaces

# Runs a program that outlives this shell's terminal and remembers it in $world/pids, with its start time, so that a
# process id that was given to another since is never signalled.
spawn() { # KIND LOG COMMAND...     KIND: holder (of namespaces) or program
  local kind=$1 log=$2
  shift 2
  setsid "$@" >>"$world/$log" 2>&1 </dev/null &
  spawned=$!
  echo "$kind $spawned $(start_time "$spawned")" >>"$world/pids"
}

start_time() { # PID: field 22 of stat(5); the name in field 2 may hold blanks
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -ra fields <<<"${stat##*) }"
  echo "${fields[19]}"
}

# Waits until a command succeeds; fails after ten seconds.
eventually() {
  local end=$((SECONDS + 10))
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# A machine: network and mount namespace, with private /sys, /run/wireguard and a BPF file system at $world/bpf.
make_host() { # NAME
  # shellcheck disable=SC2016  # expanded by the inner shell
  spawn holder "$1.log" unshare --net --mount --propagation private sh -ec '
    mount -t sysfs sysfs /sys
    mount -t tmpfs tmpfs /run/wireguard
    mount -t bpf bpf "$1/bpf"
    ip link set lo up
    touch "$1/$2.up"
    exec sleep infinity' sh "$world" "$1"
  holder[$1]=$spawned
  eventually test -e "$world/$1.up" || die "cannot make namespaces for $1: $(cat "$world/$1.log")"
}

on() { # HOST COMMAND...
  local host=$1
  shift
  nsenter -t "${holder[$host]}" -n -m -- "$@"
}

# A cable between two machines.
connect() { # HOST DEVICE HOST DEVICE
  on "$1" ip link add "$2" type veth peer name "$4" netns "${holder[$3]}"
  on "$1" ip link set "$2" up
  on "$3" ip link set "$4" up
}

give() { # HOST DEVICE IPV4 IPV6
  on "$1" ip address add "$3" dev "$2"
  on "$1" ip -6 address add "$4" dev "$2" nodad
}

plug_into_internet() { # HOST IPV4 IPV6
  connect internet "$1" "$1" eth0
  on internet ip link set "$1" master br0
  give "$1" eth0 "$2" "$3"
}

make_server() { # HOST GATEWAY_DEVICE IPV4 IPV6 GATEWAY4 GATEWAY6
  make_host "$1"
  connect gateway "$2" "$1" eth0
  give "$1" eth0 "$3" "$4"
  on "$1" ip route add default via "$5"
  on "$1" ip -6 route add default via "$6"
  mkdir -p "$world/$1.pages"
  echo "hello from $1" >"$world/$1.pages/index.html"
  spawn program "$1.log" nsenter -t "${holder[$1]}" -n -m -- busybox httpd -f -p '[::]:80' -h "$world/$1.pages"
  eventually on "$1" curl -sf -o /dev/null http://127.0.0.1/ || die "the web server of $1 does not answer: $(cat "$world/$1.log")"
}

make_world() {
  world=$(mktemp -d /tmp/gatewayd-demo.XXXXXX)
  chmod 755 "$world"
  mkdir -p "$world/bpf" "$world/etc" /run/wireguard
  make_host internet
  on internet ip link add br0 type bridge
  on internet ip link set br0 up
  make_host gateway
  plug_into_internet gateway 203.0.113.1/24 2001:db8:113::1/64
  make_server web eth1 10.1.1.10/24 fd10:1:1::10/64 10.1.1.1 fd10:1:1::1
  make_server data eth2 10.1.2.10/24 fd10:1:2::10/64 10.1.2.1 fd10:1:2::1
  start_bus
}

# A message bus of its own, in place of the system's.
start_bus() {
  cat >"$world/bus.conf" <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=$world/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
CONF
  spawn program bus.log dbus-daemon --nofork --nopidfile --config-file="$world/bus.conf"
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$world/bus
  eventually test -S "$world/bus" || die "dbus-daemon does not start: $(cat "$world/bus.log")"
}

start_gatewayd() {
  spawn program gatewayd.log nsenter -t "${holder[gateway]}" -n -m -- "$programs/gatewayd" --config "$world/etc" \
    --state "$world/state" --run "$world/run" --bpffs "$world/bpf" --trust-clock
  eventually gwctl status || die "gatewayd does not answer"
}

start_enrolment() {
  spawn program enroll.log nsenter -t "${holder[gateway]}" -n -m -- "$programs/gatewayd-enroll" --state "$world/enroll" \
    --listen 203.0.113.1:443
  eventually on gateway curl -fsSk -o /dev/null https://203.0.113.1/join || die "gatewayd-enroll does not serve: $(cat "$world/enroll.log")"
}

# The processes of one kind that are still those that were started.
living() { # WORLD KIND
  local kind pid started
  [[ -e $1/pids ]] || return 0
  while read -r kind pid started; do
    [[ $kind == "$2" && $(start_time "$pid") == "$started" ]] && echo "$pid"
  done <"$1/pids"
  return 0
}

# What else runs in the network namespaces of these holders: wireguard-go makes itself a daemon.
strays() { # HOLDER...
  local -A ours=([none]='') holders=()
  local pid place
  for pid in "$@"; do
    holders[$pid]=1
    place=$(readlink "/proc/$pid/ns/net") && ours[$place]=1
  done
  for pid in /proc/[0-9]*; do
    place=$(readlink "$pid/ns/net" 2>/dev/null) || place=none
    [[ -n ${ours[$place]:-} && -z ${holders[${pid#/proc/}]:-} ]] && echo "${pid#/proc/}"
  done
  return 0
}

end_processes() { # PID...
  local pid
  (($#)) || return 0
  kill -TERM "$@" 2>/dev/null || true
  for pid in "$@"; do
    eventually gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  done
}

# Ends everything of one demo. gatewayd goes first, since it would start anew what else is ended; the holders last, since
# the number of a namespace says whose it is only while it lives. Links, mounts and namespaces go with them.
end_world() { # WORLD
  local holders others
  mapfile -t holders < <(living "$1" holder)
  mapfile -t others < <(living "$1" program)
  end_processes "${others[@]}"
  mapfile -t others < <(strays "${holders[@]}")
  end_processes "${others[@]}"
  end_processes "${holders[@]}"
  rm -rf --one-file-system "$1"
  rmdir --ignore-fail-on-non-empty /run/wireguard 2>/dev/null || true
}

gone() { ! kill -0 "$1" 2>/dev/null || [[ $(awk '/^State/ {print $2}' "/proc/$1/status" 2>/dev/null) == Z ]]; }
