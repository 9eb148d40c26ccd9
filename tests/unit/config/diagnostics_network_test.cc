// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

const std::vector<Case> kAddresses{
    {"host bits in a VPN prefix",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.1/24]}\n",
     {"2:17: error: '172.16.201.1/24' has bits set beyond its length; write 172.16.201.0/24"}},
    {"no VPN prefix",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: []}\n",
     {"2:16: error: vpn.subnets is empty; write at least one prefix, such as [172.16.201.0/24]"}},
    {"two VPN prefixes of one family",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24, 172.16.202.0/24]}\n",
     {"2:34: error: a second VPN prefix of one family, beside 172.16.201.0/24 at gateway.yaml:2:17; keep one, a client "
      "gets one address of each family"}},
    {"a VPN pool that is too small",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/30]}\n",
     {"2:17: error: 172.16.201.0/30 is too small: beside the gateway's two addresses and those of the network and of "
      "broadcast it has 0 for clients, at least 3 are needed; take a /29 or larger"}},
    {"an IPv6 VPN pool that is too small",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [\"fd00::/126\"]}\n",
     {"2:17: error: fd00::/126 is too small: beside the gateway's two addresses and the all-zero one it has 1 for "
      "clients, at least 3 are needed; take a /125 or larger"}},
    {"a length beyond the family",
     kBase + "network: {address_space: [10.0.0.0/33]}\n",
     {"3:27: error: '10.0.0.0/33' has no valid length; it goes from 1 to 32"}},
    {"a word for a prefix",
     kBase + "network: {address_space: lan}\n",
     {"3:26: error: 'lan' is not a prefix; write one such as 10.1.2.0/24 or \"fd00:1::/64\""}},
    {"IPv4 written as IPv6",
     kBase + "network: {address_space: '::ffff:10.0.0.0/104'}\n",
     {"3:26: error: ::ffff:10.0.0.0 is an IPv4 address in IPv6 clothes; write 10.0.0.0"}},
    {"an IPv4 address written as IPv6",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {subnets: [172.16.201.0/24], dns: {domain: a, forward: ['::ffff:10.0.0.1']}}\n",
     {"2:62: error: ::ffff:10.0.0.1 is an IPv4 address in IPv6 clothes; write 10.0.0.1"}},
    {"a default route as a prefix",
     kBase + "network: {address_space: 0.0.0.0/0}\n",
     {"3:26: error: 0.0.0.0/0 is a default route; name the prefixes that are really there"}},
    {"ICMP that is no echo request, open on the public side",
     "gateway: {public: {interface: eth0, allow: [icmp/13, ping]}}\n"
     "vpn: {subnets: [172.16.201.0/24]}\n",
     {"1:45: error: 'icmp/13' cannot be opened on the public side: of ICMP only echo requests can; write ping (errors "
      "of open flows pass anyway)"}},
    {"metrics without a file",
     kBase + "metrics: {interval: 15s}\n",
     {"3:10: error: metrics needs 'textfile'; for example textfile: /var/lib/prometheus/node-exporter/gatewayd.prom"}},
    {"metrics in a file that nobody reads",
     kBase + "metrics: {textfile: gatewayd.txt, interval: 15}\n",
     {"3:21: error: 'gatewayd.txt' is no absolute path; write one such as /gatewayd.txt",
      "3:45: error: '15' is no time from 1s to 60m; write one such as 15s or 1m"}},
    {"metrics in a file of another kind, too seldom",
     kBase + "metrics: {textfile: /run/gatewayd.txt, interval: 61m}\n",
     {"3:21: error: '/run/gatewayd.txt' does not end in .prom, and node_exporter reads no other file",
      "3:50: error: '61m' is no time from 1s to 60m; write one such as 15s or 1m"}},
    {"a subnet in another subnet",
     kBase + "subnets:\n"
             "  web: {prefixes: [10.1.1.0/24], interface: eth1}\n"
             "  all: {prefixes: [10.1.0.0/16], interface: eth2}\n",
     {"5:20: error: 10.1.0.0/16 of subnet 'all' overlaps 10.1.1.0/24 of subnet 'web' at gateway.yaml:4:20; every "
      "prefix belongs to one place: change one of them"}},
    {"a subnet in the VPN",
     kBase + "subnets:\n"
             "  web: {prefixes: [10.1.1.0/24], interface: eth1}\n"
             "  x: {prefixes: [172.16.201.128/25], interface: eth2}\n",
     {"5:18: error: 172.16.201.128/25 of subnet 'x' overlaps 172.16.201.0/24 of vpn.subnets at gateway.yaml:2:17; "
      "every prefix belongs to one place: change one of them"}},
    {"a prefix twice in one subnet",
     kBase + "subnets:\n"
             "  web: {prefixes: [10.1.1.0/24], interface: eth1}\n"
             "  x: {prefixes: [10.2.0.0/24, 10.2.0.0/24], interface: eth2}\n",
     {"5:31: error: 10.2.0.0/24 of subnet 'x' overlaps 10.2.0.0/24 of subnet 'x' at gateway.yaml:5:18; every prefix "
      "belongs to one place: change one of them"}},
    {"a site over a subnet",
     kBase + "subnets:\n"
             "  web: {prefixes: [10.1.1.0/24], interface: eth1}\n"
             "  y: {prefixes: [10.2.0.0/24], interface: eth1}\n"
             "sites: {far: {public_key: \"4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=\", prefixes: [10.2.0.0/23]}}\n",
     {"6:86: error: 10.2.0.0/23 of site 'far' overlaps 10.2.0.0/24 of subnet 'y' at gateway.yaml:5:18; every prefix "
      "belongs to one place: change one of them"}},
    {"a subnet outside the address space",
     kBase + "network: {address_space: [10.2.0.0/16]}\n"
             "subnets:\n"
             "  web: {prefixes: [10.1.1.0/24], interface: eth1}\n"
             "  y: {prefixes: [10.2.0.0/24], interface: eth1}\n",
     {"5:20: error: 10.1.1.0/24 of subnet 'web' lies outside network.address_space at gateway.yaml:3:27; correct it or "
      "add the prefix there"}},
};

