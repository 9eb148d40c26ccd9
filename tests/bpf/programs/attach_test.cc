// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bpf/programs/world.h"
#include "tests/support/process.h"

namespace gw::test {
namespace {

using bpf::Attachment;
using bpf::Hook;

std::string tc(const std::string& words) {
  Arguments arguments = {"tc"};
  for (size_t start = 0; start < words.size();) {
    const size_t end = std::min(words.find(' ', start), words.size());
    arguments.push_back(words.substr(start, end - start));
    start = end + 1;
  }
  const Output output = run(arguments);
  EXPECT_TRUE(output.ok()) << words << ": " << output.err;
  return output.out;
}

size_t count(const std::string& text, const std::string& word) {
  size_t out = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++out;
  return out;
}

/// Takes the queueing discipline off the devices again.
class Attach : public testing::Test {
 protected:
  void TearDown() override {
    for (const char* device : {"vpn0", "web0"}) run({"tc", "qdisc", "del", "dev", device, "clsact"});
  }
  LoadedPolicy* policy = LoadedPolicy::standard();
  uint32_t web = index_of(Device::web);
  uint32_t vpn = index_of(Device::vpn);
};

TEST_F(Attach, IsSeenAndUndone) {
  auto& dataplane = policy->dataplane();
  EXPECT_TRUE(dataplane.attachments(web)->empty()) << "no queueing discipline yet";
  ASSERT_TRUE(dataplane.attach({vpn, Hook::vpn_ingress}));
  ASSERT_TRUE(dataplane.attach({vpn, Hook::vpn_egress}));
  EXPECT_EQ(dataplane.attachments(vpn).value(),
            (std::vector<Attachment>{{vpn, Hook::vpn_ingress}, {vpn, Hook::vpn_egress}}));
  ASSERT_TRUE(dataplane.attach({vpn, Hook::vpn_ingress})) << "again";
  EXPECT_EQ(count(tc("filter show dev vpn0 ingress"), "vpn_ingress:"), 1U) << "and not twice";
  ASSERT_TRUE(dataplane.detach({vpn, Hook::vpn_ingress}));
  ASSERT_TRUE(dataplane.detach({vpn, Hook::vpn_ingress})) << "again";
  EXPECT_EQ(dataplane.attachments(vpn).value(), (std::vector<Attachment>{{vpn, Hook::vpn_egress}}));
}

TEST_F(Attach, LeavesFiltersOfOthersAlone) {
  auto& dataplane = policy->dataplane();
  tc("qdisc add dev web0 clsact");
  // Somebody's BPF filter: the kernel does not care whose program it is.
  tc("filter add dev web0 ingress prio 100 bpf da pinned " + policy->directory() + "/program_vpn_ingress");
  EXPECT_TRUE(dataplane.attachments(web)->empty());
  ASSERT_TRUE(dataplane.attach({web, Hook::subnet_ingress}));
  ASSERT_TRUE(dataplane.detach({web, Hook::subnet_ingress}));
  EXPECT_EQ(count(tc("filter show dev web0 ingress"), "program_vpn_ingress"), 1U);
}

TEST_F(Attach, OfAnotherLoadDoesNotCountAndIsReplaced) {
  LoadedPolicy other;  // the same programs on other maps, as another build or instance would leave them
  ASSERT_TRUE(other.dataplane().attach({web, Hook::subnet_ingress}));
  auto& dataplane = policy->dataplane();
  EXPECT_TRUE(dataplane.attachments(web)->empty());
  ASSERT_TRUE(dataplane.attach({web, Hook::subnet_ingress}));
  EXPECT_EQ(dataplane.attachments(web)->size(), 1U);
  EXPECT_TRUE(other.dataplane().attachments(web)->empty());
  EXPECT_EQ(count(tc("filter show dev web0 ingress"), "subnet_ingress:"), 1U) << "in its place, not beside it";
}

TEST_F(Attach, CountsForTheNextRunOfTheSameBuild) {
  ASSERT_TRUE(policy->dataplane().attach({web, Hook::subnet_ingress}));
  const auto again = bpf::Dataplane::open(policy->directory());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->attachments(web).value(), (std::vector<Attachment>{{web, Hook::subnet_ingress}}));
}

TEST_F(Attach, TellsAboutAnInterfaceThatIsNotThere) {
  const auto refused = policy->dataplane().attach({9999, Hook::subnet_ingress});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENODEV) << refused.error().message();
  EXPECT_TRUE(policy->dataplane().detach({9999, Hook::subnet_ingress})) << "its filters went with it";
}

/// Frames that go into one end of a veth pair and are judged at the other.
class Wire {
 public:
  Wire() : in_(open("web0p")) {}
  void send(const Bytes& frame) const {
    ASSERT_EQ(::send(in_.get(), frame.data(), frame.size(), 0), ssize_t(frame.size()));
  }

 private:
  static UniqueFd open(const char* device) {
    UniqueFd out(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(device));
    EXPECT_EQ(::bind(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return out;
  }
  UniqueFd in_;
};

TEST_F(Attach, JudgesRealFramesWithTheirTagTakenOff) {
  auto& dataplane = policy->dataplane();
  ASSERT_TRUE(dataplane.attach({web, Hook::subnet_ingress}));
  const Wire wire;
  std::vector<gw_event> events;
  const auto keep = [&](const gw_event& event) {
    if (event.tuple.sport == htons(4711) || event.reason == GW_REASON_VLAN) events.push_back(event);
  };
  ASSERT_TRUE(dataplane.drain([](const gw_event&) {}));
  const Packet denied = ipv4(kWebV4, kDataV4) / tcp(1).from(4711);
  wire.send(denied.ethernet({20}));
  wire.send(denied.ethernet({21}));  // the receiving stack moves the tag out of the frame
  wire.send(denied.ethernet());
  wire.send(denied.ethernet({0}));
  pollfd ready{dataplane.event_fd(), POLLIN, 0};
  while (events.size() < 3 && ::poll(&ready, 1, 10'000) > 0) ASSERT_TRUE(dataplane.drain(keep));
  ASSERT_EQ(events.size(), 3U) << "the configured VID tells nothing";
  EXPECT_EQ(events[0].reason, GW_REASON_VLAN);
  EXPECT_EQ(events[1].reason, GW_REASON_DEFAULT) << "untagged";
  EXPECT_EQ(events[2].reason, GW_REASON_DEFAULT) << "VID 0";
}

}  // namespace
}  // namespace gw::test
