// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/message_id.h"

/// Certificates: what was issued, what was revoked, and who says so.
namespace gw::control {

Result<std::vector<registry::Certificate>> GatewayController::certificates() { return parts_.registry.certificates(); }

Result<registry::Certificate> GatewayController::certificate(const std::string& serial) {
  return parts_.registry.certificate(serial);
}

Result<void> GatewayController::revoke_certificate(const std::string& serial, const std::string& reason,
                                                   const Who& who) {
  const auto certificate = parts_.registry.certificate(serial);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto revoked = parts_.registry.revoke_certificate(serial, reason, who, now()); !revoked) return revoked;
  tell(
      "certificate " + certificate->serial + " of client " + certificate->client + " revoked by " + who + ": " + reason,
      message_id::kClientChanged);
  // An old certificate takes no access away: the newest one of the current key decides.
  const auto client = parts_.registry.client(certificate->client);
  if (!client || client->has_access(now())) return {};
  return take_access(*client, "revoke certificate");
}

}  // namespace gw::control
