# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the demo tells, a function per chapter. Sourced by demo.sh.

readonly web4=http://10.1.1.10/ web6='http://[fd10:1:1::10]/' data4=http://10.1.2.10/ data6='http://[fd10:1:2::10]/'

tell() {
  begin
  write_policy
  add_clients
  show_access
  change_a_rule
  revoke_a_client
  let_a_device_in
  look_back
}

begin() {
  chapter "1. A gateway between the internet and two private subnets"
  say "  alice, bob, carol -- internet -- eth0 [gateway] eth1 -- web   10.1.1.10  fd10:1:1::10"
  say "                                                  eth2 -- data  10.1.2.10  fd10:1:2::10"
  make_world
  cd "$world"
  cat >"$world/etc/gateway.yaml" <<'YAML'
gateway:
  name: contoso
  public: {interface: eth0, endpoint: "203.0.113.1:51820"}
vpn:
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
network:
  address_space: [10.1.0.0/16, "fd10:1::/32"]
YAML
  say "  Its whole configuration, so far:"
  quote <"$world/etc/gateway.yaml"
  start_gatewayd
  show gwctl apply
}

write_policy() {
  chapter "2. Subnets, groups and rules, by gwctl"
  show gwctl subnet add web --prefix 10.1.1.0/24 --prefix fd10:1:1::/64 --interface eth1 --address 10.1.1.1 --address fd10:1:1::1
  show gwctl subnet add data --prefix 10.1.2.0/24 --prefix fd10:1:2::/64 --interface eth2 --address 10.1.2.1 --address fd10:1:2::1
  show gwctl group add developers --description "people who ship"
  show gwctl group add contractors --description "people who help"
  show gwctl rule add dev-web --action allow --from group:developers --to subnet:web --service tcp/80 --service icmp
  show gwctl rule add help-data --action allow --from group:contractors --to subnet:data --service tcp/80
  show gwctl plan
  show gwctl apply
}

add_clients() {
  chapter "3. Three people; their keys are made here and never reach the gateway"
  local n=11 person groups
  for person in "alice developers" "bob contractors" "carol developers,contractors"; do
    read -r person groups <<<"$person"
    show gwctl client add "$person" --group "$groups" --out "$person.conf"
    make_host "$person"
    plug_into_internet "$person" "203.0.113.$n/24" "2001:db8:113::$n/64"
    printf '  %s%s$ wg-quick up ./%s.conf%s\n' "$bold" "$person" "$person" "$plain"
    on "$person" wg-quick up "$world/$person.conf" >"$world/$person.log" 2>&1 || die "wg-quick: $(cat "$world/$person.log")"
    eventually on "$person" ping -c 1 -W 1 172.16.201.1 || die "$person gets no answer from the gateway through the tunnel"
    kept "$person is connected: the gateway answers through the tunnel"
    n=$((n + 1))
  done
  show gwctl client list
}

show_access() {
  chapter "4. Each reaches what a group of theirs may reach, and nothing else; by IPv4 and by IPv6"
  reaches alice web "$web4"
  reaches alice web "$web6"
  is_denied alice data "$data4"
  is_denied alice data "$data6"
  reaches bob data "$data4"
  reaches bob data "$data6"
  is_denied bob web "$web4"
  is_denied bob web "$web6"
  say "  carol is in both groups:"
  reaches carol web "$web4"
  reaches carol data "$data6"
  say "  A service that the rule does not name, and the way back in:"
  is_denied alice web http://10.1.1.10:8080/
  is_denied web alice "http://$(address_of alice)/"
  say "  Why, asked of the gateway:"
  show gwctl explain alice 10.1.2.10 tcp/80
}

address_of() { gwctl --json client show "$1" | sed -n 's/^ *"\(172\.16\.201\.[0-9]*\)".*/\1/p'; }

# A download that takes a minute, and gives up when three seconds bring nothing.
start_download() {
  [[ -e $world/web.pages/large ]] || truncate -s 60M "$world/web.pages/large"
  nsenter -t "${holder[alice]}" -n -m -- curl -sS --limit-rate 1M --speed-limit 1 --speed-time 3 -o "$world/large" "${web4}large" 2>"$world/curl.log" &
  download=$!
  eventually has_grown 0 || die "the download does not begin: $(cat "$world/curl.log")"
}

