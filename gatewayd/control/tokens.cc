// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <cerrno>

#include "gatewayd/base/label.h"
#include "gatewayd/control/gateway.h"
#include "gatewayd/control/invitation.h"

/// Invitations, and where they lead.
namespace gw::control {
namespace {

constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kRemembered = 30 * kDay;  // so that `token list` still tells what became of one
constexpr uint32_t kMostSeconds = 30 * kDay;
constexpr uint32_t kMostUses = 10'000;
constexpr uint32_t kMostDays = 3650;

Result<void> check_token(const NewToken& token) {
  const auto refused = [](std::string why) { return failure(EINVAL, "create token", {}, std::move(why)); };
  if (!token.name.empty() && !is_label(token.name))
    return refused("'" + token.name + "' is no host name of at most 63 of a-z, 0-9 and '-'");
  if (token.ttl_seconds == 0 || token.ttl_seconds > kMostSeconds) return refused("it has to hold from 1 s to 30 days");
  if (token.uses == 0 || token.uses > kMostUses) return refused(fmt::format("give 1 to {} uses", kMostUses));
  if (!token.name.empty() && token.uses != 1)
    return refused("a name belongs to one client: leave it out, or give one use");
  if (token.days == 0 || token.days > kMostDays) return refused(fmt::format("days has to be from 1 to {}", kMostDays));
  return {};
}

}  // namespace

// What profiles name first; then every other way in, for who has the address alone.
Result<EnrolmentPlace> GatewayController::enrolment_place(const char* operation) {
  const auto in_force = applied_or_error(operation, {});
  if (!in_force) return std::unexpected(in_force.error());
  const config::Public& side = (*in_force)->public_side;
  if (!side.enroll_port) {
    return failure(EINVAL, operation, {},
                   "no device can enrol: write gateway.public.enroll_port: 443, then run gwctl apply");
  }
  EnrolmentPlace out{.names = {}, .port = *side.enroll_port};
  if (side.endpoint) out.names.push_back(side.endpoint->host);
  const auto addresses = public_addresses(**in_force);
  if (!addresses) return std::unexpected(addresses.error());
  for (const IpAddress& address : *addresses) {
    if (!side.endpoint || address.str() != side.endpoint->host) out.names.push_back(address.str());
  }
  if (!out.names.empty()) return out;
  return failure(EINVAL, operation, {}, side.interface + " has no address; write gateway.public.endpoint");
}

Result<TokenHandout> GatewayController::create_token(const NewToken& wanted, const Who& who) {
  constexpr const char* kCreate = "create token";
  const auto place = enrolment_place(kCreate);
  if (!place) return std::unexpected(place.error());
  if (auto good = check_token(wanted); !good) return std::unexpected(good.error());
  if (auto known = check_groups(wanted.groups, wanted.name); !known) return std::unexpected(known.error());
  if (!wanted.name.empty() && parts_.registry.client(wanted.name))
    return failure(EEXIST, kCreate, wanted.name, "there is a client of that name already");
  if (auto may = time_.check_may_date(kCreate); !may) return std::unexpected(may.error());
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  const auto pin = parts_.registry.front_key();
  if (!pin) return std::unexpected(pin.error());

  TokenHandout out{.id = 0, .token = make_token(), .link = {}, .pin = *pin, .expires = now() + wanted.ttl_seconds};
  registry::Token token;
  token.hash = *hash_of_token(out.token);
  token.name = wanted.name;
  token.groups = wanted.groups;
  token.tunnel = wanted.tunnel;
  token.description = wanted.description;
  token.days = wanted.days;
  token.uses = wanted.uses;
  token.expires = out.expires;
  token.who = who;
  if (auto gone = parts_.registry.remove_ended_tokens(now() - kRemembered); !gone) return std::unexpected(gone.error());
  const auto id = parts_.registry.add_token(token, now());
  if (!id) return std::unexpected(id.error());
  time_.vouch();
  out.id = *id;
  out.link = join_link(place->names.front(), place->port, out.token, authority->root().sha256);
  tell(fmt::format("token {} created by {}", *id, who));
  return out;
}

Result<std::vector<registry::Token>> GatewayController::tokens() { return parts_.registry.tokens(); }

Result<void> GatewayController::revoke_token(int64_t id, const Who& who) {
  if (auto revoked = parts_.registry.revoke_token(id, who, now()); !revoked) return revoked;
  tell(fmt::format("token {} revoked by {}", id, who));
  return {};
}

Result<EnrolmentFacts> GatewayController::enrolment_facts() {
  const auto place = enrolment_place("serve enrolment");
  if (!place) return std::unexpected(place.error());
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  const auto reach = endpoint(*applied());
  if (!reach) return std::unexpected(reach.error());
  const auto asked = challenges_.current(now());
  if (!asked) return std::unexpected(asked.error());
  return EnrolmentFacts{.names = place->names,
                        .port = place->port,
                        .endpoint = *reach,
                        .wireguard_port = applied()->public_side.listen_port,
                        .chain_pem = authority->server_chain_pem(),
                        .authorities_pem = authority->all_pem(),
                        .challenge = asked->challenge,
                        .challenge_seconds = asked->seconds};
}

Result<std::string> GatewayController::certify_front(const std::string& request_pem) {
  constexpr const char* kCertify = "certify the enrolment server";
  constexpr UnixSeconds kLife = 90 * kDay;
  const auto place = enrolment_place(kCertify);
  if (!place) return std::unexpected(place.error());
  if (auto may = time_.check_may_date(kCertify); !may) return std::unexpected(may.error());
  auto authority = open_authority();
  if (!authority) return std::unexpected(authority.error());
  const auto key = pki::parse_server_request(request_pem);
  if (!key) return std::unexpected(key.error());
  const auto pin = pki::pin_of(*key);
  if (!pin) return std::unexpected(pin.error());
  const auto certificate = parts_.signer.issue_server(*key, place->names, now(), now() + kLife);
  if (!certificate) return std::unexpected(certificate.error());
  if (auto kept = parts_.registry.set_front_key(*pin); !kept) return std::unexpected(kept.error());
  tell("certificate for the enrolment server: " + certificate->serial);
  return certificate->pem + authority->server_chain_pem();
}

}  // namespace gw::control
