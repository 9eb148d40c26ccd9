// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include "netlink/wguapi.h"

// Any bytes are read or refused; what was read is within its ranges, and what would be written for it says so.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gw::nl;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_uapi_set(text);
  const auto read = parse_uapi_get(text);
  if (!read) return 0;
  if (!is_whole_uapi_answer(text) || read->device.peers.size() != read->device.states.size()) std::abort();
  WgChange change;
  change.set = read->device.peers;
  for (const auto& [key, peer] : change.set) {
    for (const auto& prefix : peer.allowed_ips) {
      if (gw::Prefix::of(prefix.address, prefix.length) != prefix) std::abort();
    }
  }
  std::string written;
  write_uapi_set(change, [&](std::string_view piece) { written += piece; });
  if (!written.ends_with("\n\n")) std::abort();
  return 0;
}
