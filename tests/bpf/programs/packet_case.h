// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/bpf/programs/world.h"

/// Tables of packets. A row is a test of its own: `{description, what was before, the packet, the verdict}`, run on the
/// loaded programs in a world without flows; the reason that is counted is part of the verdict.
namespace gw::test {

/// Where a packet is seen: by which program, on which device.
enum class Side {
  tunnel,  ///< vpn_ingress; in the wired world subnet_ingress of alice's device
  web,     ///< subnet_ingress
  data,
  uplink,
  to_tunnel,  ///< vpn_egress, what came in from web
};

struct Sent {
  Side side = Side::tunnel;
  Packet packet;
  std::vector<uint16_t> tags = {};              ///< Ethernet: 802.1Q tags in the bytes, outermost first
  uint32_t segments = 0;                        ///< GSO
  std::optional<uint16_t> type = std::nullopt;  ///< Ethernet: another EtherType than the packet's
  uint64_t after_s = 0;                         ///< seconds that all flows have been idle before

  [[nodiscard]] Sent later(uint64_t seconds) const;
  [[nodiscard]] Sent typed(uint16_t ether_type) const;
  [[nodiscard]] Sent tagged(std::vector<uint16_t> vids) const;
  [[nodiscard]] Sent superpacket(uint32_t count) const;
};
Sent from_tunnel(const Packet& packet);
Sent from_web(const Packet& packet);
Sent from_data(const Packet& packet);
Sent from_uplink(const Packet& packet);
Sent to_tunnel(const Packet& packet);

struct PacketCase {
  std::string description;
  std::vector<Sent> before;  ///< each of them passes
  Sent sent;
  Verdict verdict;
};

/// A row and the world that it is run in.
struct TableRow {
  PacketCase row;
  bool wired = false;                   ///< LoadedPolicy::wired(), so by the Ethernet entry; else standard()
  std::vector<std::string> rules = {};  ///< LoadedPolicy::with_rules instead
};

/// Each row twice: out of the tunnel, and from an Ethernet device. Rows with a packet on its way into the tunnel, which
/// only the first world has, once.
std::vector<TableRow> in_both_worlds(const std::vector<PacketCase>& table);
/// Each row once, in the standard world.
std::vector<TableRow> in_standard_world(const std::vector<PacketCase>& table);
/// Each row once, with these rules.
std::vector<TableRow> under(const std::vector<std::string>& rules, const std::vector<PacketCase>& table);
/// The description as a test's name.
std::string row_name(const testing::TestParamInfo<TableRow>& info);
void PrintTo(const TableRow& row, std::ostream* out);

/// INSTANTIATE_TEST_SUITE_P(Concern, PacketTable, testing::ValuesIn(in_both_worlds(kTable)), row_name);
class PacketTable : public testing::TestWithParam<TableRow> {
 protected:
  void check();

 private:
  Verdict send(const Sent& sent);
  LoadedPolicy* policy_ = nullptr;
};

}  // namespace gw::test
