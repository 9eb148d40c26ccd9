// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "gatewayd/config/names.h"
#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

const std::string kPublic = "gateway: {name: Contoso, public: {interface: eth0, endpoint: reach.vpn.internal}}\n";
const std::string kServed = kPublic + "vpn: {subnets: [172.16.201.0/24], dns: {domain: vpn.internal}}\n";

std::string domain(const std::string& text) {
  return "gateway: {public: {interface: eth0}}\nvpn: {subnets: [172.16.201.0/24], dns: {domain: " + text + "}}\n";
}
std::string forward(const std::string& text) {
  return domain("a.example, forward: " + text) +
         "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1, address: 10.1.1.1}}\n";
}
std::string hosts(const std::string& text) {
  return kServed + "subnets:\n  web: {prefixes: [10.1.1.0/24], interface: eth1, hosts: " + text + "}\n";
}

const std::vector<Case> kDomains{
    {"a domain in capitals", domain("VPN.Internal"), {}},
    {"a domain that is never asked for",
     domain("vpn.localhost"),
     {"2:49: error: programs never ask a name server for names of 'vpn.localhost' (RFC 6761); write one that is yours, "
      "or vpn.internal"}},
    {"an address for a domain",
     domain("10.1.1.1"),
     {"2:49: error: '10.1.1.1' reads as an address; write one that is yours, or vpn.internal"}},
    {"multicast DNS",
     domain("office.local"),
     {"2:49: warning: many programs ask the local link, and not a name server, for names of 'office.local' (RFC 6762); "
      "write one that is yours, or vpn.internal"}},
    {"no room for names",
     domain(std::string(60, 'a') + "." + std::string(60, 'a') + "." + std::string(60, 'a') + ".example"),
     {"2:49: error: with the longest name before it this domain has more than 253 characters; take one of at most "
      "189"}},
    {"forwarders", forward("[9.9.9.9, 127.0.0.53, 10.1.1.53]"), {}},
    {"the gateway asks itself",
     forward("[172.16.201.1, 10.1.1.1]"),
     {"2:70: error: 172.16.201.1 is the gateway itself, which would ask itself; name another resolver, or delete the "
      "key: then it asks whom the host asks",
      "2:84: error: 10.1.1.1 is the gateway itself, which would ask itself; name another resolver, or delete the key: "
      "then it asks whom the host asks"}},
    {"nobody to ask",
     forward("[0.0.0.0, 'ff02::1']"),
     {"2:70: error: nobody can be asked at 0.0.0.0; name a resolver",
      "2:79: error: nobody can be asked at ff02::1; name a resolver"}},
};

const std::vector<Case> kHosts{
    {"hosts", hosts("{db: 10.1.1.10, www: [10.1.1.11, 10.1.1.12], sql: 10.1.1.10}"), {}},
    {"a host elsewhere",
     hosts("{db: 10.1.2.10}"),
     {"4:63: error: address 10.1.2.10 of host 'db' lies in no prefix of subnet 'web'; take one within 10.1.1.0/24"}},
    {"a broadcast address",
     hosts("{db: 10.1.1.255}"),
     {"4:63: error: address 10.1.1.255 of host 'db' is the network or broadcast address of 10.1.1.0/24"}},
    {"no address",
     hosts("{db: , sql: []}"),
     {"4:59: error: host 'db' has no address; write db: 10.1.1.10",
      "4:65: error: host 'sql' has no address; write sql: 10.1.1.10"}},
    {"something else",
     hosts("{db: lan}"),
     {"4:63: error: 'lan' is not an address; write one such as 10.1.2.1 or \"fd00:1::1\", without a length"}},
    {"a line's end in a name",
     hosts("{\"a\\nb\": 10.1.1.10}"),
     {"4:59: error: bad host name 'a b': a name is made of letters, digits and hyphens"}},
    {"names that are not free",
     hosts("{gateway: 10.1.1.2, contoso: 10.1.1.3, reach: 10.1.1.4, wpad: 10.1.1.5}"),
     {"4:59: error: host 'gateway' of subnet 'web' cannot have this name: gateway.vpn.internal is the gateway itself; "
      "rename it",
      "4:78: error: host 'contoso' of subnet 'web' cannot have this name: contoso.vpn.internal is the gateway itself; "
      "rename it",
      "4:97: error: host 'reach' of subnet 'web' cannot have this name: reach.vpn.internal is what clients connect to "
      "(gateway.public.endpoint); rename it",
      "4:114: error: host 'wpad' of subnet 'web' cannot have this name: 'wpad' is a name that programs give a meaning "
      "of their own; rename it"}},
    {"one name for two",
     hosts("{db: 10.1.1.10}") + "  data: {prefixes: [10.1.2.0/24], interface: eth2, hosts: {DB: 10.1.2.10}}\n",
     {"5:60: error: host 'db' of subnet 'data' has the name of one of subnet 'web' at gateway.yaml:4:59; rename one of "
      "them"}},
    {"names without a domain",
     kBase + "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1, hosts: {db: 10.1.1.10}}}\n",
     {"3:67: error: hosts have names only where the gateway serves a domain; write vpn: {dns: {domain: "
      "vpn.internal}}"}},
};

TEST(Diagnostics, TellDomainsAndForwardersThatCannotWork) { check(kDomains); }
TEST(Diagnostics, TellNamesThatAreNotFree) { check(kHosts); }

TEST(Names, OfClientsAreCheckedAgainstAllThatAreServed) {
  const Config config = load({{"gateway.yaml", hosts("{db: 10.1.1.10}")}}).config;
  EXPECT_EQ(config.vpn.dns->domain, "vpn.internal");
  EXPECT_EQ(why_taken(config, "alice"), std::nullopt);
  EXPECT_EQ(why_taken(config, "DB"), "it is the name of a host of subnet 'web' at gateway.yaml:4:59");
  EXPECT_TRUE(why_taken(config, "gateway"));
  EXPECT_TRUE(why_taken(config, "isatap"));
  Config without = config;
  without.vpn.dns.reset();
  EXPECT_EQ(why_taken(without, "db"), std::nullopt);
}

}  // namespace
}  // namespace gw::config
