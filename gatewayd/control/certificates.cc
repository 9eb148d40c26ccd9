// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/message_id.h"

/// Certificates: what was issued, what was revoked, and who says so.
namespace gw::control {
namespace {

constexpr UnixSeconds kCrlLife = UnixSeconds{7} * 86400;  // those who read it fetch it again within this
constexpr UnixSeconds kCrlAge = UnixSeconds{1} * 86400;   // then it is signed anew, long before it ends

}  // namespace

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

// Signed anew when somebody was revoked since, and every day.
Result<std::string> GatewayController::crl_der() {
  const auto state = parts_.registry.revocation_state();
  if (!state) return std::unexpected(state.error());
  if (crl_ && crl_->state == *state && now() - crl_->made < kCrlAge) return crl_->der;
  auto der = make_crl();
  if (der) crl_ = RevocationList{*der, now(), *state};
  return der;
}

Result<std::string> GatewayController::make_crl() {
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  const auto all = parts_.registry.certificates();
  if (!all) return std::unexpected(all.error());
  std::vector<pki::RevokedCertificate> revoked;
  for (const registry::Certificate& certificate : *all) {
    if (certificate.revoked_at != 0) {
      revoked.push_back({certificate.serial, certificate.revoked_at, certificate.reason});
    }
  }
  const auto number = parts_.registry.next_crl_number();
  if (!number) return std::unexpected(number.error());
  const UnixSeconds at = now();
  return (*authority)->make_crl(revoked, *number, at, at + kCrlLife);
}

Result<std::pair<pki::Certificate, pki::Certificate>> GatewayController::authority() {
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  return std::pair((*authority)->root(), (*authority)->issuing());
}

}  // namespace gw::control
