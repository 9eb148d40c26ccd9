# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The demo's machines: hosts in namespaces, processes that are remembered, and their end. Sourced by demo.sh.
#
#   alice, bob, carol ── internet ── eth0 gateway eth1 ── web   10.1.1.10  fd10:1:1::10
#   203.0.113.11 …      203.0.113.1                eth2 ── data  10.1.2.10  fd10:1:2::10

declare -A holder=() # host -> process that holds its namespaces

# Runs a program that outlives this shell's terminal and remembers it in $world/pids, with its start time, so that a
# process id that was given to another since is never signalled.
spawn() { # LOG COMMAND...
  local log=$1
  shift
  setsid "$@" >>"$world/$log" 2>&1 </dev/null &
  spawned=$!
  echo "$spawned $(start_time "$spawned")" >>"$world/pids"
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
  spawn "$1.log" unshare --net --mount --propagation private sh -ec '
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
  spawn "$1.log" nsenter -t "${holder[$1]}" -n -m -- busybox httpd -f -p '[::]:80' -h "$world/$1.pages"
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
  spawn bus.log dbus-daemon --nofork --nopidfile --config-file="$world/bus.conf"
  export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$world/bus
  eventually test -S "$world/bus" || die "dbus-daemon does not start: $(cat "$world/bus.log")"
}

start_gatewayd() {
  spawn gatewayd.log nsenter -t "${holder[gateway]}" -n -m -- "$programs/gatewayd" --config "$world/etc" \
    --state "$world/state" --run "$world/run" --bpffs "$world/bpf"
  eventually gwctl status || die "gatewayd does not answer"
}

# The process ids of $1/pids that are still the processes that were started.
living() { # WORLD
  local pid started
  [[ -e $1/pids ]] || return 0
  while read -r pid started; do
    [[ $(start_time "$pid") == "$started" ]] && echo "$pid"
  done <"$1/pids"
}

# What daemonised itself inside our namespaces (wireguard-go does): processes whose network namespace is that of one of ours.
strays() { # PID...
  local -A ours=([none]='')
  local pid place
  for pid in "$@"; do
    place=$(readlink "/proc/$pid/ns/net") && ours[$place]=1
  done
  unset "ours[$(readlink /proc/self/ns/net)]" # dbus-daemon runs in that of this machine
  for pid in /proc/[0-9]*; do
    place=$(readlink "$pid/ns/net" 2>/dev/null) || place=none
    [[ -z ${ours[$place]:-} ]] || echo "${pid#/proc/}"
  done
}

# Ends everything of one demo. Links, mounts and namespaces go with the last process in them.
end_world() { # WORLD
  local pids pid
  mapfile -t pids < <(living "$1")
  if ((${#pids[@]})); then
    mapfile -t -O "${#pids[@]}" pids < <(strays "${pids[@]}")
    kill -TERM "${pids[@]}" 2>/dev/null || true
    for pid in "${pids[@]}"; do
      eventually gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    done
  fi
  rm -rf --one-file-system "$1"
  rmdir --ignore-fail-on-non-empty /run/wireguard 2>/dev/null || true
}

gone() { ! kill -0 "$1" 2>/dev/null || [[ $(awk '/^State/ {print $2}' "/proc/$1/status" 2>/dev/null) == Z ]]; }
