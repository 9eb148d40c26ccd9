// SPDX-License-Identifier: Apache-2.0
#include "bpf/loader/dataplane.h"

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/bpf/programs/world.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

IpAddress address(const char* text) { return IpAddress::parse(text).value(); }

TEST(Dataplane, KeepsEverythingPinnedWhenItIsOpenedAgain) {
  auto* const first = LoadedPolicy::standard();
  const Packet ssh = ipv4(kAliceV4, kWebV4) / tcp(22);
  ASSERT_EQ(first->vpn(ssh), kAllowed);
  ASSERT_EQ(first->web(ssh.reply()), kAllowed);
  const uint64_t generation = first->dataplane().generation();

  const auto again = bpf::Dataplane::open(first->directory());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->installed().value(), "standard");
  EXPECT_EQ(again->generation(), generation);
  EXPECT_EQ(again->hosts().value(), standard_hosts());
  EXPECT_EQ(again->links()->at(index_of(Device::web)), (bpf::Link{kWebLink, GW_LINK_PARENT, {20, 30}}));
  EXPECT_TRUE(first->established(ssh));
  EXPECT_EQ(first->web(ssh.reply(kAck)), kAllowed);
}

TEST(Dataplane, IsEmptyAndDeniesBeforeTheFirstInstall) {
  LoadedPolicy fresh;
  EXPECT_EQ(fresh.dataplane().installed().value(), "");
  EXPECT_TRUE(fresh.dataplane().hosts()->empty());
  EXPECT_EQ(fresh.vpn(ipv4(kAliceV4, kWebV4) / tcp(22)), dropped(GW_REASON_NO_LINK));
  ASSERT_TRUE(fresh.dataplane().put_link(index_of(Device::vpn), {kVpnLink, GW_LINK_VPN, {}}));
  EXPECT_FALSE(fresh.vpn(ipv4(kAliceV4, kWebV4) / tcp(22)).passed);
}

TEST(Dataplane, InstallsHostsAsGivenAndEndsFlowsOfThoseItDrops) {
  auto* const policy = LoadedPolicy::standard();
  const Packet ssh = ipv4(kAliceV4, kWebV4) / tcp(22);
  ASSERT_EQ(policy->vpn(ssh), kAllowed);
  bpf::Hosts hosts = standard_hosts();
  hosts.erase(address(kAliceV4));
  hosts[address("172.16.201.9")] = {kBob, 9, GW_HOST_CLIENT, 12345};
  const uint64_t before = policy->dataplane().generation();
  policy->install(standard_image(), hosts);
  EXPECT_EQ(policy->dataplane().hosts().value(), hosts);
  EXPECT_GT(policy->dataplane().generation(), before);
  EXPECT_EQ(policy->web(ssh.reply()), dropped(GW_REASON_UNASSIGNED));
}

TEST(Dataplane, HoldsAsManyHostsAsItSaysAndNoMore) {
  auto* const policy = LoadedPolicy::standard();
  bpf::Hosts many;
  for (uint32_t i = 0; i < GW_MAX_HOSTS; ++i) {
    IpAddress at{Family::v6, {0xfd, 0x6d}};
    for (size_t byte = 0; byte < 4; ++byte) at.bytes.at(15 - byte) = static_cast<uint8_t>(i >> (8 * byte));
    many[at] = {kAlice, i % GW_MAX_CLIENTS, GW_HOST_CLIENT};
  }
  const auto done = policy->dataplane().install(standard_image(), many);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(policy->dataplane().hosts()->size(), GW_MAX_HOSTS);
  many[address("10.0.0.1")] = {};
  const auto refused = policy->dataplane().install(standard_image(), many);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOSPC);
  EXPECT_EQ(policy->dataplane().hosts()->size(), GW_MAX_HOSTS) << "untouched";
}

TEST(Dataplane, LeavesTheActiveSlotAloneWhenAnImageCannotBeInstalled) {
  auto* const policy = LoadedPolicy::standard();
  bpf::PolicyImage bad = standard_rules().build("bad");
  bad.prefixes.front().first.prefixlen = 200;
  const auto refused = policy->dataplane().install(bad, standard_hosts());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EINVAL) << refused.error().message();
  EXPECT_EQ(policy->dataplane().installed().value(), "standard");
  EXPECT_EQ(policy->vpn(ipv4(kAliceV4, kWebV4) / tcp(22)), kAllowed);
}

