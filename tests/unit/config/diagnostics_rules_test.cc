// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

const std::vector<Case> kRules{
    {"a rule that is a word",
     kBase + "rules: [allow]\n",
     {"3:9: error: a rule is a map of keys and values, this is a single value; keys are name, action, from, to, "
      "services, log, before, after"}},
    {"a rule without anything",
     kBase + "rules: [{}]\n",
     {"3:9: error: a rule needs 'name'; for example name: web-for-developers",
      "3:9: error: a rule needs 'action'; for example action: allow",
      "3:9: error: a rule needs 'from'; for example from: [vpn]",
      "3:9: error: a rule needs 'to'; for example to: [subnet:web]"}},
    {"a misspelt action",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: alow, from: vpn, to: gateway}\n",
     {"7:23: error: 'alow' is not among the words allowed here: allow, deny, reject"}},
    {"an unknown group",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: group:devs, to: subnet:web}\n",
     {"7:36: error: unknown group 'devs'; did you mean 'dev'?"}},
    {"an unknown subnet",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: subnet:data}\n",
     {"7:45: error: unknown subnet 'data'; known are web"}},
    {"an unknown site where there is none",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: site:home}\n",
     {"7:45: error: unknown site 'home'"}},
    {"a zone that is none",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: everyone, to: host:web}\n",
     {"7:36: error: 'everyone' is no zone; use any, vpn, internet, gateway, subnet:NAME, group:NAME, client:NAME, "
      "site:NAME, or a prefix such as 10.1.0.0/16",
      "7:50: error: 'host:web' is no zone; use any, vpn, internet, gateway, subnet:NAME, group:NAME, client:NAME, "
      "site:NAME, or a prefix such as 10.1.0.0/16"}},
    {"a zone without a name",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: 'group:', to: internet}\n",
     {"7:36: error: 'group:' names nothing: a name cannot be empty"}},
    {"a literal with host bits",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: 10.1.1.1/24}\n",
     {"7:45: error: '10.1.1.1/24' has bits set beyond its length; write 10.1.1.0/24"}},
    {"a literal of IPv4 written as IPv6",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: '::ffff:10.0.0.1'}\n",
     {"7:45: error: ::ffff:10.0.0.1 is an IPv4 address in IPv6 clothes; write 10.0.0.1"}},
    {"the gateway as a source",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: gateway, to: internet}\n",
     {"7:36: warning: rules do not judge what the gateway itself sends; 'gateway' matches nothing here"}},
    {"a name over two lines",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: \"a\\nb\", action: allow, from: vpn, to: internet}\n",
     {"7:10: error: bad name 'a b': a name is made of letters, digits and hyphens"}},
    {"empty lists",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: [], to: [], services: []}\n",
     {"7:36: error: an empty list matches nothing; write [any] or delete the whole entry",
      "7:44: error: an empty list matches nothing; write [any] or delete the whole entry",
      "7:58: error: an empty list matches nothing; write [any] or delete 'services'"}},
    {"an unknown service",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: internet, services: [htps]}\n",
     {"7:66: error: unknown service 'htps' (tcp/PORT, udp/PORT, icmp/TYPE, proto/NUMBER or a name); did you mean "
      "'https'?"}},
    {"a range of ports that runs backwards",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: internet, services: [tcp/200-100, udp/0, tcp/65536]}\n",
     {"7:66: error: 'tcp/200-100' is no port or range of ports; write tcp/443 or udp/1000-2000, from 1 to 65535, the "
      "lower first",
      "7:79: error: 'udp/0' is no port or range of ports; write tcp/443 or udp/1000-2000, from 1 to 65535, the lower "
      "first",
      "7:86: error: 'tcp/65536' is no port or range of ports; write tcp/443 or udp/1000-2000, from 1 to 65535, the "
      "lower first"}},
    {"an ICMP type beyond the range",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: internet, services: [icmp/256, icmp/8/x]}\n",
     {"7:66: error: 'icmp/256' is no ICMP type; write icmp, icmp/TYPE or icmp/TYPE/CODE, each from 0 to 255",
      "7:76: error: 'icmp/8/x' is no ICMP type; write icmp, icmp/TYPE or icmp/TYPE/CODE, each from 0 to 255"}},
    {"protocol numbers that have words",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: allow, from: vpn, to: internet, services: [proto/6, proto/300]}\n",
     {"7:66: error: 'proto/6' has a word of its own; write tcp",
      "7:75: error: 'proto/300' is no IP protocol; write proto/NUMBER, from 0 to 255"}},
    {"a rule name twice",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: one, action: deny, from: vpn, to: internet}\n",
     {"7:3: error: rule 'one' is given twice, first at gateway.yaml:6:3; rename one"}},
    {"a name of the gateway's own",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: builtin-x, action: deny, from: vpn, to: internet}\n",
     {"7:10: error: names that begin with 'builtin-' are the gateway's own; choose another"}},
    {"a place beside an unknown rule",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: deny, from: vpn, to: internet, before: on}\n",
     {"7:62: error: unknown rule 'on'; did you mean 'one'?"}},
    {"a place beside itself",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: deny, from: vpn, to: internet, after: two}\n",
     {"7:61: error: rule 'two' cannot stand beside itself; name another rule"}},
    {"both before and after",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: deny, from: vpn, to: internet, before: one, after: one}\n",
     {"7:74: error: a rule has 'before' or 'after', not both; delete one"}},
    {"places in a circle",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: deny, from: vpn, to: internet, before: three}\n"
             "- {name: three, action: deny, from: client:x, to: internet, before: two}\n",
     {"7:62: error: rule 'two' stands beside 'three', which in the end stands beside it; drop one 'before' or 'after'",
      "8:69: error: rule 'three' stands beside 'two', which in the end stands beside it; drop one 'before' or "
      "'after'"}},
    {"a rule that another shadows",
     kBase + "groups: {dev: }\n"
             "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
             "rules:\n"
             "- {name: one, action: allow, from: group:dev, to: subnet:web, services: ssh}\n"
             "- {name: two, action: deny, from: [group:dev], to: [subnet:web], services: tcp/22}\n",
     {"7:3: error: rule 'two' never matches: 'one' at gateway.yaml:6:3 comes first and matches all that it does; "
      "delete it, or put it before that one"}},
    {"a service named like the syntax",
     kBase + "services: {tcp: [tcp/443], empty: [], web: [https, htp]}\n",
     {"3:12: error: 'tcp' has a fixed meaning; choose another name",
      "3:28: error: service 'empty' is empty; write empty: [tcp/443]",
      "3:52: error: unknown service 'htp' (tcp/PORT, udp/PORT, icmp/TYPE, proto/NUMBER or a name); did you mean "
      "'http'?"}},
    {"NAT without anything",
     kBase + "nat: [{}]\n",
     {"3:7: error: an entry of 'nat' needs 'from'; for example from: vpn",
      "3:7: error: an entry of 'nat' needs 'out'; for example out: eth0"}},
    {"NAT of the outside",
     kBase + "nat: [{from: [internet], out: eth0}]\n",
     {"3:14: error: 'internet' cannot be masqueraded; name who is behind the gateway, such as vpn or subnet:NAME"}},
    {"NAT of an unknown group",
     kBase + "nat: [{from: group:dev, out: a/b}]\n",
     {"3:14: error: unknown group 'dev'",
      "3:30: error: bad device name 'a/b': a device name has no '/', ':' or space"}},
    {"several mistakes at once",
     "gateway: {nme: x, public: {interface: eth0, listen_port: x}}\n"
     "vpn: {subnets: [172.16.201.0/30], mtu: 9}\n"
     "rules: [{name: a b, action: drop, from: subnet:x, to: y}]\n",
     {"1:11: error: unknown key 'nme'; did you mean 'name'?", "1:58: error: 'x' is not a whole number from 1 to 65535",
      "2:17: error: 172.16.201.0/30 is too small: beside the gateway's two addresses and those of the network and of "
      "broadcast it has 0 for clients, at least 3 are needed; take a /29 or larger",
      "2:40: error: '9' is not a whole number from 1280 to 65535",
      "3:16: error: bad name 'a b': a name is made of letters, digits and hyphens",
      "3:29: error: 'drop' is not among the words allowed here: allow, deny, reject", "3:41: error: unknown subnet 'x'",
      "3:55: error: 'y' is no zone; use any, vpn, internet, gateway, subnet:NAME, group:NAME, client:NAME, site:NAME, "
      "or a prefix such as 10.1.0.0/16"}},
};

TEST(Diagnostics, TellRulesThatSayNothing) { check(kRules); }

}  // namespace
}  // namespace gw::config
