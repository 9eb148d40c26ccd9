// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/est.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "ctl/format.h"
#include "gatewayd/base/base64.h"
#include "gatewayd/pki/est.h"
#include "gatewayd/pki/proof.h"

namespace gw::connect {
namespace {

using Json = nlohmann::json;

constexpr const char* kEnrol = "enrol with the gateway";
constexpr const char* kIntroduce = "enrol with the organisation's certificate";
constexpr const char* kRenew = "renew the certificate";
constexpr size_t kMaxReason = 300;

std::unexpected<Error> not_accepted(const HttpResponse& answer, const char* operation) {
  const std::string reason = ctl::printable(answer.body.substr(0, answer.body.find('\n')).substr(0, kMaxReason));
  switch (answer.status) {
    case 400:
    case 409:
      return failure(EINVAL, operation, {}, "the gateway says: " + reason);
    case 401:
      return failure(EACCES, operation, {},
                     "the token is not accepted: it was used, has expired, or never was; ask for a new link");
    case 403:
      if (operation == kIntroduce) {
        return failure(EACCES, operation, {},
                       "the gateway does not take it: its organisation is not trusted there, it has ended, or nothing "
                       "in it gives access; the gateway's operator can see which");
      }
      return failure(EACCES, operation, {},
                     "the gateway does not accept this machine's certificate: it was revoked, the client disabled or "
                     "removed, or it ended too long ago; leave, and join with a new link");
    case 429:
    case 503: {
      const auto after = answer.headers.find("retry-after");
      const std::string when = after == answer.headers.end() ? "later" : "in " + ctl::printable(after->second) + " s";
      return failure(EAGAIN, operation, {}, "the gateway is busy; try again " + when);
    }
    default:
      return failure(EBADMSG, operation, {},
                     "the gateway answers with status " + std::to_string(answer.status) + " " + reason);
  }
}

Result<std::string> ask(Https& gateway, const HttpRequest& request, const char* operation) {
  auto answer = gateway.ask(request);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) return not_accepted(*answer, operation);
  return std::move(answer->body);
}

Result<pki::Challenge> fetch_challenge(Https& gateway) {
  constexpr const char* kOperation = "ask the gateway for a challenge";
  const auto body = ask(gateway, {.path = "/.well-known/gatewayd/challenge"}, kOperation);
  if (!body) return std::unexpected(body.error());
  const Json json = Json::parse(*body, nullptr, false);
  const auto text = [&](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
  };
  const auto key = PublicKey::parse(text("public_key"));
  const auto nonce = base64_decode(text("nonce"));
  pki::Challenge out;
  if (!key || !nonce || nonce->size() != out.nonce.size()) return failure(EBADMSG, kOperation, {}, "it sent none");
  out.public_key = *key;
  std::ranges::copy(*nonce, out.nonce.begin());
  return out;
}

Result<std::string> proof_header(const SecretKey& key, const pki::Challenge& challenge, const std::string& der) {
  const auto mac = pki::prove(key, challenge, der);
  if (!mac) return std::unexpected(mac.error());
  return base64(challenge.nonce) + " " + base64(*mac);
}

/// The one certificate of a "certs-only" answer.
Result<std::string> certificate_in(const std::string& body) {
  const auto der = base64_decode(body);
  if (!der) return failure(EBADMSG, kEnrol, {}, "the answer is not base64");
  return pki::pems_of(*der);
}

/// What enrolment and renewal have in common.
struct Wanted {
  const char* operation;
  std::string path;
  std::string name;
  const pki::PrivateKey& identity;
  const pki::WireGuardKeys& keys;
};

Result<std::string> ask_for_certificate(Https& gateway, const Wanted& wanted, const SecretKey* present,
                                        std::pair<std::string, std::string> authorization) {
  const auto challenge = fetch_challenge(gateway);
  if (!challenge) return std::unexpected(challenge.error());
  const auto pem = pki::make_request(wanted.identity, wanted.name, wanted.keys.public_key);
  if (!pem) return std::unexpected(pem.error());
  const auto der = pki::request_der(*pem);
  if (!der) return std::unexpected(der.error());
  const auto proof = proof_header(wanted.keys.secret, *challenge, *der);
  if (!proof) return std::unexpected(proof.error());
  HttpRequest request{.method = "POST",
                      .path = wanted.path,
                      .headers = {{"Content-Type", "application/pkcs10"}, {"WireGuard-Proof", *proof}},
                      .body = base64(*der)};
  if (present != nullptr) {
    const auto second = proof_header(*present, *challenge, *der);
    if (!second) return std::unexpected(second.error());
    request.headers.emplace_back("WireGuard-Proof-Present", *second);
  }
  if (!authorization.first.empty()) request.headers.push_back(std::move(authorization));
  auto body = ask(gateway, request, wanted.operation);
  for (auto& [name, value] : request.headers) pki::wipe(value);
  if (!body) return body;
  return certificate_in(*body);
}

}  // namespace

Result<std::string> enrol(Https& gateway, const std::string& token, const std::string& name,
                          const pki::PrivateKey& identity, const pki::WireGuardKeys& keys) {
  const Wanted wanted{kEnrol, "/.well-known/est/simpleenroll", name, identity, keys};
  return ask_for_certificate(gateway, wanted, nullptr, {"Authorization", "Basic " + base64("token:" + token)});
}

Result<std::string> enrol_by_certificate(Https& gateway, const std::string& name, const pki::PrivateKey& identity,
                                         const pki::WireGuardKeys& keys) {
  const Wanted wanted{kIntroduce, "/.well-known/est/simpleenroll", name, identity, keys};
  return ask_for_certificate(gateway, wanted, nullptr, {});
}

Result<std::string> reenrol(Https& gateway, const std::string& name, const pki::PrivateKey& identity,
                            const pki::WireGuardKeys& keys, const SecretKey& present) {
  const Wanted wanted{kRenew, "/.well-known/est/simplereenroll", name, identity, keys};
  const bool same = keys.secret == present;
  return ask_for_certificate(gateway, wanted, same ? nullptr : &present, {});
}

Result<Profile> fetch_profile(Https& gateway) {
  const auto body = ask(gateway, {.path = "/.well-known/gatewayd/profile"}, "fetch the profile");
  if (!body) return std::unexpected(body.error());
  return parse_profile(*body);
}

Result<Authorities> fetch_authorities(Https& gateway) {
  constexpr const char* kOperation = "fetch the gateway's authorities";
  const auto body = ask(gateway, {.path = "/.well-known/est/cacerts"}, kOperation);
  if (!body) return std::unexpected(body.error());
  const auto der = base64_decode(*body);
  if (!der) return failure(EBADMSG, kOperation, {}, "the answer is not base64");
  const auto pems = pki::pems_of(*der);
  if (!pems) return std::unexpected(pems.error());
  return as_authorities(*pems);
}

}  // namespace gw::connect
