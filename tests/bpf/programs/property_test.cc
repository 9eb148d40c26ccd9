// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <iostream>
#include <set>
#include <tuple>

#include "gatewayd/policy/compile.h"
#include "gatewayd/policy/reference.h"
#include "tests/bpf/programs/world.h"
#include "tests/support/policy_generator.h"

namespace gw::test {
namespace {

using config::Action;
using config::Service;

constexpr uint64_t kPolicies = 80;
constexpr int kPacketsEach = 60;

const std::map<std::string, Device> kDeviceOf = {
    {"eth0", Device::uplink}, {"eth1", Device::web}, {"eth1.20", Device::data}, {"eth2", Device::stray}};

/// A random policy, compiled and installed, beside what the reference evaluator needs to judge the same packets.
struct Installed {
  LoadedPolicy* program = nullptr;
  PolicyCase policy;
  policy::Interner interner;

  [[nodiscard]] const policy::HostFacts* host(const IpAddress& address) const;
  /// Where packets from `source` come in, told by the configuration alone; nullopt: nowhere.
  [[nodiscard]] std::optional<Device> device_of(const IpAddress& source) const;
};

const policy::HostFacts* Installed::host(const IpAddress& address) const {
  for (const policy::HostFacts& facts : policy.hosts) {
    if (facts.address == address) return &facts;
  }
  return nullptr;
}

std::optional<Device> Installed::device_of(const IpAddress& source) const {
  if (const auto* facts = host(source)) return facts->client.empty() ? std::nullopt : std::optional(Device::vpn);
  for (const auto& [name, site] : policy.config.sites) {
    for (const Prefix& prefix : site.prefixes) {
      if (prefix.contains(source)) return Device::vpn;
    }
  }
  for (const auto& [name, subnet] : policy.config.subnets) {
    for (const Prefix& prefix : subnet.prefixes) {
      if (prefix.contains(source)) return kDeviceOf.at(subnet.device());
    }
  }
  return std::nullopt;
}

void install(Installed& out, Random& random) {
  out.program = LoadedPolicy::standard();
  out.program->edit_state([](gw_state& state) { state.flow_rate = 0; });
  out.policy = random_policy(random);
  const auto compiled = policy::compile(out.policy.config, out.policy.hosts, out.interner);
  ASSERT_TRUE(compiled) << compiled.error().message();
  bpf::Hosts hosts;
  for (const policy::HostFacts& facts : out.policy.hosts) {
    const bool gateway = facts.client.empty();
    hosts[facts.address] = {compiled->class_of(facts).value(), gateway ? 0U : 1U,
                            gateway ? GW_HOST_GATEWAY : GW_HOST_CLIENT};
  }
  for (const auto& [name, id] : policy::link_ids(out.policy.config, out.interner)) {
    if (!kDeviceOf.contains(name)) continue;
    const Device device = kDeviceOf.at(name);
    const uint32_t flags = device == Device::uplink ? GW_LINK_PUBLIC : 0;
    ASSERT_TRUE(out.program->dataplane().put_link(index_of(device), {id, flags, {}}));
  }
  out.program->install(compiled->image, hosts);
}

Packet real_packet(const policy::Packet& packet, uint16_t port) {
  Transport transport;
  if (packet.kind == Service::Kind::tcp) transport = tcp(packet.key).from(port);
  if (packet.kind == Service::Kind::udp) transport = udp(packet.key).from(port);
  if (packet.kind == Service::Kind::icmp)
    transport = icmp(static_cast<uint8_t>(packet.key >> 8U), static_cast<uint8_t>(packet.key), port);
  if (packet.kind == Service::Kind::protocol) transport = protocol(static_cast<uint8_t>(packet.key));
  return {.ip = {packet.source, packet.destination}, .transport = transport, .extensions = {}};
}

gw_tuple tuple_of(const Packet& packet) {
  gw_tuple out{};
  out.src = bpf::to_addr(packet.ip.source);
  out.dst = bpf::to_addr(packet.ip.destination);
  out.proto = packet.transport.protocol;
  if (out.proto == IPPROTO_ICMP && packet.ip.source.family == Family::v6) out.proto = IPPROTO_ICMPV6;
  out.sport = htons(packet.transport.sport);
  out.dport = htons(packet.transport.dport);
  return out;
}

/// What the parser settles before any rule, or what is no packet at all: not a matter of policy.
bool outside_the_rules(const policy::Packet& packet) {
  if (packet.source == packet.destination) return true;
  static const std::set<uint16_t> kExtensions = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_DSTOPTS};
  if (packet.kind == Service::Kind::protocol && packet.key > 0xff) return true;  // no such number in a header
  const auto& to = packet.destination.bytes;
  if (packet.destination.family == Family::v4) return to[0] >= 224;
  if (packet.kind == Service::Kind::protocol && kExtensions.contains(packet.key)) return true;
  return to[0] == 0xff || (to[0] == 0xfe && (to[1] & 0xc0U) == 0x80);
}

/// Whether `actual` is what has to follow from the rules' verdict on a packet from the right interface.
bool agrees(const policy::Verdict& expected, bool to_gateway, const Verdict& actual) {
  if (expected.action == Action::allow) return actual == (expected.nat || to_gateway ? kTracked : kAllowed);
  if (expected.action == Action::reject) return actual.passed && actual.mark == GW_MARK_REJECT;
  if (to_gateway && expected.rule.empty()) return actual.mark == 0;
  return !actual.passed;
}

Verdict run(const Installed& world, const Packet& packet, Device device) {
  if (device == Device::vpn) return world.program->run_fast(packet.layer3(), {});
  return world.program->run_fast(packet.ethernet(), {.hook = bpf::Hook::subnet_ingress, .device = device});
}

/// The kernel takes bytes 12 and 13 of a test packet for an EtherType, and refuses what then is no whole IP packet.
bool cannot_be_run(const Packet& packet) {
  const Bytes bytes = packet.layer3();
  return (bytes[12] == 0x08 && bytes[13] == 0x00) || (bytes[12] == 0x86 && bytes[13] == 0xdd);
}

/// The explain program is asked without an interface: the rules alone.
void compare_explanation(const Installed& world, const Packet& packet, const policy::Verdict& expected,
                         const std::string& context) {
  const auto told = world.program->dataplane().explain(tuple_of(packet), 0);
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(told->action, static_cast<uint32_t>(expected.action)) << context;
  EXPECT_EQ(world.interner.rule_name(told->rule).value_or(""), expected.rule) << context;
  EXPECT_EQ(told->action == GW_ACTION_ALLOW && (told->flags & GW_FLOW_NAT) != 0, expected.nat) << context;
}

void compare_packets(uint64_t seed, std::map<std::string, int>& seen) {
  Random random(seed);
  Installed world;
  ASSERT_NO_FATAL_FAILURE(install(world, random));
  std::set<std::tuple<IpAddress, IpAddress, uint16_t>> portless;  // flows without ports, which their replies share
  for (int i = 0; i < kPacketsEach; ++i) {
    const policy::Packet asked = random_packet(random, world.policy);
    if (outside_the_rules(asked) || portless.contains({asked.destination, asked.source, asked.key})) continue;
    const policy::Verdict expected = policy::evaluate(world.policy.config, world.policy.hosts, asked);
    const Packet packet = real_packet(asked, static_cast<uint16_t>(10000 + i));
    const std::string context = "seed " + std::to_string(seed) + ", packet " + std::to_string(i) + ": " +
                                describe(asked) + "\nreference: " + describe(expected) + "\n" + world.policy.str();
    compare_explanation(world, packet, expected, context);
    const auto* to = world.host(asked.destination);
    const bool to_gateway = to != nullptr && to->client.empty();
    const auto right = world.device_of(asked.source);
    for (const Device device : {Device::vpn, Device::web, Device::data, Device::uplink, Device::stray}) {
      if (device == right || (device == Device::vpn && cannot_be_run(packet))) continue;
      const Verdict actual = run(world, packet, device);
      ASSERT_EQ(actual.mark, 0U) << "from the wrong interface, " << context;
      ASSERT_TRUE(!actual.passed || (device == Device::uplink && to_gateway))
          << "from the wrong interface, " << context;
      seen["spoofed"]++;
    }
    if (!right) continue;
    const Verdict actual = run(world, packet, *right);
    ASSERT_TRUE(agrees(expected, to_gateway, actual)) << "program: " << actual << "\n" << context;
    seen[expected.action == Action::allow ? "allow" : expected.action == Action::reject ? "reject" : "deny"]++;
    if (expected.nat) seen["nat"]++;
    if (asked.kind == Service::Kind::protocol && actual.mark == GW_MARK_ALLOW)
      portless.emplace(asked.source, asked.destination, asked.key);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(ProgramProperty, TheLoadedProgramDecidesAsTheRulesAreWritten) {
  const uint64_t first = std::random_device{}();
  std::cout << "seeds " << first << " to " << first + kPolicies - 1 << "\n";
  std::map<std::string, int> seen;
  for (uint64_t seed = first; seed < first + kPolicies && !HasFailure(); ++seed) compare_packets(seed, seen);
  for (const char* what : {"allow", "deny", "reject", "nat", "spoofed"}) {
    std::cout << what << " " << seen[what] << "\n";
    EXPECT_GT(seen[what], 10) << what;
  }
}

}  // namespace
}  // namespace gw::test
