// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

const std::vector<Case> kFiles{
    {"an empty file",
     "",
     {"1:1: error: gateway needs 'public'; for example public: {interface: eth0}",
      "1:1: error: vpn needs 'subnets'; for example subnets: [172.16.201.0/24]"}},
    {"a file of comments",
     "# nothing here\n",
     {"1:1: error: gateway needs 'public'; for example public: {interface: eth0}",
      "1:1: error: vpn needs 'subnets'; for example subnets: [172.16.201.0/24]"}},
    {"a root that is a list",
     "- gateway\n",
     {"1:1: error: the file is a map of sections, such as 'rules:'; this is something else"}},
    {"a root that is a word",
     "gateway\n",
     {"1:1: error: the file is a map of sections, such as 'rules:'; this is something else"}},
    {"a list that is not closed",
     "gateway: {public: {interface: eth0}\n",
     {"2:1: error: YAML: end of map flow not found; check brackets, quotes, colons and indentation (no tabs) up to "
      "here"}},
    {"a tab as indentation",
     "gateway:\n"
     "\011public: 1\n",
     {"2:8: error: YAML: illegal map value; check brackets, quotes, colons and indentation (no tabs) up to here"}},
    {"a quote that is not closed", "gateway: \"x\n", {"1:10: error: this quote is never closed"}},
    {"two documents",
     kBase + "---\n"
             "vpn: {}\n",
     {"3:1: error: a second YAML document; keep one per file and delete this '---'"}},
    {"a tag",
     kBase + "groups: {a: !!str x}\n",
     {"3:13: error: the YAML tag 'tag:yaml.org,2002:str' has no meaning here; delete it"}},
    {"an alias that names nothing",
     kBase + "groups: {a: *b}\n",
     {"3:13: error: YAML: the referenced anchor is not defined; check brackets, quotes, colons and indentation (no "
      "tabs) up to here"}},
    {"an alias inside its own value",
     kBase + "groups: &g {a: *g}\n",
     {"3:16: error: this alias stands inside the value it names; write the value out"}},
    {"a merge key",
     kBase + "groups: {a: &g {interconnect: true}, b: {<<: *g}}\n",
     {"3:42: error: unknown key '<<'; known are description, interconnect, tunnel"}},
    {"a list as a key", kBase + "groups: {[a]: {}}\n", {"3:10: error: a key must be a word, such as 'name:'"}},
    {"a control character", kBase + "groups: {a\007: }\n", {"3:11: error: control character 0x07; delete it"}},
    {"bytes that are not UTF-8",
     kBase + "groups: {a: {description: \"\377\"}}\n",
     {"3:28: error: byte 0xff is not UTF-8; save the file as UTF-8"}},
};

TEST(Diagnostics, TellWhereAFileCannotBeRead) { check(kFiles); }

const std::vector<Case> kKeys{
    {"a misspelt key",
     "gateway: {public: {intrface: eth0, interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:20: error: unknown key 'intrface'; did you mean 'interface'?"}},
    {"a misspelt section", kBase + "rule: []\n", {"3:1: error: unknown key 'rule'; did you mean 'rules'?"}},
    {"a key like none that is known",
     kBase + "groups: {a: {colour: blue}}\n",
     {"3:14: error: unknown key 'colour'; known are description, interconnect, tunnel"}},
    {"a repeated key",
     "gateway: {public: {interface: eth0, interface: eth1}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:37: error: key 'interface' is given twice, first at gateway.yaml:1:20; keep one"}},
    {"a repeated section",
     kBase + "groups: {a: }\n"
             "groups: {b: }\n",
     {"4:1: error: key 'groups' is given twice, first at gateway.yaml:3:1; keep one"}},
    {"a repeated name",
     kBase + "groups:\n"
             "  a: {}\n"
             "  b: {}\n"
             "  a: {interconnect: true}\n",
     {"6:3: error: key 'a' is given twice, first at gateway.yaml:4:3; keep one"}},
    {"a missing section",
     "gateway: {public: {interface: eth0}}\n",
     {"1:1: error: vpn needs 'subnets'; for example subnets: [172.16.201.0/24]"}},
    {"a missing interface",
     "gateway: {public: {listen_port: 51820}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:19: error: gateway.public needs 'interface'; for example interface: eth0"}},
    {"a section that is a list",
     kBase + "groups: [a, b]\n",
     {"3:9: error: this is a list; write a map with a key for each group"}},
    {"a map that is a word",
     kBase + "groups: {a: yes}\n",
     {"3:13: error: group 'a' is a map of keys and values, this is a single value; keys are description, interconnect, "
      "tunnel"}},
    {"rules that are a map",
     kBase + "rules: {name: a}\n",
     {"3:8: error: 'rules' is a list with '- ' before each item, this is a map"}},
    {"a list where one value belongs",
     kBase + "groups: {a: {description: [x]}}\n",
     {"3:27: error: expected a single value, found a list"}},
    {"a map where a list belongs",
     kBase + "network: {address_space: {a: b}}\n",
     {"3:26: error: expected a list such as [a, b], found a map"}},
    {"a list within a list",
     kBase + "network: {address_space: [[10.0.0.0/8]]}\n",
     {"3:27: error: expected a single value, found a list"}},
};

