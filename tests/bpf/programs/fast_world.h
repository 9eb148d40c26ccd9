// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/bpf/programs/world.h"

/// What the fast path needs beside a policy: routes and neighbours in the kernel, and interfaces that take part. A test
/// run lets frames arrive on lo, so that lo is the card of two VLANs, 20 (web) and 30 (data).
namespace gw::test {

inline constexpr uint32_t kCard = 1;  ///< lo
inline constexpr uint16_t kWebTag = 20;
inline constexpr uint16_t kDataTag = 30;
inline constexpr uint16_t kMtu = 1400;  ///< of data
inline constexpr const char* kDataV6 = "fd10:1:2::7";

/// `ip WORDS` in this namespace; throws when it fails.
void must_ip(const std::string& words_of_it);
/// The hosts web and data (kWebV4, kWebV6, kDataV4, kDataV6) become neighbours, 02:00:00:00:01:07 and …:02:07.
void make_routes();
void remove_routes();

void give_tags(const LoadedPolicy& policy);
void take_tags(const LoadedPolicy& policy);
/// Lets the device take part; frames leave by it with `tag`, by the card, or without one (0).
void put_fast_link(const LoadedPolicy& policy, Device device, uint16_t tag,
                   uint32_t flags = GW_LINK_FAST | GW_LINK_FAST_OUT);

struct Outcome {
  uint32_t verdict = 0;  ///< XDP_PASS …
  Bytes frame;           ///< as the program left it
  bool operator==(const Outcome&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& outcome);
Outcome run_xdp(int program, const Bytes& frame);

}  // namespace gw::test
