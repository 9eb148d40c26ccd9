// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "gatewayd/base/base64.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/invitation.h"
#include "gatewayd/control/message_id.h"
#include "gatewayd/pki/est.h"

/// Devices that enrol, and renew what they have, by themselves. Whatever reaches this is from outside: the enrolment
/// server hands it on unread.
namespace gw::control {
namespace {

constexpr const char* kEnroll = "enrol";
constexpr const char* kReenroll = "renew";
constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kGrace = 30 * kDay;  // a connector that was switched off may come back after its end
constexpr UnixSeconds kGuessesTold = 60;

std::string names(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& name : all) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "a client that is gone" : out;
}

/// Why a token that was not revoked lets nobody in any more; empty: it does.
std::string why_over(const registry::Token& token, UnixSeconds now) {
  if (now >= token.expires) return fmt::format("it ended {} min ago", (now - token.expires) / 60);
  if (token.used >= token.uses) return "it is used up, by " + names(token.clients);
  return {};
}

}  // namespace

// By the public key inside.
bool is_for(const registry::Certificate& certificate, const pki::Request& request) {
  const auto asked = pki::renewal_request(certificate.pem);
  return asked && asked->public_key_pem == request.public_key_pem && asked->wireguard == request.wireguard;
}

Result<ProvenRequest> GatewayController::proven_request(const std::string& request, const std::string& proof) {
  const auto der = base64_decode(request);
  if (!der) return failure(EINVAL, "read signing request", {}, "it is not base64");
  const auto pem = pki::request_pem(*der);
  if (!pem) return std::unexpected(pem.error());
  const auto parsed = pki::parse_request(*pem);
  if (!parsed) return std::unexpected(parsed.error());
  if (auto proven = challenges_.check(proof, parsed->wireguard, *der, now()); !proven) {
    return failure(EINVAL, proven.error().operation, proven.error().object, proven.error().detail);
  }
  return ProvenRequest{*parsed, *der};
}

// Outside nobody learns which of the reasons it is.
std::unexpected<Error> GatewayController::refuse_token(const registry::Token& token, const std::string& why,
                                                       const std::string& source) {
  tell(fmt::format("token {} was refused: {}; asked from {}", token.id, why, source), message_id::kTokenRefused);
  return failure(EACCES, kEnroll, {}, "the token does not hold");
}

void GatewayController::tell_seldom(Guesses& seen, const std::string& what) {
  ++seen.count;
  const UnixSeconds at = now();
  if (at - seen.told < kGuessesTold) return;
  tell((seen.count == 1 ? "a device" : fmt::format("devices {} times", seen.count)) + " " + what,
       message_id::kTokenRefused);
  seen = {.count = 0, .told = at};
}

Result<std::string> GatewayController::enroll(const Enrolment& wanted) {
  // The token first: to who has none, nothing else is told, and no signature is checked for him.
  const auto hash = hash_of_token(wanted.token);
  const auto token = hash ? parts_.registry.token(*hash) : failure(ENOENT, kEnroll, {}, "no token");
  if (!token) {
    if (token.error().code != ENOENT) return std::unexpected(token.error());
    tell_seldom(guesses_, "asked with tokens that were never made, the last from " + wanted.source);
    return failure(EACCES, kEnroll, {}, "the token does not hold");
  }
  if (token->revoked_at != 0) return refuse_token(*token, "it was revoked", wanted.source);
  const std::string over = why_over(*token, now());
  const auto proven = proven_request(wanted.request, wanted.proof);
  if (!proven) {
    if (!over.empty()) return refuse_token(*token, over, wanted.source);
    tell(fmt::format("token {}: {}; asked from {}", token->id, proven.error().message(), wanted.source));
    return std::unexpected(proven.error());
  }
  // Whoever lost the answer on its way asks again with the same keys; the token may have ended meanwhile.
  const auto given = parts_.registry.token_certificate(token->id, proven->request.wireguard);
  if (given && is_for(*given, proven->request)) return given->pem;
  if (!over.empty()) return refuse_token(*token, over, wanted.source);
  return enroll_with(*token, *proven, wanted.source);
}

Result<std::string> GatewayController::enroll_with(const registry::Token& token, const ProvenRequest& proven,
                                                   const std::string& source) {
  const Who who = fmt::format("token {} of {}", token.id, token.who);
  const auto admission = prepare_client(proven.request, {.name = token.name.empty() ? proven.request.name : token.name,
                                                         .request_pem = {},
                                                         .groups = token.groups,
                                                         .tunnel = token.tunnel,
                                                         .description = token.description,
                                                         .days = token.days});
  if (!admission) {
    tell(fmt::format("token {}: {}; asked from {}", token.id, admission.error().message(), source));
    return std::unexpected(admission.error());
  }
  const auto& [client, certificate] = *admission;
  if (auto done = parts_.registry.redeem_token(token.id, client, certificate, who, now()); !done)
    return std::unexpected(done.error());
  admit(client, fmt::format("{}, from {}", who, source));
  return certificate.pem;
}

