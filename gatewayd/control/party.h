// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "gatewayd/config/config.h"
#include "gatewayd/plan/plan.h"
#include "gatewayd/registry/registry.h"

/// One side of a question to `explain`: what an operator wrote, as addresses that stand for it.
namespace gw::control {

/// What is known when the question is asked. Borrowed.
struct World {
  const plan::Intent& intent;
  const std::vector<registry::Client>& clients;  ///< all, also those without access
  UnixSeconds now = 0;
};

struct Party {
  std::string said;                  ///< as understood: "client alice (172.16.201.4)" is made from this and the address
  std::vector<IpAddress> addresses;  ///< IPv4 first; one of a family stands for the whole
  std::string
      without_access;  ///< why packets of or to this client are dropped whatever the rules say; empty: they are not
  bool gateway = false;
};

/// `text`: a zone selector, a client's name or an address. EINVAL: none of these; ENOENT: nothing has this name, or
/// nobody is in it.
Result<Party> find_party(const std::string& text, const World& world);

/// An address of the gateway itself.
bool is_gateway(const IpAddress& address, const plan::Intent& intent);

/// The device on which packets from `address` arrive.
std::string arrival_device(const IpAddress& address, const World& world);

}  // namespace gw::control