received() { stat -c %s "$world/large" 2>/dev/null || echo 0; }
has_grown() { (($(received) > $1)); }

change_a_rule() {
  chapter "5. Rules change while a download runs"
  local before rc=0
  start_download
  kept "alice downloads a large file from web"
  show gwctl group add visitors --apply
  before=$(received)
  eventually has_grown $((before + 100000)) || die "the download stopped at a change that is none of its business"
  kept "a change elsewhere leaves it running"
  show gwctl rule remove dev-web --apply
  before=$(received)
  wait "$download" || rc=$?
  ((rc == 28)) || die "the download should have starved when its rule went, but curl ended with $rc: $(cat "$world/curl.log")"
  kept "its rule went, and so did the download: curl found $((($(received) - before) / 1024)) KiB more in its buffer, then nothing"
  is_denied alice web "$web4"
  show gwctl rule add dev-web --action allow --from group:developers --to subnet:web --service tcp/80 --service icmp --apply
  reaches alice web "$web4"
}

revoke_a_client() {
  chapter "6. carol's laptop is stolen"
  local called returned
  nsenter -t "${holder[carol]}" -n -m -- ping -n -D -i 0.01 10.1.1.10 >"$world/ping" 2>&1 &
  local pinging=$!
  eventually grep -q 'icmp_seq=100 ' "$world/ping" || die "carol's ping gets no answer: $(tail -n 3 "$world/ping")"
  kept "carol pings web a hundred times a second"
  called=$EPOCHREALTIME
  show gwctl client revoke carol --reason keyCompromise
  returned=$EPOCHREALTIME
  # As long again as it would take a hundred answers to come, were any allowed.
  sleep 1
  kill -INT "$pinging"
  wait "$pinging" || true
  tell_revocation "$called" "$returned"
  is_denied carol web "$web6"
  reaches alice web "$web4"
}

# ping -D begins each line of an answer with the time: [1763830124.123456] 64 bytes from …
# A tenth of a second is for answers that were on their way through a busy machine.
tell_revocation() { # CALLED RETURNED
  local verdict
  verdict=$(awk -v called="$1" -v returned="$2" '
    /^\[.*icmp_seq=/ { at = substr($1, 2) + 0; answers++; last = at; if (at > returned + 0.1) late++ }
    END {
      if (late) { printf "%d answers came after gwctl had returned\n", late; exit 1 }
      lost = (last + 0.01 - called) * 1000  # the next one, a hundredth of a second later
      printf "the first lost packet came %.0f ms after gwctl was called, after %d answers; gwctl returned after %.0f ms; no answer came after that",
        (lost > 0) ? lost : 0, answers, (returned - called) * 1000
    }' "$world/ping") || die "revoked, but $verdict"
  kept "$verdict"
}

let_a_device_in() {
  chapter "7. dave's machine lets itself in, with a link that works once"
  local link
  echo 'gateway: {public: {enroll_port: 443}}' >"$world/etc/gateway.d/20-enrol.yaml"
  show gwctl apply
  start_enrolment
  link=$(gwctl --json token create --group developers --name dave | sed -n 's/^ *"link": "\(.*\)".*/\1/p')
  say "  ${bold}\$ gwctl token create --group developers --name dave$plain"
  say "    $link"
  make_host dave
  plug_into_internet dave 203.0.113.14/24 2001:db8:113::14/64
  printf "  %sdave\$ gwconnect join 'https://…'%s\n" "$bold" "$plain"
  on dave gwconnect --state "$world/dave" join "$link" >"$world/dave.log" 2>&1 || die "gwconnect: $(cat "$world/dave.log")"
  quote <"$world/dave.log"
  spawn program dave.run.log nsenter -t "${holder[dave]}" -n -m -- "$programs/gwconnect" --state "$world/dave" run
  eventually on dave ping -c 1 -W 1 172.16.201.1 || die "dave gets no answer through the tunnel: $(cat "$world/dave.run.log")"
  reaches dave web "$web4"
  is_denied dave data "$data4"
  if on alice gwconnect --state "$world/alice.twice" join "$link" >"$world/twice.log" 2>&1; then die "the link served twice"; fi
  kept "the same link, used again: $(tail -n 1 "$world/twice.log")"
}

look_back() {
  chapter "8. What the gateway saw"
  show gwctl status
  show gwctl rule list
  show gwctl client list
  chapter "All $claims claims held."
}
