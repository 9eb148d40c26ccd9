// SPDX-License-Identifier: Apache-2.0
// Random conversations, packet by packet, on the loaded programs and in the model: TCP from its opening to its end,
// fragments, ICMP errors, time that goes by, and policies that are swapped in the middle.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstdlib>
#include <iostream>
#include <random>
#include <sstream>

#include "bpf/reasons.h"
#include "tests/bpf/programs/model_standard.h"
#include "tests/bpf/programs/world.h"

namespace gw::test {
namespace {

constexpr int kSequences = 2000;
constexpr int kSteps = 25;
constexpr uint64_t kSecond = 1'000'000'000;
constexpr double kMargin = 5;  // seconds about an end in which the test's own running time would decide

using Random = std::mt19937_64;
size_t below(Random& random, size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }
bool chance(Random& random, unsigned percent) { return below(random, 100) < percent; }
template <class Container>
auto pick(Random& random, const Container& from) {
  return *std::next(std::begin(from), static_cast<ptrdiff_t>(below(random, std::size(from))));
}

constexpr std::array kHosts4 = {kAliceV4,   kBobV4,    kWebV4,        "10.1.1.8",     kDataV4,
                                kGatewayV4, "8.8.8.8", "203.0.113.5", "172.16.201.99"};
constexpr std::array kHosts6 = {kAliceV6, kWebV6, "fd10:1:1::8", "2a00::1"};
constexpr std::array<uint16_t, 6> kPorts = {22, 53, 443, 80, 5432, 40000};
constexpr std::array<uint8_t, 9> kFlags = {kSyn,        kSyn | kAck, kAck,        kAck,       kAck,
                                           kFin | kAck, kRst,        kRst | kAck, kSyn | kFin};
constexpr std::array<uint64_t, 5> kWaits = {13, 47, 71, 150, 200};

/// A conversation that some of the rules allow more often than chance would.
Packet random_packet(Random& random) {
  const bool six = chance(random, 30);
  const auto host = [&] { return six ? pick(random, kHosts6) : pick(random, kHosts4); };
  const char* from = chance(random, 60) ? (six ? kAliceV6 : kAliceV4) : host();
  const char* to = chance(random, 60) ? (six ? kWebV6 : kWebV4) : host();
  const IpHeader ip = six ? ipv6(from, to) : ipv4(from, to);
  const uint16_t port = pick(random, kPorts);
  switch (below(random, 10)) {
    case 0:
    case 1:
      return ip / udp(53).carrying(Bytes(120));
    case 2: {
      constexpr std::array<uint8_t, 5> kTypes4 = {8, 0, 13, 14, 3};
      constexpr std::array<uint8_t, 4> kTypes6 = {128, 129, 1, 2};
      const uint8_t type = six ? pick(random, kTypes6) : pick(random, kTypes4);
      return ip / icmp(type, 0, static_cast<uint16_t>(below(random, 2))).carrying(Bytes(80));
    }
    case 3:
      return ip / protocol(47).carrying(Bytes(48));
    case 4:
      return ip / udp(port).from(pick(random, kPorts)).carrying(Bytes(40));
    default:
      return ip / tcp(chance(random, 70) ? 22 : port).carrying(Bytes(60)).with(kSyn);
  }
}

/// The next packet: of an old conversation, in either direction, or one about it, or of a new one.
Packet next_packet(Random& random, std::vector<Packet>& known) {
  if (known.empty() || chance(random, 25)) known.push_back(random_packet(random));
  Packet packet = pick(random, known);
  const bool back = chance(random, 45);
  if (packet.transport.protocol == IPPROTO_TCP) packet = packet.with(chance(random, 25) ? kSyn : pick(random, kFlags));
  if (back) packet = packet.reply(chance(random, 25) ? kSyn | kAck : pick(random, kFlags));
  if (chance(random, 15)) {
    const bool six = packet.ip.source.family == Family::v6;
    constexpr std::array kRouters4 = {"10.1.1.254", "192.0.2.99", kBobV4, kWebV4, kAliceV4, kGatewayV4, "127.0.0.1"};
    constexpr std::array kRouters6 = {"fd10:1:1::fe", "2001:db8::1", kWebV6, kAliceV6, "ff02::1"};
    return six ? icmp_error(pick(random, kRouters6), packet, static_cast<uint8_t>(1 + below(random, 4)), 0)
               : icmp_error(pick(random, kRouters4), packet, chance(random, 80) ? 3 : 11, 1);
  }
  if (chance(random, 25)) {
    const auto id = static_cast<uint32_t>(below(random, 2));
    const size_t at = chance(random, 90) ? 24 : 8;
    return chance(random, 50) ? packet.piece(0, at, id) : packet.piece(at, 40, id);
  }
  return packet;
}

Entry random_entry(Random& random, const Packet& packet) {
  const std::string source = packet.ip.source.str();
  Device right = Device::uplink;
  if (source.starts_with("172.16.201") || source.starts_with("fd6d:")) right = Device::vpn;
  if (source.starts_with("10.1.1.") || source.starts_with("fd10:")) right = Device::web;
  if (source.starts_with("10.1.2.")) right = Device::data;
  if (chance(random, 15)) return {.hook = bpf::Hook::vpn_egress, .device = Device::vpn, .entered = right};
  constexpr std::array kAll = {Device::vpn, Device::web, Device::data, Device::uplink, Device::stray};
  if (chance(random, 8)) right = pick(random, kAll);
  return {.hook = right == Device::vpn ? bpf::Hook::vpn_ingress : bpf::Hook::subnet_ingress, .device = right};
}

/// Both worlds, and what has happened in them.
class Conversation {
 public:
  explicit Conversation(uint64_t seed) : random_(seed) { log_ << "GW_SEED=" << seed << "\n"; }

