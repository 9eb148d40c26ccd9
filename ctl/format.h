// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gatewayd/base/clock.h"

/// Figures as people read them. Pure; `now` is passed in.
namespace gw::ctl {

std::string bytes(uint64_t count);      ///< "0 B", "999 B", "1.5 KiB", "12 MiB"
std::string duration(int64_t seconds);  ///< its largest unit: "45 s", "3 min", "5 h", "364 days", "20 years"
std::string ago(UnixSeconds now, UnixSeconds then);    ///< "3 min ago", "just now"; "never" for 0
std::string until(UnixSeconds now, UnixSeconds then);  ///< "in 364 days", "ended 2 days ago"; "never" for 0
std::string date(UnixSeconds when);                    ///< "2027-11-22 16:48:44 UTC"; "-" for 0
/// "1 client", "2 clients": `noun` takes an s.
std::string plural(uint64_t count, const std::string& noun);
/// Control characters, which could rewrite the terminal, as "?".
std::string printable(std::string_view text);

}  // namespace gw::ctl