// The certificate that the enrolment server has seen the key of, as the registry has it, and whose it is.
Result<std::pair<registry::Certificate, registry::Client>> GatewayController::holder_of(
    const std::string& certificate_pem) {
  constexpr const char* kKnow = "know the certificate";
  const auto facts = pki::parse_certificate(certificate_pem);
  if (!facts) return failure(EKEYREJECTED, kKnow, {}, facts.error().detail);
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  if (now() > facts->not_after + kGrace) {
    return failure(EKEYEXPIRED, kKnow, facts->serial, "it ended more than 30 days ago: enrol anew, with a token");
  }
  if (auto good = authority->verify(certificate_pem, std::min(now(), facts->not_after)); !good)
    return std::unexpected(good.error());
  auto known = parts_.registry.certificate(facts->sha256);
  if (!known) return failure(EKEYREJECTED, kKnow, facts->serial, "it is none of this gateway's");
  auto client = parts_.registry.client(known->client);
  if (!client) return failure(EKEYREVOKED, kKnow, facts->serial, "its client was removed");
  return std::pair(std::move(*known), std::move(*client));
}

Result<std::string> GatewayController::reenroll(const Reenrolment& wanted) {
  const auto holder = holder_of(wanted.certificate_pem);
  if (!holder) return std::unexpected(holder.error());
  const auto& [certificate, client] = *holder;
  const auto proven = proven_request(wanted.request, wanted.proof);
  if (!proven) return std::unexpected(proven.error());
  const auto newest = parts_.registry.certificate(client.serial);
  if (!newest) return std::unexpected(newest.error());
  const bool again =
      newest->serial != certificate.serial && newest->revoked_at == 0 && is_for(*newest, proven->request);
  // The key was changed already, and the answer was lost on its way: the one before is only out of date.
  if (again && !client.disabled && (certificate.revoked_at == 0 || certificate.reason == "superseded"))
    return newest->pem;
  if (certificate.revoked_at != 0 || client.disabled || client.revoked_at != 0) {
    return failure(EKEYREVOKED, kReenroll, client.name,
                   client.disabled ? "the client is disabled" : "the certificate was revoked");
  }
  if (!proven->request.name.empty() && proven->request.name != client.name) {
    return failure(EINVAL, kReenroll, client.name, "the request is for '" + proven->request.name + "'");
  }
  const Who who = fmt::format("client {} itself, from {}", client.name, wanted.source);
  if (proven->request.wireguard == client.wireguard) return renew_by_itself(client, *proven, who);
  if (auto held = challenges_.check(wanted.present_proof, client.wireguard, proven->der, now()); !held) {
    return failure(EINVAL, kReenroll, client.name,
                   "a new WireGuard key needs a proof of the present one too: " + held.error().detail);
  }
  return rotate(client, *proven, who);
}

Result<std::string> GatewayController::renew_by_itself(const registry::Client& client, const ProvenRequest& proven,
                                                       const Who& who) {
  const auto certificate = issue(proven.request, client, kConnectorDays);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto added = parts_.registry.add_certificate(*certificate, who, now()); !added)
    return std::unexpected(added.error());
  tell(fmt::format("client {} renewed by {}", client.name, who), message_id::kClientChanged);
  if (auto fresh = parts_.registry.client(client.name)) refresh_client(*fresh);
  return certificate->pem;
}

Result<std::string> GatewayController::rotate(const registry::Client& client, const ProvenRequest& proven,
                                              const Who& who) {
  if (auto free = check_key(proven.request.wireguard, client.name); !free) return std::unexpected(free.error());
  const auto certificate = issue(proven.request, client, kConnectorDays);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto rekeyed = parts_.registry.rekey_client(client.name, *certificate, who, now()); !rekeyed)
    return std::unexpected(rekeyed.error());
  tell(fmt::format("client {} has a new key, by {}", client.name, who), message_id::kClientChanged);
  if (auto fresh = parts_.registry.client(client.name)) refresh_client(*fresh);
  return certificate->pem;
}

// One that was replaced names its client as well: it is asked about streams that were opened before.
Result<std::string> GatewayController::certificate_holder(const std::string& certificate_pem) {
  const auto holder = holder_of(certificate_pem);
  if (!holder) return std::unexpected(holder.error());
  const auto& [certificate, client] = *holder;
  const bool revoked = certificate.revoked_at != 0 && certificate.reason != "superseded";
  if (revoked || !client.has_access(now()))
    return failure(EKEYREVOKED, "let through", client.name, "the client has no access");
  return client.name;
}

Result<ProfileFacts> GatewayController::enrolled_profile(const std::string& certificate_pem) {
  const auto holder = holder_of(certificate_pem);
  if (!holder) return std::unexpected(holder.error());
  const auto& [certificate, client] = *holder;
  if (certificate.revoked_at != 0 || !client.has_access(now()))
    return failure(EKEYREVOKED, "make the profile of", client.name, "the client has no access");
  if (auto marked = parts_.registry.mark_profile_current(client.name); !marked) return std::unexpected(marked.error());
  return profile(client, certificate.pem);
}

}  // namespace gw::control
