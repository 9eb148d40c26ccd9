// SPDX-License-Identifier: Apache-2.0
// What the fast path makes of a frame, by either of its entries: which it redirects, with which bytes, and which it
// leaves to the policy untouched. Frames arrive on lo, the card of VLANs 20 (web) and 30 (data).
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <functional>

#include "tests/bpf/programs/fast_world.h"
#include "tests/support/host.h"

namespace gw::test {
namespace {

constexpr uint32_t kRule = 4;

Bytes mac_of(const std::string& text) {
  Bytes out;
  for (size_t at = 0; at < text.size(); at += 3)
    out.push_back(static_cast<uint8_t>(std::stoi(text.substr(at, 2), nullptr, 16)));
  return out;
}

Bytes mac_of_device(const std::string& device) {
  const std::string kind = "link/ether ";
  const Output output = run(words("ip -oneline link show " + device));
  return mac_of(output.out.substr(output.out.find(kind) + kind.size(), 17));
}

class FastPathCases : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { make_routes(); }
  static void TearDownTestSuite() { remove_routes(); }

  FastPathCases() {
    ImageBuilder rules = standard_rules();
    rules.prefix("fd10:1:2::/64", kData, kDataLink).rule(kWeb, kData, GW_KIND_UDP, 53, allow(kRule));
    policy->install(rules.build("fast"), standard_hosts());
    give_tags(*policy);
    put_fast_link(*policy, Device::web, kWebTag);
    put_fast_link(*policy, Device::data, 0);
    program_.reset(bpf_obj_get((policy->directory() + "/program_" + GetParam()).c_str()));
  }
  ~FastPathCases() override {
    take_tags(*policy);
    (void)policy->dataplane();  // the next test begins with links and rules of its own
  }

  /// The flow that the rules allow, answered.
  void open(const Packet& first) {
    ASSERT_EQ(policy->web(first), kAllowed);
    ASSERT_EQ(policy->data(first.reply()), kAllowed);
    ASSERT_TRUE(policy->established(first));
  }

  Outcome forward(const Bytes& frame) const { return run_xdp(program_.get(), frame); }

  /// What has to leave: one hop less, between these two addresses, with or without a tag.
  static Outcome redirected(Packet packet, const Bytes& to, const Bytes& from, const std::vector<uint16_t>& tags) {
    --packet.ip.hop_limit;
    Bytes frame = packet.ethernet(tags);
    std::ranges::copy(to, frame.begin());
    std::ranges::copy(from, frame.begin() + 6);
    return {XDP_REDIRECT, frame};
  }
  static Outcome left(const Bytes& frame) { return {XDP_PASS, frame}; }

  uint64_t counted() { return policy->dataplane().rule_counter(kRule).value().packets; }