  void step(std::map<std::string, int>& seen) {
    if (waits_ && chance(random_, 10)) return wait();
    if (swaps_ && chance(random_, 10)) return swap();
    const bool goes_on = first_piece_ && chance(random_, 70);  // with a later piece of the same datagram
    Packet packet = goes_on ? *first_piece_ : next_packet(random_, known_);
    if (goes_on) packet.cut = Piece{.from = packet.cut->to, .to = 40, .more = false, .id = packet.cut->id};
    Bytes bytes = packet.layer3();
    if (chance(random_, 4)) bytes.at(below(random_, bytes.size())) ^= static_cast<uint8_t>(1U << below(random_, 8));
    const Entry where = goes_on ? entered_ : random_entry(random_, packet);
    if (where.hook == bpf::Hook::subnet_ingress) bytes = framed(bytes, {0});
    const Verdict expected = gateway_.see(bytes, where);
    const Verdict actual = program_->run(bytes, where);
    first_piece_.reset();
    if (packet.cut && packet.cut->from == 0) first_piece_ = packet, entered_ = where;
    log_ << static_cast<int>(where.hook) << " on device " << static_cast<int>(where.device) << ": "
         << packet.ip.source.str() << " -> " << packet.ip.destination.str() << " protocol "
         << int{packet.transport.protocol} << " " << packet.transport.sport << " -> " << packet.transport.dport
         << " flags " << int{packet.transport.flags} << (packet.cut ? " piece" : "") << ": " << actual << "\n";
    ASSERT_EQ(actual, expected) << log_.str();
    seen[expected.passed ? expected.mark == 0 ? "unmarked" : "marked"
                         : std::string(bpf::kReasonTexts.at(expected.reason))]++;
    if (expected.mark != 0 && packet.transport.protocol == IPPROTO_ICMP && !packet.transport.payload.empty() &&
        packet.transport.payload[0] != 0)
      seen["errors carried"]++;
    if (expected.mark != 0 && packet.cut && packet.cut->from != 0) seen["later fragments carried"]++;
  }

 private:
  /// Time goes by for the programs when everything they remember gets older.
  void wait() {
    const uint64_t seconds = pick(random_, kWaits);
    if (gateway_.close_to_an_end(static_cast<double>(seconds), kMargin)) return;
    gateway_.wait(static_cast<double>(seconds));
    program_->edit_flows([&](gw_flow& flow) { flow.last_seen_ns -= seconds * kSecond; });
    program_->edit_fragments([&](gw_fragment& piece) { piece.time_ns -= seconds * kSecond; });
    log_ << "after " << seconds << " s\n";
  }

  void swap() {
    ssh_ = !ssh_;
    ImageBuilder rules = standard_rules();
    if (!ssh_) rules.rule(kAlice, kWeb, GW_KIND_TCP, 22, kNoRule);
    program_->install(rules.build("swapped"), standard_hosts());
    gateway_.swap(model::standard_policy(ssh_));
    log_ << "swapped, ssh " << ssh_ << "\n";
  }

  Random random_;
  LoadedPolicy* program_ = [] {
    auto* const out = LoadedPolicy::standard();
    out->edit_state([](gw_state& state) { state.flow_rate = 0; });
    return out;
  }();
  model::Gateway gateway_ = model::standard_gateway();
  std::vector<Packet> known_;
  std::optional<Packet> first_piece_;
  Entry entered_;
  bool ssh_ = true;
  // Both take the programs milliseconds: only some conversations have them.
  bool waits_ = chance(random_, 25);
  bool swaps_ = chance(random_, 4);
  std::ostringstream log_;
};

TEST(Sequences, OfRandomPacketsAreJudgedAsTheModelJudgesThem) {
  const char* given = std::getenv("GW_SEED");
  const uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
  const int count = given != nullptr ? 1 : kSequences;
  std::cout << "seeds from " << first << "; GW_SEED=N runs one\n";
  std::map<std::string, int> seen;
  for (int i = 0; i < count && !HasFailure(); ++i) {
    Conversation run(first + static_cast<uint64_t>(i));
    for (int step = 0; step < kSteps && !HasFailure(); ++step) run.step(seen);
  }
  for (const auto& [what, times] : seen) std::cout << times << " " << what << "\n";
  if (given != nullptr || HasFailure()) return;
  for (const char* what : {"marked", "unmarked", "errors carried", "later fragments carried"})
    EXPECT_GT(seen[what], 100) << what;
}

}  // namespace
}  // namespace gw::test
