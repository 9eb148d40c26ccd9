// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "gatewayd/config/edit.h"
#include "gatewayd/config/load.h"

/// Any bytes as gateway.yaml and as the drop-in of gwctl: no crash, no hang, and an edit of what loads leaves something
/// that loads and goes back to the same meaning.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using gw::config::Files;
  static const std::string kBase =
      "gateway: {public: {interface: eth0}}\n"
      "vpn: {subnets: [172.16.201.0/24]}\n";
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)gw::config::load({{"gateway.yaml", text}});

  const Files files{{"gateway.yaml", kBase}, {gw::config::kDropIn, text}};
  const gw::config::Loaded before = gw::config::load(files);
  if (!before.ok()) return 0;
  const std::string name = "added-by-the-fuzzer";
  const auto added = gw::config::add_group(files, name, {});
  if (!added) return before.config.groups.contains(name) ? 0 : (std::abort(), 0);
  const auto removed = gw::config::remove_group(*added, name);
  if (!removed) std::abort();
  const gw::config::Loaded after = gw::config::load(*removed);
  const bool same = after.ok() && after.config.public_side == before.config.public_side &&
                    after.config.services == before.config.services &&
                    after.config.address_space == before.config.address_space &&
                    after.config.rules.size() == before.config.rules.size() &&
                    after.config.subnets.size() == before.config.subnets.size() &&
                    after.config.groups.size() == before.config.groups.size();
  if (!same) std::abort();
  return 0;
}
