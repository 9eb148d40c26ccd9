// SPDX-License-Identifier: Apache-2.0
// What a client, a subnet host and a stranger can reach: real packets through real WireGuard.
#include <sys/socket.h>

#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {

namespace {

class Policy : public RunningGateway {};

constexpr const char* kWeb4 = "10.1.1.10";
constexpr const char* kWeb6 = "fd10:1:1::10";
constexpr const char* kData4 = "10.1.2.10";
constexpr const char* kData6 = "fd10:1:2::10";

TEST_F(Policy, AllowsWhatARuleAllowsOverBothFamilies) {
  rules("  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80]}\n");
  const Socket four = listen_tcp(lab().web(), kWeb4, 80);
  const Socket six = listen_tcp(lab().web(), kWeb6, 80);
  EXPECT_EQ(try_tcp(alice(), kWeb4, 80), Reach::open);
  EXPECT_EQ(try_tcp(alice(), kWeb6, 80), Reach::open);
}

TEST_F(Policy, DeniesWhatNoRuleMatches) {
  rules("  - {name: dev-web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80]}\n");
  const Socket web = listen_tcp(lab().web(), kWeb4, 80);
  const Socket other = listen_tcp(lab().web(), kWeb4, 81);
  const Socket other6 = listen_tcp(lab().web(), kWeb6, 81);
  ASSERT_EQ(try_tcp(alice(), kWeb4, 80), Reach::open);
  EXPECT_EQ(try_tcp(alice(), kWeb4, 81, kSilence), Reach::silent);  // another port
  EXPECT_EQ(try_tcp(alice(), kWeb6, 81, kSilence), Reach::silent);
  EXPECT_EQ(try_tcp(bob(), kWeb4, 80, kSilence), Reach::silent);  // another group
  EXPECT_EQ(try_ping(alice(), kData4, kSilence), Reach::silent);  // another subnet
}

TEST_F(Policy, TheFirstRuleThatMatchesWins) {
  rules(R"(  - {name: no-ssh, action: deny, from: [vpn], to: [subnet:web], services: [tcp/22]}
  - {name: web, action: allow, from: [vpn], to: [subnet:web], services: [tcp/1-1024]}
)");
  const Socket ssh = listen_tcp(lab().web(), kWeb4, 22);
  const Socket ssh6 = listen_tcp(lab().web(), kWeb6, 22);
  const Socket web = listen_tcp(lab().web(), kWeb4, 80);
  EXPECT_EQ(try_tcp(bob(), kWeb4, 80), Reach::open);
  EXPECT_EQ(try_tcp(bob(), kWeb4, 22, kSilence), Reach::silent);
  EXPECT_EQ(try_tcp(bob(), kWeb6, 22, kSilence), Reach::silent);
}

TEST_F(Policy, RejectAnswersInsteadOfStayingSilent) {
  rules("  - {name: no, action: reject, from: [vpn], to: [subnet:data]}\n");
  EXPECT_EQ(try_tcp(alice(), kData4, 80), Reach::refused);
  EXPECT_EQ(try_tcp(alice(), kData6, 80), Reach::refused);
  EXPECT_EQ(try_udp(alice(), kData4, 5000), Reach::prohibited);
  EXPECT_EQ(try_ping(alice(), kData4), Reach::prohibited);
}

TEST_F(Policy, UdpAndIcmpAreJudgedLikeTcp) {
  rules(R"(  - {name: udp, action: allow, from: [group:contractors], to: [subnet:data], services: [udp/5000-5001]}
  - {name: ping, action: allow, from: [group:developers], to: [subnet:data], services: [icmp]}
)");
  const UdpEcho echo(lab().data(), kData4, 5000);
  EXPECT_EQ(try_udp(bob(), kData4, 5000), Reach::open);
  EXPECT_EQ(try_udp(bob(), kData4, 5002, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(alice(), kData4), Reach::open);
  EXPECT_EQ(try_ping(alice(), kData6), Reach::open);
  EXPECT_EQ(try_ping(bob(), kData4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(bob(), kData6, kSilence), Reach::silent);
}

TEST_F(Policy, AClientInTwoGroupsHasTheAccessOfBoth) {
  rules(R"(  - {name: web, action: allow, from: [group:developers], to: [subnet:web], services: [tcp/80]}
  - {name: data, action: allow, from: [group:contractors], to: [subnet:data], services: [tcp/80]}
)");
  const Socket web = listen_tcp(lab().web(), kWeb4, 80);
  const Socket data = listen_tcp(lab().data(), kData4, 80);
  EXPECT_EQ(try_tcp(carol(), kWeb4, 80), Reach::open);
  EXPECT_EQ(try_tcp(carol(), kData4, 80), Reach::open);
  EXPECT_EQ(try_tcp(alice(), kData4, 80, kSilence), Reach::silent);
  EXPECT_EQ(try_tcp(bob(), kWeb4, 80, kSilence), Reach::silent);
}

TEST_F(Policy, InterconnectLetsMembersReachEachOtherUntilItIsOff) {
  const std::string carol4 = lab().address("carol", 4);
  const std::string carol6 = lab().address("carol", 6);
  lab().reconfigure("groups:\n  developers: {interconnect: true}\n  contractors: {}\n");
  EXPECT_EQ(try_ping(alice(), carol4), Reach::open);
  EXPECT_EQ(try_ping(alice(), carol6), Reach::open);
  EXPECT_EQ(try_ping(bob(), carol4, kSilence), Reach::silent);  // carol's other group is not connected
  lab().reconfigure(kGroups);
  EXPECT_EQ(try_ping(alice(), carol4, kSilence), Reach::silent);
}

TEST_F(Policy, AWrittenDenyBeatsInterconnect) {
  lab().reconfigure(R"(groups:
  developers: {interconnect: true}
  contractors: {}
rules:
  - {name: leave-carol, action: deny, from: [vpn], to: [client:carol], services: [icmp]}
)");
  EXPECT_EQ(try_ping(alice(), lab().address("carol", 4), kSilence), Reach::silent);
  EXPECT_EQ(try_ping(carol(), lab().address("alice", 4)), Reach::open);
}

TEST_F(Policy, ASubnetReachesAClientOnlyByARule) {
  const std::string alice4 = lab().address("alice", 4);
  const std::string alice6 = lab().address("alice", 6);
  rules("  - {name: out, action: allow, from: [vpn], to: [subnet:web]}\n");
  ASSERT_EQ(try_ping(alice(), kWeb4), Reach::open);
  EXPECT_EQ(try_ping(lab().web(), alice4, kSilence), Reach::silent);
  EXPECT_EQ(try_ping(lab().web(), alice6, kSilence), Reach::silent);
  rules("  - {name: in, action: allow, from: [subnet:web], to: [client:alice], services: [icmp]}\n");
  EXPECT_EQ(try_ping(lab().web(), alice4), Reach::open);
  EXPECT_EQ(try_ping(lab().web(), alice6), Reach::open);
  EXPECT_EQ(try_ping(lab().data(), alice4, kSilence), Reach::silent);
}

TEST_F(Policy, SubnetsAreFilteredFromEachOther) {
  rules("  - {name: web-data, action: allow, from: [subnet:web], to: [subnet:data], services: [tcp/5432]}\n");
  const Socket four = listen_tcp(lab().data(), kData4, 5432);
  const Socket six = listen_tcp(lab().data(), kData6, 5432);
  const Socket back = listen_tcp(lab().web(), kWeb4, 5432);
  EXPECT_EQ(try_tcp(lab().web(), kData4, 5432), Reach::open);
  EXPECT_EQ(try_tcp(lab().web(), kData6, 5432), Reach::open);
  EXPECT_EQ(try_ping(lab().web(), kData4, kSilence), Reach::silent);
  EXPECT_EQ(try_tcp(lab().data(), kWeb4, 5432, kSilence), Reach::silent);
}

TEST_F(Policy, TheGatewayItselfIsAZone) {
  const Socket service = listen_tcp(lab().gateway(), "10.1.1.1", 8080);
  rules("  - {name: nothing, action: deny, from: [group:contractors], to: [subnet:data]}\n");
  EXPECT_EQ(try_ping(alice(), "172.16.201.1"), Reach::open);  // built in
  EXPECT_EQ(try_tcp(alice(), "10.1.1.1", 8080, kSilence), Reach::silent);
  rules("  - {name: admin, action: allow, from: [group:developers], to: [gateway], services: [tcp/8080]}\n");
  EXPECT_EQ(try_tcp(alice(), "10.1.1.1", 8080), Reach::open);
  EXPECT_EQ(try_tcp(bob(), "10.1.1.1", 8080, kSilence), Reach::silent);
  EXPECT_EQ(try_tcp(lab().outside(), "5.5.5.1", 8080, kSilence), Reach::silent);
}

TEST_F(Policy, AClientCannotUseTheAddressOfAnother) {
  rules("  - {name: bob-only, action: allow, from: [client:bob], to: [subnet:web], services: [udp/9]}\n");
  const std::string bob4 = lab().address("bob", 4);
  const Socket listener = bind_udp(lab().web(), kWeb4, 9);
  const Socket honest = connect_udp(bob(), kWeb4, 9);
  ASSERT_TRUE(honest.send("honest"));
  ASSERT_EQ(listener.receive(), "honest");
  const Socket forged = connect_udp(alice(), kWeb4, 9, bob4);
  ASSERT_TRUE(forged.send("forged"));
  EXPECT_EQ(listener.receive(kSilence), std::nullopt);
}

TEST_F(Policy, ASubnetHostCannotUseAForeignSource) {
  rules("  - {name: web-data, action: allow, from: [any], to: [subnet:data], services: [udp/9]}\n");
  const Socket listener = bind_udp(lab().data(), kData4, 9);
  const Socket honest = connect_udp(lab().web(), kData4, 9);
  ASSERT_TRUE(honest.send("honest"));
  ASSERT_EQ(listener.receive(), "honest");
  const std::string alice4 = lab().address("alice", 4);
  for (const std::string& source : {alice4, std::string("10.1.2.77"), std::string("8.8.8.8")}) {
    const Socket forged = connect_udp(lab().web(), kData4, 9, source);
    ASSERT_TRUE(forged.send("forged"));
    EXPECT_EQ(listener.receive(kSilence), std::nullopt) << source;
  }
}

TEST_F(Policy, MarksThatAHostBringsAlongMeanNothing) {
  rules("  - {name: nothing, action: deny, from: [subnet:web], to: [subnet:data]}\n");
  const Socket listener = bind_udp(lab().data(), kData4, 9);
  const Socket marked = connect_udp(lab().web(), kData4, 9);
  const uint32_t mark = 0x10000000;
  ASSERT_EQ(setsockopt(marked.fd(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), 0);
  ASSERT_TRUE(marked.send("marked"));
  EXPECT_EQ(listener.receive(kSilence), std::nullopt);
}

}  // namespace
}  // namespace gw::test
