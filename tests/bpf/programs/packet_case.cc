// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/programs/packet_case.h"

#include <algorithm>
#include <cctype>

namespace gw::test {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
/// The kernel refuses to run a program on an Ethernet frame of type IP that is shorter than the header; behind a
/// priority tag it does not look.
constexpr size_t kShortest = 40;

Device device_of(Side side, bool wired) {
  switch (side) {
    case Side::tunnel:
      return wired ? Device::stray : Device::vpn;
    case Side::web:
      return Device::web;
    case Side::data:
      return Device::data;
    case Side::uplink:
      return Device::uplink;
    case Side::to_tunnel:
      return Device::vpn;
  }
  throw std::logic_error("no such side");
}

Entry entry_of(const Sent& sent, bool wired) {
  Entry out{.device = device_of(sent.side, wired), .segments = sent.segments};
  if (sent.side == Side::to_tunnel) {
    out.hook = bpf::Hook::vpn_egress;
    out.entered = Device::web;
  } else {
    out.hook = out.device == Device::vpn ? bpf::Hook::vpn_ingress : bpf::Hook::subnet_ingress;
  }
  return out;
}

bool leaves_by_tunnel(const PacketCase& row) {
  return row.sent.side == Side::to_tunnel ||
         std::ranges::any_of(row.before, [](const Sent& sent) { return sent.side == Side::to_tunnel; });
}

}  // namespace

Sent from_tunnel(const Packet& packet) { return {.side = Side::tunnel, .packet = packet}; }
Sent from_web(const Packet& packet) { return {.side = Side::web, .packet = packet}; }
Sent from_data(const Packet& packet) { return {.side = Side::data, .packet = packet}; }
Sent from_uplink(const Packet& packet) { return {.side = Side::uplink, .packet = packet}; }
Sent to_tunnel(const Packet& packet) { return {.side = Side::to_tunnel, .packet = packet}; }

Sent Sent::later(uint64_t seconds) const {
  Sent out = *this;
  out.after_s = seconds;
  return out;
}

Sent Sent::typed(uint16_t ether_type) const {
  Sent out = *this;
  out.type = ether_type;
  return out;
}

Sent Sent::tagged(std::vector<uint16_t> vids) const {
  Sent out = *this;
  out.tags = std::move(vids);
  return out;
}

Sent Sent::superpacket(uint32_t count) const {
  Sent out = *this;
  out.segments = count;
  return out;
}

std::vector<TableRow> in_both_worlds(const std::vector<PacketCase>& table) {
  std::vector<TableRow> out = in_standard_world(table);
  for (const PacketCase& row : table) {
    if (!leaves_by_tunnel(row)) out.push_back({row, true});
  }
  return out;
}

std::vector<TableRow> in_standard_world(const std::vector<PacketCase>& table) {
  std::vector<TableRow> out;
  out.reserve(table.size());
  for (const PacketCase& row : table) out.push_back({row, false});
  return out;
}

std::vector<TableRow> under(const std::vector<std::string>& rules, const std::vector<PacketCase>& table) {
  std::vector<TableRow> out;
  out.reserve(table.size());
  for (const PacketCase& row : table) out.push_back({row, false, rules});
  return out;
}

std::string row_name(const testing::TestParamInfo<TableRow>& info) {
  std::string out = info.param.wired ? "ethernet_" : "";
  for (const char c : info.param.row.description) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return out;
}

void PrintTo(const TableRow& row, std::ostream* out) {
  *out << (row.wired ? "from Ethernet: " : "") << row.row.description << " -> " << row.row.verdict;
}

Verdict PacketTable::send(const Sent& sent) {
  if (sent.after_s != 0) policy_->edit_flows([&](gw_flow& flow) { flow.last_seen_ns -= sent.after_s * kSecond; });
  const Entry where = entry_of(sent, GetParam().wired);
  const Bytes bytes = sent.packet.layer3();
  if (where.hook != bpf::Hook::subnet_ingress) return policy_->run(bytes, where);
  const bool too_short = bytes.size() < kShortest && sent.tags.empty();
  Bytes frame = framed(bytes, too_short ? std::vector<uint16_t>{0} : sent.tags);
  const size_t type = frame.size() - bytes.size() - 2;
  if (sent.type) frame.at(type) = static_cast<uint8_t>(*sent.type >> 8U), frame.at(type + 1) = *sent.type & 0xffU;
  return policy_->run(frame, where);
}

void PacketTable::check() {
  const auto& [row, wired, rules] = GetParam();
  if (!rules.empty())
    policy_ = LoadedPolicy::with_rules(rules);
  else
    policy_ = wired ? LoadedPolicy::wired() : LoadedPolicy::standard();
  int number = 0;
  for (const Sent& sent : row.before) {
    const Verdict verdict = send(sent);
    ASSERT_TRUE(verdict.passed) << "packet " << number << " before: " << verdict;
    ++number;
  }
  EXPECT_EQ(send(row.sent), row.verdict);
}

TEST_P(PacketTable, IsJudged) { check(); }

}  // namespace gw::test