  LoadedPolicy* policy = LoadedPolicy::standard();
  UniqueFd program_;
  const Bytes data_host_ = mac_of("02:00:00:00:02:07"), web_host_ = mac_of("02:00:00:00:01:07");
  const Bytes data_card_ = mac_of_device("data0"), web_card_ = mac_of_device("web0");
};
INSTANTIATE_TEST_SUITE_P(Entries, FastPathCases, testing::Values("xdp_ingress", "guard_xdp"));

const Packet kTcp4 = ipv4(kWebV4, kDataV4) / tcp(5432);
const Packet kTcp6 = ipv6(kWebV6, kDataV6) / tcp(5432);

TEST_P(FastPathCases, TakesTheTagOffGivesOneOrChangesIt) {
  for (const Packet& first : {kTcp4, kTcp6, ipv4(kWebV4, kDataV4) / udp(53), ipv6(kWebV6, kDataV6) / udp(53)}) {
    open(first);
    const Packet there = first.transport.protocol == IPPROTO_TCP ? first.with(kAck) : first;
    const Packet back = first.reply(kAck);
    put_fast_link(*policy, Device::data, 0);
    EXPECT_EQ(forward(there.ethernet({kWebTag})), redirected(there, data_host_, data_card_, {})) << "to no tag";
    put_fast_link(*policy, Device::data, kDataTag);
    EXPECT_EQ(forward(there.ethernet({kWebTag})), redirected(there, data_host_, data_card_, {kDataTag}))
        << "to another tag";
    EXPECT_EQ(forward(back.ethernet({kDataTag})), redirected(back, web_host_, web_card_, {kWebTag})) << "and back";
    EXPECT_EQ(forward(there.ethernet({static_cast<uint16_t>(0xe000 | kWebTag)})),
              redirected(there, data_host_, data_card_, {kDataTag}))
        << "a priority is not part of the VID";
  }
}

TEST_P(FastPathCases, CountsPacketsForTheRuleAndTheFlow) {
  open(kTcp4);
  const uint64_t before = counted();
  const uint64_t bytes = policy->dataplane().rule_counter(kRule).value().bytes;
  const Packet there = kTcp4.with(kAck | kPsh);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(forward(there.ethernet({kWebTag})).verdict, uint32_t{XDP_REDIRECT});
  EXPECT_EQ(counted() - before, 3U);
  EXPECT_EQ(policy->dataplane().rule_counter(kRule).value().bytes - bytes, 3 * there.layer3().size());
}

struct Left {
  const char* description;
  Bytes frame;
};

TEST_P(FastPathCases, LeavesToThePolicyWhatIsNotPlain) {
  open(kTcp4);
  open(kTcp6);
  const Packet there = kTcp4.with(kAck);
  const Packet there6 = kTcp6.with(kAck);
  const Packet datagram = ipv4(kWebV4, kDataV4) / udp(53);
  open(datagram);
  ASSERT_EQ(forward(datagram.ethernet({kWebTag})).verdict, uint32_t{XDP_REDIRECT});
  const auto hops = [](Packet packet, uint8_t limit) {
    packet.ip.hop_limit = limit;
    return packet;
  };
  const auto carrying = [](Packet packet, size_t size) {
    packet.transport.payload.resize(size);
    return packet;
  };
  Bytes elsewhere = there.ethernet({kWebTag});
  elsewhere[5] = 9;
  const std::vector<Left> rows = {
      {"a SYN", kTcp4.ethernet({kWebTag})},
      {"a SYN and ACK", kTcp4.with(kSyn | kAck).ethernet({kWebTag})},
      {"a FIN", kTcp4.with(kFin | kAck).ethernet({kWebTag})},
      {"a reset", kTcp4.with(kRst).ethernet({kWebTag})},
      {"no flags at all", kTcp4.with(0).ethernet({kWebTag})},
      {"the last hop", hops(there, 1).ethernet({kWebTag})},
      {"no hop left", hops(there, 0).ethernet({kWebTag})},
      {"the last hop, IPv6", hops(there6, 1).ethernet({kWebTag})},
      {"IPv4 options", there.with_options({1, 1, 1, 1}).ethernet({kWebTag})},
      {"an extension header", there6.extended(IPPROTO_DSTOPTS, {0, 1, 4, 0, 0, 0, 0}).ethernet({kWebTag})},
      {"a first fragment", carrying(there, 64).piece(0, 40, 7).ethernet({kWebTag})},
      {"a later fragment", carrying(there, 64).piece(40, 84, 7).ethernet({kWebTag})},
      {"more than the route takes", carrying(there, kMtu - 20 - 20 + 1).ethernet({kWebTag})},
      {"more than the route takes, IPv6", carrying(there6, kMtu - 40 - 20 + 1).ethernet({kWebTag})},
      {"longer than its frame", there.resized(30).ethernet({kWebTag})},
      {"a TCP header longer than the packet", there.but(20 + 12, 0x80).ethernet({kWebTag})},
      {"a TCP header shorter than one", there.but(20 + 12, 0x40).ethernet({kWebTag})},
      {"a UDP length beyond the packet", datagram.but(20 + 5, 9).ethernet({kWebTag})},
      {"a UDP length below its header", datagram.but(20 + 5, 7).ethernet({kWebTag})},
      {"another connection", (ipv4(kWebV4, kDataV4) / tcp(5432).from(40001).with(kAck)).ethernet({kWebTag})},
      {"from the other interface", there.ethernet({kDataTag})},
      {"of a VLAN that is none of ours", there.ethernet({21})},
      {"two tags", there.ethernet({kWebTag, 30})},
      {"to another's Ethernet address", elsewhere},
      {"ICMP", (ipv4(kWebV4, kDataV4) / icmp(8)).ethernet({kWebTag})},
      {"another protocol", (ipv4(kWebV4, kDataV4) / protocol(47)).ethernet({kWebTag})},
      {"ARP",
       [&] {
         Bytes frame = there.ethernet({kWebTag});
         frame[17] = 0x06;
         return frame;
       }()},
  };
  for (const auto& [description, frame] : rows) EXPECT_EQ(forward(frame), left(frame)) << description;
  EXPECT_EQ(forward(carrying(there, kMtu - 20 - 20).ethernet({kWebTag})).verdict, uint32_t{XDP_REDIRECT})
      << "just as much as the route takes";
  EXPECT_EQ(forward(hops(there, 2).ethernet({kWebTag})).verdict, uint32_t{XDP_REDIRECT}) << "one hop is left";
}

TEST_P(FastPathCases, LeavesAFlowToThePolicyThatNeedsAJudgement) {
  open(kTcp4);
  const Bytes frame = kTcp4.with(kAck).ethernet({kWebTag});
  const auto changed = [&](const char* what, const std::function<void(gw_flow&)>& change) {
    const gw_flow good = policy->flow(kTcp4).value();
    policy->edit_flow(kTcp4, change);
    EXPECT_EQ(forward(frame), left(frame)) << what;
    policy->edit_flow(kTcp4, [&](gw_flow& flow) { flow = good; });
    EXPECT_EQ(forward(frame).verdict, uint32_t{XDP_REDIRECT});
  };
  changed("another policy", [](gw_flow& flow) { flow.word += 2; });
  changed("its client's time is over", [](gw_flow& flow) { flow.valid_until_ns = 1; });
  changed("masqueraded", [](gw_flow& flow) { flow.flags |= GW_FLOW_NAT; });
  changed("to the gateway", [](gw_flow& flow) { flow.flags |= GW_FLOW_GATEWAY; });
  changed("unanswered", [](gw_flow& flow) { flow.flags &= ~GW_FLOW_REPLIED; });
  changed("ended", [](gw_flow& flow) { flow.flags |= GW_FLOW_FIN_ORIG | GW_FLOW_FIN_REPLY; });
  changed("idle for too long", [](gw_flow& flow) { flow.last_seen_ns -= GW_IDLE_ESTABLISHED + 1'000'000'000; });
}

TEST_P(FastPathCases, LeavesToTheStackWhatItHasNoWayFor) {
  open(kTcp4);
  const Bytes frame = kTcp4.with(kAck).ethernet({kWebTag});
  must_ip(std::string("neighbour del ") + kDataV4 + " dev data0");
  EXPECT_EQ(forward(frame), left(frame)) << "no neighbour";
  must_ip(std::string("neighbour replace ") + kDataV4 + " lladdr 02:00:00:00:02:07 nud permanent dev data0");
  EXPECT_EQ(forward(frame).verdict, uint32_t{XDP_REDIRECT});
  must_ip(std::string("route add blackhole ") + kDataV4);
  EXPECT_EQ(forward(frame), left(frame)) << "no route";
  must_ip(std::string("route del blackhole ") + kDataV4);
  put_fast_link(*policy, Device::data, 0, GW_LINK_FAST);
  EXPECT_EQ(forward(frame), left(frame)) << "a card that takes no redirected frames";
  put_fast_link(*policy, Device::data, 0);
  put_fast_link(*policy, Device::web, kWebTag, GW_LINK_FAST_OUT);
  EXPECT_EQ(forward(frame), left(frame)) << "an interface that is not to take it";
}

}  // namespace
}  // namespace gw::test