TEST(Dataplane, ReplacesAndRemovesLinksWithTheirVlans) {
  auto* const policy = LoadedPolicy::standard();
  auto& dataplane = policy->dataplane();
  const uint32_t web = index_of(Device::web);
  ASSERT_TRUE(dataplane.put_link(web, {kWebLink, GW_LINK_PARENT, {30, 40}}));
  EXPECT_EQ(dataplane.links()->at(web).vlans, (std::vector<uint16_t>{30, 40}));
  ASSERT_TRUE(dataplane.erase_link(web));
  ASSERT_TRUE(dataplane.erase_link(web)) << "twice is no error";
  EXPECT_FALSE(dataplane.links()->contains(web));
  ASSERT_TRUE(dataplane.put_link(web, {kWebLink, 0, {}}));
  EXPECT_TRUE(dataplane.links()->at(web).vlans.empty()) << "none is left over";
}

TEST(Dataplane, CountsByRuleByClientAndByReason) {
  auto* const policy = LoadedPolicy::standard();
  auto& dataplane = policy->dataplane();
  EXPECT_EQ(dataplane.client_counter(1)->idle_ns, UINT64_MAX) << "never seen";
  const Packet ssh = ipv4(kAliceV4, kWebV4) / tcp(22);
  const uint64_t length = ssh.layer3().size();
  policy->run(ssh.layer3(), {.segments = 7});
  policy->web(ssh.reply());
  policy->vpn(ipv4(kAliceV4, kWebV4) / tcp(23));
  const bpf::Counter rule = dataplane.rule_counter(1).value();
  EXPECT_EQ(rule.packets, 8U) << "a super-packet counts for its segments";
  EXPECT_EQ(rule.bytes, 2 * length) << "without the Ethernet header";
  EXPECT_EQ(rule.flows, 1U);
  const bpf::Counter alice = dataplane.client_counter(1).value();
  EXPECT_EQ(alice.packets, 8U);
  EXPECT_EQ(alice.flows, 1U);
  EXPECT_EQ(alice.denied, 1U);
  EXPECT_LT(alice.idle_ns, 60'000'000'000U);
  EXPECT_EQ(dataplane.rule_counter(0)->packets, 1U) << "the default rule";
  ASSERT_TRUE(dataplane.clear_client_counter(1));
  EXPECT_EQ(dataplane.client_counter(1)->packets, 0U);
  EXPECT_EQ(dataplane.rule_counter(GW_MAX_RULES).error().code, ENOENT);
}

TEST(Dataplane, TellsDropsAndLoggedRulesAsEvents) {
  auto* const policy = LoadedPolicy::standard();
  auto& dataplane = policy->dataplane();
  ASSERT_TRUE(dataplane.drain([](const gw_event&) {}));
  policy->vpn(ipv4(kAliceV4, kDataV4) / tcp(5432));
  std::vector<gw_event> events;
  ASSERT_TRUE(dataplane.drain([&](const gw_event& event) { events.push_back(event); }));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].action, GW_ACTION_DENY);
  EXPECT_EQ(events[0].reason, GW_REASON_RULE);
  EXPECT_EQ(events[0].rule, 2U);
  EXPECT_EQ(events[0].client, 1U);
  EXPECT_EQ(events[0].ifindex, index_of(Device::vpn));
  EXPECT_EQ(events[0].length, 40U);
  EXPECT_EQ(bpf::from_addr(events[0].tuple.dst), address(kDataV4));
  EXPECT_EQ(events[0].tuple.dport, __builtin_bswap16(5432));

  const Bytes denied = (ipv4(kAliceV4, kWebV4) / tcp(23)).layer3();
  for (int i = 0; i < 20000; ++i) policy->run_fast(denied, {});
  events.clear();
  ASSERT_TRUE(dataplane.drain([&](const gw_event& event) { events.push_back(event); }));
  EXPECT_GT(events.size(), 10U);
  EXPECT_LT(events.size(), 5000U) << "sampled";
}