TEST(Diagnostics, TellPrefixesThatCannotBe) { check(kAddresses); }

const std::vector<Case> kSubnets{
    {"a subnet without anything",
     kBase + "subnets: {web: }\n",
     {"3:11: error: subnet 'web' needs 'prefixes'; for example prefixes: [10.1.1.0/24]",
      "3:11: error: subnet 'web' needs 'interface'; for example interface: eth1"}},
    {"a subnet without a prefix",
     kBase + "subnets: {web: {prefixes: [], interface: eth1}}\n",
     {"3:27: error: subnet 'web' has no prefix; write prefixes: [10.1.1.0/24]"}},
    {"VLAN 0 and VLAN 4095",
     kBase + "subnets:\n"
             "  a: {prefixes: 10.1.1.0/24, interface: eth1, vlan: 0}\n"
             "  b: {prefixes: 10.1.2.0/24, interface: eth1, vlan: 4095}\n",
     {"4:53: error: '0' is not a whole number from 1 to 4094",
      "5:53: error: '4095' is not a whole number from 1 to 4094"}},
    {"a VLAN device name that is too long",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: enp0s31f6abc, vlan: 1000}}\n",
     {"3:69: error: the VLAN device would be called 'enp0s31f6abc.1000': a device name has at most 15 characters, this "
      "one has 17; rename enp0s31f6abc to something shorter"}},
    {"an address outside the subnet",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, address: 10.1.2.1}}\n",
     {"3:64: error: address 10.1.2.1 lies in no prefix of subnet 'a'; take one within 10.1.1.0/24"}},
    {"an address that is the broadcast",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, address: 10.1.1.255}}\n",
     {"3:64: error: address 10.1.1.255 is the network or broadcast address of 10.1.1.0/24; take one between them"}},
    {"an address with a length",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, address: 10.1.1.1/24}}\n",
     {"3:64: error: '10.1.1.1/24' is not an address; write one such as 10.1.2.1 or \"fd00:1::1\", without a length"}},
    {"an address twice",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, address: [10.1.1.1, 10.1.1.1]}}\n",
     {"3:75: error: 10.1.1.1 is given twice; keep one"}},
    {"a next hop within its own subnet",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, via: 10.1.1.1}}\n",
     {"3:60: error: next hop 10.1.1.1 lies within 10.1.1.0/24, the subnet it leads to; name the router on this side"}},
    {"both address and via",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, address: 10.1.1.1, via: 10.9.0.1}}\n",
     {"3:64: error: subnet 'a' has both 'address' and 'via'; a routed subnet (via) has no address of the gateway in "
      "it: delete one"}},
    {"two next hops of one family",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: eth1, via: [10.9.0.1, 10.9.0.2]}}\n",
     {"3:71: error: subnet 'a' has two next hops of one family; keep one"}},
    {"no next hop for a family",
     kBase + "subnets: {a: {prefixes: [10.1.1.0/24, \"fd00:1::/64\"], interface: eth1, via: 10.9.0.1}}\n",
     {"3:39: error: 'via' has no next hop of the family of fd00:1::/64; add one, as in via: [10.1.0.1, \"fd00::1\"]"}},
    {"the VPN device for a subnet",
     kBase + "subnets: {a: {prefixes: 10.1.1.0/24, interface: wg0}}\n",
     {"3:49: error: 'wg0' is the device of subnet 'a' and the VPN interface (vpn.interface, at gateway.yaml:2:6); the "
      "gateway makes that one itself: name another device"}},
    {"the VPN device as the public one",
     "gateway: {public: {interface: eth0}}\n"
     "vpn: {interface: eth0, subnets: [172.16.201.0/24]}\n",
     {"1:31: error: 'eth0' is the public interface and the VPN interface (vpn.interface, at gateway.yaml:2:18); the "
      "gateway makes that one itself: name another device"}},
};

