// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <cerrno>

#include "gatewayd/control/gateway.h"
#include "gatewayd/control/message_id.h"

/// The certificate authority: who signs, since when, and who after it.
namespace gw::control {
namespace {

constexpr UnixSeconds kCrlLife = UnixSeconds{7} * 86400;  // those who read it fetch it again within this
constexpr UnixSeconds kCrlAge = UnixSeconds{1} * 86400;   // then it is signed anew, long before it ends

/// Subject of who issued a certificate; empty when it cannot be read.
std::string issuer_of(const std::string& pem) {
  const auto facts = pki::parse_certificate(pem);
  return facts ? facts->issuer : std::string();
}

}  // namespace

// Made as soon as the gateway's name is known.
Result<pki::AuthorityView> GatewayController::open_authority() {
  auto view = parts_.signer.view();
  if (!view && view.error().code == ENOENT) {
    if (auto may = time_.check_may_date("make the certificate authority"); !may) return std::unexpected(may.error());
    const config::Config* config = applied();
    view = parts_.signer.init(config == nullptr ? "" : config->name, now());
  }
  if (view) authority_ = *view;
  return view;
}

// So that `gwctl ca show` has something to show. What only puts it off, a wrong clock, a request that waits for its
// certificate, a signer that does not answer, keeps no gateway from filtering.
Result<void> GatewayController::prepare_authority() {
  const auto authority = open_authority();
  if (authority) return {};
  if (authority.error().code == EUCLEAN) return std::unexpected(authority.error());
  tell(authority.error().message(), authority.error().code == EAGAIN ? message_id::kClock : nullptr);
  return {};
}

Result<AuthorityStatus> GatewayController::authority() {
  const auto view = open_authority();
  if (!view && view.error().code == EINPROGRESS) {
    const auto request = parts_.signer.request({});
    if (!request) return std::unexpected(request.error());
    return AuthorityStatus{.parts = {}, .has_root_key = false, .request = *request};
  }
  if (!view) return std::unexpected(view.error());
  return describe(*view);
}

Result<AuthorityStatus> GatewayController::describe(const pki::AuthorityView& view) const {
  AuthorityStatus out;
  out.has_root_key = view.certificates().has_root_key;
  out.request = view.certificates().request;
  out.parts = {{.role = "root", .certificate = view.root()}, {.role = "issuing", .certificate = view.issuing()}};
  for (const std::string& pem : view.certificates().cross) {
    const auto facts = pki::parse_certificate(pem);
    if (!facts) return std::unexpected(facts.error());
    out.parts.push_back({.role = "cross", .certificate = *facts});
  }
  for (const pki::Certificate& certificate : view.earlier()) {
    const bool root = certificate.issuer == certificate.subject;
    out.parts.push_back({.role = root ? "earlier root" : "earlier issuing", .certificate = certificate});
  }
  if (view.issuers().size() > 1) {
    if (auto counted = count_clients(out); !counted) return std::unexpected(counted.error());
  }
  return out;
}

Result<void> GatewayController::count_clients(AuthorityStatus& status) const {
  const auto clients = parts_.registry.clients();
  if (!clients) return std::unexpected(clients.error());
  for (const registry::Client& client : *clients) {
    const auto newest = parts_.registry.certificate(client.serial);
    const std::string issuer = newest ? issuer_of(newest->pem) : std::string();
    for (AuthorityPart& part : status.parts) {
      if (part.role.ends_with("issuing") && part.certificate.subject == issuer) ++part.clients;
    }
  }
  return {};
}

Result<AuthorityStatus> GatewayController::changed_authority(const Result<pki::AuthorityView>& view,
                                                             const std::string& what) {
  if (!view) return std::unexpected(view.error());
  authority_ = *view;
  crl_.reset();
  time_.vouch();
  tell(what, message_id::kAuthorityChanged);
  return describe(*view);
}

std::string GatewayController::authority_name(const std::string& given) const {
  if (!given.empty()) return given;
  const config::Config* config = applied();
  return config == nullptr ? std::string() : config->name;
}

Result<AuthorityStatus> GatewayController::init_authority(const std::string& name, const Who& who) {
  constexpr const char* kInit = "make the certificate authority";
  if (auto may = time_.check_may_date(kInit); !may) return std::unexpected(may.error());
  if (parts_.signer.view())
    return failure(EEXIST, kInit, {}, "there is one already: gwctl ca show; gwctl ca rotate makes a new one");
  return changed_authority(parts_.signer.init(authority_name(name), now()), "certificate authority made by " + who);
}

Result<AuthorityStatus> GatewayController::rotate_authority(const std::string& what, const Who& who) {
  constexpr const char* kRotate = "rotate the certificate authority";
  if (what != "issuing" && what != "root") return failure(EINVAL, kRotate, what, "give issuing or root");
  if (auto may = time_.check_may_date(kRotate); !may) return std::unexpected(may.error());
  const auto rotation = what == "root" ? pki::Rotation::root : pki::Rotation::issuing;
  return changed_authority(parts_.signer.rotate(authority_name({}), rotation, now()),
                           fmt::format("new {} certificate of the authority, by {}", what, who));
}

Result<std::string> GatewayController::request_authority(const std::string& name, const Who& who) {
  auto request = parts_.signer.request(authority_name(name));
  if (request) tell("a certificate for the authority was asked for by " + who);
  return request;
}

Result<AuthorityStatus> GatewayController::import_authority(const std::string& pems, bool cut_off, const Who& who) {
  if (auto may = time_.check_may_date("import the authority's certificate"); !may) return std::unexpected(may.error());
  return changed_authority(parts_.signer.import(pems, cut_off, now()),
                           "new issuing certificate of the authority imported by " + who);
}

// Signed anew when somebody was revoked since, and every day.
Result<std::vector<std::string>> GatewayController::crls_der() {
  const auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  auto state = parts_.registry.revocation_state();
  if (!state) return std::unexpected(state.error());
  *state += " " + authority->issuing().sha256;
  if (crl_ && crl_->state == *state && now() - crl_->made < kCrlAge) return crl_->ders;
  auto ders = make_crls(*authority);
  if (ders) crl_ = RevocationLists{*ders, now(), *state};
  return ders;
}

Result<std::vector<std::string>> GatewayController::make_crls(const pki::AuthorityView& authority) {
  const auto all = parts_.registry.certificates();
  if (!all) return std::unexpected(all.error());
  const bool several = authority.issuers().size() > 1;
  std::map<std::string, std::vector<pki::RevokedCertificate>> revoked;  // by issuer
  for (const registry::Certificate& certificate : *all) {
    if (certificate.revoked_at == 0) continue;
    revoked[several ? issuer_of(certificate.pem) : authority.issuing().subject].push_back(
        {certificate.serial, certificate.revoked_at, certificate.reason});
  }
  const auto number = parts_.registry.next_crl_number();
  if (!number) return std::unexpected(number.error());
  const UnixSeconds at = now();
  std::vector<std::string> out;
  for (const pki::Certificate& issuer : authority.issuers()) {
    auto der = parts_.signer.make_crl(revoked[issuer.subject], *number, at, at + kCrlLife, issuer.sha256);
    if (der)
      out.push_back(std::move(*der));
    else if (der.error().code != ENOENT)
      return std::unexpected(der.error());
  }
  return out;
}

}  // namespace gw::control