TEST(Dataplane, ExplainsByTheSameRulesAndLeavesNoTrace) {
  auto* const policy = LoadedPolicy::standard();
  gw_tuple tuple{};
  tuple.src = bpf::to_addr(address(kAliceV4));
  tuple.dst = bpf::to_addr(address(kWebV4));
  tuple.proto = 6;
  tuple.dport = __builtin_bswap16(22);
  const auto& dataplane = policy->dataplane();
  const gw_explanation told = dataplane.explain(tuple, index_of(Device::vpn)).value();
  EXPECT_EQ(told.action, GW_ACTION_ALLOW);
  EXPECT_EQ(told.rule, 1U);
  EXPECT_EQ(told.src_class, kAlice);
  EXPECT_EQ(told.dst_class, kWeb);
  EXPECT_EQ(dataplane.explain(tuple, index_of(Device::web))->reason, GW_REASON_SOURCE);
  EXPECT_EQ(dataplane.explain(tuple, index_of(Device::stray))->reason, GW_REASON_NO_LINK);
  EXPECT_EQ(policy->flows(), 0U);
  EXPECT_EQ(dataplane.rule_counter(1)->packets, 0U);
}

TEST(DataplaneOpen, TellsToMountABpfFileSystem) {
  const TempDir plain;
  const auto refused = bpf::Dataplane::open(plain / "default/abi-1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOTSUP);
  EXPECT_NE(refused.error().message().find("mount -t bpf bpf " + plain.path()), std::string::npos)
      << refused.error().message();
  EXPECT_FALSE(std::filesystem::exists(plain / "default"));
}

TEST(DataplaneOpen, RefusesAPinOfAnotherLayout) {
  const LoadedPolicy fresh;
  const std::string pin = fresh.directory() + "/gw_links";
  ASSERT_EQ(::unlink(pin.c_str()), 0);
  const UniqueFd other(bpf_map_create(BPF_MAP_TYPE_HASH, "gw_links", 4, 16, 7, nullptr));
  ASSERT_EQ(bpf_obj_pin(other.get(), pin.c_str()), 0);
  const auto refused = bpf::Dataplane::open(fresh.directory());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EINVAL);
  EXPECT_NE(refused.error().message().find("another layout is in the way"), std::string::npos)
      << refused.error().message();
}

/// Runs `body` in a child that is user 65534 with exactly `capabilities`; its exit code.
int as_user_with(std::initializer_list<unsigned> capabilities, const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    for (const unsigned capability : capabilities) {
      data[capability / 32].permitted |= 1U << (capability % 32);
      data[capability / 32].effective |= 1U << (capability % 32);
    }
    if (::prctl(PR_SET_KEEPCAPS, 1) != 0 || ::setresgid(65534, 65534, 65534) != 0 ||
        ::setresuid(65534, 65534, 65534) != 0 || ::syscall(SYS_capset, &header, data) != 0)
      ::_exit(100);
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

/// A directory on the bpffs that user 65534 owns.
std::string users_directory(const LoadedPolicy& beside) {
  const std::string out = std::filesystem::path(beside.directory()).parent_path() / "user";
  std::filesystem::create_directory(out);
  EXPECT_EQ(::chown(out.c_str(), 65534, 65534), 0);
  for (auto parent = std::filesystem::path(out).parent_path(); parent != "/tmp"; parent = parent.parent_path())
    EXPECT_EQ(::chmod(parent.c_str(), 0711), 0);
  return out;
}

TEST(DataplaneOpen, NeedsExactlyThreeCapabilitiesAndNoRoot) {
  const LoadedPolicy beside;
  const std::string directory = users_directory(beside);
  const int status = as_user_with({CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON}, [&] {
    auto opened = bpf::Dataplane::open(directory + "/abi");
    if (!opened) std::cerr << opened.error().message() << "\n";
    if (!opened || !opened->install(standard_image(), standard_hosts())) return 1;
    const uint32_t web = index_of(Device::web);
    if (!opened->put_link(web, {kWebLink, 0, {}}) || !opened->attach({web, bpf::Hook::subnet_ingress})) return 2;
    if (opened->attachments(web).value_or(std::vector<bpf::Attachment>{}).size() != 1) return 3;
    auto again = bpf::Dataplane::open(directory + "/abi");
    if (!again || again->attachments(web).value_or(std::vector<bpf::Attachment>{}).size() != 1) return 4;
    return again->detach({web, bpf::Hook::subnet_ingress}) ? 0 : 5;
  });
  EXPECT_EQ(status, 0);
}

TEST(DataplaneOpen, TellsWhichCapabilitiesAreMissing) {
  const LoadedPolicy beside;
  const std::string directory = users_directory(beside);
  const int status = as_user_with({CAP_NET_ADMIN}, [&] {
    const auto refused = bpf::Dataplane::open(directory + "/abi");
    if (refused || refused.error().code != EPERM) return 1;
    return refused.error().message().find("CAP_BPF, CAP_PERFMON") != std::string::npos ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace gw::test
