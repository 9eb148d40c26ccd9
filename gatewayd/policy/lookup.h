// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "bpf/image.h"
#include "gatewayd/base/ip.h"

/// The lookups that the programs do on the maps, done in user space on the image: for tests and for explaining a
/// verdict. Pure, any thread.
namespace gw::policy {

/// What the tables know of an address.
struct Place {
  uint32_t class_id = GW_CLASS_NONE;
  uint32_t link = 0;   ///< gw_prefix.link; 0 for an exact host
  uint32_t flags = 0;  ///< GW_PREFIX_* of the longest prefix; 0 for an exact host
  bool host = false;   ///< found in `hosts`

  bool operator==(const Place&) const = default;
};

/// Exact addresses first, then the longest prefix: gw_hosts and the slot's LPM trie.
Place classify(const bpf::PolicyImage& image, const std::map<IpAddress, uint32_t>& host_classes,
               const IpAddress& address);

/// The leaf *ref* (GW_REF_*) for a new flow between two classes. `key` is the destination port, ICMP type << 8 | code
/// or the protocol number. GW_CLASS_NONE on either side is the default rule.
uint32_t decide(const bpf::PolicyImage& image, uint32_t src_class, uint32_t dst_class, gw_kind kind, uint16_t key);

/// Whether a flow that is allowed has its source masqueraded.
bool masquerades(const bpf::PolicyImage& image, const Place& source, const Place& destination);

}  // namespace gw::policy
