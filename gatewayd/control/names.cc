// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/names.h"

#include <fmt/core.h>

#include <cerrno>

#include "gatewayd/control/gateway.h"

/// Names of hosts and clients, which another process serves.
namespace gw::control {

Result<void> GatewayController::write_names() {
  const plan::Intent* intent = parts_.reconciler.intent();
  if (intent == nullptr || options_.run_directory.empty()) return {};
  std::vector<names::Entry> clients;
  if (intent->config.vpn.dns) {
    clients.reserve(intent->clients.size());
    for (const auto& [number, client] : intent->clients) clients.push_back({client.name, client.addresses});
  }
  return names_.put(intent->config, clients);
}

// Whoever was given a profile asks the gateway, and finds nothing at all when nobody answers there.
void GatewayController::add_name_warnings(Status& out) {
  const config::Config* config = applied();
  if (config == nullptr || !config->vpn.dns || !options_.ask_for_name) return;
  const std::string name = names::full_name(*config, std::string(config::kGatewayLabel));
  for (const IpAddress& server : names::served_at(*config)) {
    const auto asked = options_.ask_for_name(server, name);
    if (asked) continue;
    out.warnings.push_back(fmt::format(
        "names of {} are not served at {}: {}; see journalctl -u gatewayd-names", config->vpn.dns->domain, server.str(),
        asked.error().code == ECONNREFUSED ? "nobody listens on port 53" : asked.error().message()));
    return;  // one is enough to go and look
  }
}

}  // namespace gw::control
