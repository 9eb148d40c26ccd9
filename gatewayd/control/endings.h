// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gatewayd/base/clock.h"

/// What ends soon, said in time. Pure.
namespace gw::control {

/// Something that ends at the given second, and what is to be done about it.
struct Ending {
  std::string what;      ///< "the certificate of client bob"
  UnixSeconds at = 0;    ///< the first second without it
  UnixSeconds life = 0;  ///< how long it lasts in all
  std::string remedy;    ///< "gwctl client renew bob"
};

/// How urgent an end is that is `left` seconds away of `life`: 0 not yet, then 30, 7 and 1, the days it is within. Only
/// days that are at most a third of the life count: a connector renews then, and nobody has to do anything before.
uint32_t urgency(UnixSeconds left, UnixSeconds life);

/// "the certificate of client bob ends in 6 days (2026-11-29 18:04:17 UTC): gwctl client renew bob"
std::string sentence(const Ending& ending, UnixSeconds now);

/// A sentence each for the first ten of `soon`, and how many more there are. `soon` is in the order of time.
std::vector<std::string> sentences(const std::vector<Ending>& soon, UnixSeconds now);

/// Says each end once at 30, 7 and 1 days before it.
class EndingWatch {
 public:
  /// Of `soon`, those that are more urgent than when they were told last. A thing that is renewed is forgotten.
  std::vector<Ending> news(const std::vector<Ending>& soon, UnixSeconds now);

 private:
  struct Told {
    std::string what;
    UnixSeconds at = 0;
    uint32_t urgency = 0;
  };
  std::vector<Told> told_;  // sorted by what
};

}  // namespace gw::control
