// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <cerrno>

#include "gatewayd/control/gateway.h"
#include "gatewayd/control/message_id.h"
#include "gatewayd/control/trust_map.h"

/// Devices that enrol by an organisation's certificate. Whatever reaches this is from outside: the enrolment server
/// hands it on unread, and is believed that TLS has seen the certificate's key.
namespace gw::control {
namespace {

constexpr const char* kEnroll = "enrol";

// The same for whoever is refused; the journal tells more.
std::unexpected<Error> refusal() {
  return failure(EKEYREJECTED, kEnroll, {}, "this certificate gives no access here; the operator can see why");
}

/// Whether what went wrong is the certificate's or its holder's: others are the gateway's own trouble.
bool is_his(const Error& error) {
  switch (error.code) {
    case EEXIST:
    case EINVAL:
    case ENOENT:
    case EKEYREJECTED:
    case EKEYREVOKED:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::unexpected<Error> GatewayController::refuse_introduced(const Introduced& who, const std::string& why,
                                                            const std::string& source) {
  tell(fmt::format("{} of trust {} was refused: {}; asked from {}", who.identity, who.trust.name, why, source),
       message_id::kTokenRefused);
  return refusal();
}

Result<Introduced> GatewayController::introduce(const CertificateEnrolment& wanted) {
  auto all = parts_.registry.trusts();
  if (!all) return std::unexpected(all.error());
  std::string why = "no organisation is trusted: gwctl ca trust add";
  for (registry::Trust& trust : *all) {
    const auto anchors = pki::parse_anchors(trust.authorities_pem);
    if (!anchors) return std::unexpected(anchors.error());
    const auto holder = pki::verify_foreign({.certificate_pem = wanted.certificate_pem, .chain_pem = wanted.chain_pem},
                                            *anchors, trust.crl_pem, now());
    if (!holder) {
      why = holder.error().message();
      continue;
    }
    const std::string subject = holder->certificate.subject;
    Introduced out{.trust = std::move(trust), .name = {}, .identity = subject, .groups = {}};
    auto named = name_for(*holder);
    if (!named) return refuse_introduced(out, named.error().detail, wanted.source);
    out.name = std::move(named->name);
    out.identity = std::move(named->identity);
    auto groups = groups_for(out.trust.maps, holder->claims);
    if (!groups) return refuse_introduced(out, "no map fits its certificate, of " + subject, wanted.source);
    out.groups = std::move(*groups);
    return out;
  }
  tell_seldom(strangers_,
              fmt::format("asked with certificates that are not trusted, the last from {}: {}", wanted.source, why));
  return refusal();
}

Result<std::string> GatewayController::enroll_by_certificate(const CertificateEnrolment& wanted) {
  const auto who = introduce(wanted);
  if (!who) return std::unexpected(who.error());
  const auto proven = proven_request(wanted.request, wanted.proof);
  if (!proven) {
    tell(fmt::format("{} of trust {}: {}; asked from {}", who->identity, who->trust.name, proven.error().message(),
                     wanted.source));
    return std::unexpected(proven.error());
  }
  const auto came = parts_.registry.trusted_client(who->trust.id, who->identity);
  if (!came && came.error().code != ENOENT) return std::unexpected(came.error());
  auto certificate =
      came ? welcome_back(*who, *came, *proven, wanted.source) : admit_introduced(*who, *proven, wanted.source);
  if (certificate || !is_his(certificate.error())) return certificate;
  return refuse_introduced(*who, certificate.error().message(), wanted.source);
}

Result<std::string> GatewayController::admit_introduced(const Introduced& who, const ProvenRequest& proven,
                                                        const std::string& source) {
  if (parts_.registry.client(who.name)) {
    return failure(EEXIST, kEnroll, who.name,
                   "there is a client of that name already, which came otherwise: gwctl client remove " + who.name +
                       " makes room");
  }
  const auto admission = prepare_client(proven.request, {.name = who.name,
                                                         .request_pem = {},
                                                         .groups = who.groups,
                                                         .tunnel = {},
                                                         .description = who.identity + " of " + who.trust.name,
                                                         .days = kConnectorDays});
  if (!admission) return std::unexpected(admission.error());
  const auto& [client, certificate] = *admission;
  const Who by = fmt::format("trust {} ({})", who.trust.name, who.identity);
  const registry::TrustedClient came{.client = client.name, .identity = who.identity, .granted = who.groups};
  if (auto done = parts_.registry.admit_by_trust(who.trust.id, came, client, certificate, by, now()); !done)
    return std::unexpected(done.error());
  admit(client, fmt::format("{}, from {}", by, source));
  return certificate.pem;
}

// The maps may grant other groups by now. What an operator has ended stays so.
Result<std::string> GatewayController::welcome_back(const Introduced& who, const registry::TrustedClient& came,
                                                    const ProvenRequest& proven, const std::string& source) {
  const auto before = parts_.registry.client(came.client);
  if (!before) return std::unexpected(before.error());
  if (before->disabled || before->revoked_at != 0) {
    return failure(EKEYREVOKED, kEnroll, came.client,
                   before->disabled ? "the client is disabled" : "the client was revoked");
  }
  if (auto known = check_groups(who.groups, came.client); !known) return std::unexpected(known.error());
  const Who by = fmt::format("trust {} ({}), from {}", who.trust.name, who.identity, source);
  if (auto granted = parts_.registry.grant_by_trust(came.client, who.groups, by, now()); !granted)
    return std::unexpected(granted.error());
  const auto client = parts_.registry.client(came.client);
  if (!client) return std::unexpected(client.error());
  if (client->groups != before->groups) {
    tell(fmt::format("client {} changed by {}", client->name, by), message_id::kClientChanged);
    refresh_client(*client);
  }
  const auto newest = parts_.registry.certificate(client->serial);
  if (!newest) return std::unexpected(newest.error());
  if (is_for(*newest, proven.request) && now() <= newest->not_after) return newest->pem;
  if (proven.request.wireguard == client->wireguard) return renew_by_itself(*client, proven, by);
  return rotate(*client, proven, by);
}

}  // namespace gw::control