TEST(Diagnostics, TellSubnetsThatCannotBeReached) { check(kSubnets); }

const std::vector<Case> kSites{
    {"a site without anything",
     kBase + "sites: {a: }\n",
     {"3:9: error: site 'a' needs 'public_key'; for example public_key: \"…44 characters…\"",
      "3:9: error: site 'a' needs 'prefixes'; for example prefixes: [192.168.50.0/24]"}},
    {"a key that is none",
     kBase + "sites: {a: {public_key: abc, prefixes: 10.9.0.0/24}}\n",
     {"3:25: error: this is no WireGuard public key; it is the 44 characters that 'wg pubkey' prints, the last one "
      "'='"}},
    {"a key of small order",
     kBase + "sites: {a: {public_key: \"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\", prefixes: 10.9.0.0/24}}\n",
     {"3:25: error: this key is a point of small order, with which nothing stays secret; make a new pair with 'wg "
      "genkey | wg pubkey'"}},
    {"one key for two sites",
     kBase + "sites:\n"
             "  a: {public_key: \"4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=\", prefixes: 10.9.0.0/24}\n"
             "  b: {public_key: \"4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=\", prefixes: 10.8.0.0/24}\n",
     {"5:19: error: another site has the same key, at gateway.yaml:4:19; each site needs a pair of its own"}},
    {"a site with a default route",
     kBase + "sites: {a: {public_key: \"4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=\", prefixes: [0.0.0.0/0]}}\n",
     {"3:84: error: 0.0.0.0/0 is a default route; name the prefixes that are really there"}},
    {"an endpoint without a port",
     kBase + "sites: {a: {public_key: \"4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=\", prefixes: 10.9.0.0/24, "
             "endpoint: home.example}}\n",
     {"3:106: error: 'home.example' has no port; write home.example:51820"}},
    {"a keepalive beyond the range",
     kBase + "sites: {a: {public_key: \"4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=\", prefixes: 10.9.0.0/24, "
             "keepalive: 70000}}\n",
     {"3:107: error: '70000' is not a whole number from 0 to 65535"}},
};

TEST(Diagnostics, TellSitesThatCannotBeTrusted) { check(kSites); }

}  // namespace
}  // namespace gw::config