TEST(Diagnostics, TellUnknownRepeatedAndMissingKeys) { check(kKeys); }

const std::vector<Case> kValues{
    {"a word for a number",
     "gateway: {public: {interface: eth0, listen_port: many}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:50: error: 'many' is not a whole number from 1 to 65535"}},
    {"a port beyond the range",
     "gateway: {public: {interface: eth0, listen_port: 65536}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:50: error: '65536' is not a whole number from 1 to 65535"}},
    {"port zero",
     "gateway: {public: {interface: eth0, listen_port: 0}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:50: error: '0' is not a whole number from 1 to 65535"}},
    {"a bool that is not true or false",
     kBase + "groups: {a: {interconnect: yes}}\n",
     {"3:28: error: 'yes' is not among the words allowed here: true, false"}},
    {"a tunnel that is neither",
     kBase + "groups: {a: {tunnel: half}}\n",
     {"3:22: error: 'half' is not among the words allowed here: split, full"}},
    {"forward_foreign with another word",
     kBase + "forward_foreign: keep\n",
     {"3:18: error: 'keep' is not among the words allowed here: leave, drop"}},
    {"a fast path with another word",
     kBase + "dataplane: {fast_path: yes}\n",
     {"3:24: error: 'yes' is not among the words allowed here: auto, on, off"}},
    {"a limit of handshakes that is none",
     kBase + "guard: {initiations_per_source: many}\n",
     {"3:33: error: 'many' is not a whole number from 0 to 1000000"}},
    {"a limit of handshakes beyond the ceiling",
     kBase + "guard: {initiations_per_source: 1000001}\n",
     {"3:33: error: '1000001' is not a whole number from 0 to 1000000"}},
    {"a misspelt key of the guard",
     kBase + "guard: {initiation_per_source: 5}\n",
     {"3:9: error: unknown key 'initiation_per_source'; did you mean 'initiations_per_source'?"}},
    {"an MTU below the floor",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24], mtu: 1279}\n",
     {"2:40: error: '1279' is not a whole number from 1280 to 65535"}},
    {"an MTU beyond the ceiling",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24], mtu: 65536}\n",
     {"2:40: error: '65536' is not a whole number from 1280 to 65535"}},
    {"a gateway name with a dot",
     "gateway: {name: a.b, public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:17: error: bad name 'a.b': a name is made of letters, digits and hyphens"}},
    {"a name with an underscore",
     kBase + "groups: {my_group: }\n",
     {"3:10: error: bad group name 'my_group': a name is made of letters, digits and hyphens"}},
    {"a name of 64 characters",
     kBase + "groups: {aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: }\n",
     {"3:10: error: bad group name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': a name has at "
      "most 63 characters, this one has 64"}},
    {"a name that ends in a hyphen",
     kBase + "groups: {a-: }\n",
     {"3:10: error: bad group name 'a-': a name begins and ends with a letter or digit"}},
    {"a device name that is too long",
     "gateway: {public: {interface: enp0s31f6verylong}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:31: error: bad device name 'enp0s31f6verylong': a device name has at most 15 characters, this one has 17"}},
    {"a device name with a slash",
     "gateway: {public: {interface: eth/0}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:31: error: bad device name 'eth/0': a device name has no '/', ':' or space"}},
    {"an endpoint without brackets",
     "gateway: {public: {interface: eth0, endpoint: \"2001:db8::1\"}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:47: error: '2001:db8::1' is no endpoint; write host.example:51820, 192.0.2.1:51820 or "
      "\"[2001:db8::1]:51820\""}},
    {"an endpoint with a broken address",
     "gateway: {public: {interface: eth0, endpoint: 192.0.2.300}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:47: error: '192.0.2.300' is no endpoint; write host.example:51820, 192.0.2.1:51820 or "
      "\"[2001:db8::1]:51820\""}},
    {"an endpoint with a bad port",
     "gateway: {public: {interface: eth0, endpoint: vpn.example:0}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:47: error: port '0' is not a whole number from 1 to 65535"}},
    {"an unknown service in allow",
     "gateway: {public: {interface: eth0, allow: [shh]}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:45: error: unknown service 'shh' (tcp/PORT, udp/PORT, icmp/TYPE, proto/NUMBER or a name); did you mean "
      "'ssh'?"}},
    {"any in allow",
     "gateway: {public: {interface: eth0, allow: any}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:44: warning: every service of the gateway is open on the public side; name those that are needed"}},
    {"a DNS domain that is none",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24], dns: {domain: a..b, forward: [1.1.1]}}\n",
     {"2:49: error: 'a..b' is no domain; write one such as vpn.internal",
      "2:65: error: '1.1.1' is not an address; write one such as 10.1.2.1 or \"fd00:1::1\", without a length"}},
};

TEST(Diagnostics, TellValuesOutOfTheirBounds) { check(kValues); }

}  // namespace
}  // namespace gw::config
