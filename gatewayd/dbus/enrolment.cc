// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/base64.h"
#include "gatewayd/dbus/decode.h"
#include "gatewayd/dbus/encode.h"
#include "gatewayd/dbus/method.h"

namespace gw::dbus {

Result<void> create_token(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto token = decode_new_token(std::move(*dict));
  if (!token) return std::unexpected(token.error());
  const auto handout = call.controller.create_token(*token, call.who);
  if (!handout) return std::unexpected(handout.error());
  put_dict(call.out, *handout);
  return {};
}

Result<void> list_tokens(Call& call) {
  const auto tokens = call.controller.tokens();
  if (!tokens) return std::unexpected(tokens.error());
  put_dicts(call.out, *tokens);
  return {};
}

Result<void> revoke_token(Call& call) {
  const auto id = read_u64(call.in);
  if (!id) return std::unexpected(id.error());
  return call.controller.revoke_token(static_cast<int64_t>(*id), call.who);
}

Result<void> add_trust(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto trust = decode_new_trust(std::move(*dict));
  if (!trust) return std::unexpected(trust.error());
  const auto status = call.controller.add_trust(*trust, call.who);
  if (!status) return std::unexpected(status.error());
  put_dict(call.out, *status);
  return {};
}

Result<void> list_trusts(Call& call) {
  const auto trusts = call.controller.trusts();
  if (!trusts) return std::unexpected(trusts.error());
  put_dicts(call.out, *trusts);
  return {};
}

Result<void> remove_trust(Call& call) {
  const auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  const auto revoke = read_bool(call.in);
  if (!revoke) return std::unexpected(revoke.error());
  const auto clients = call.controller.remove_trust(*name, *revoke, call.who);
  if (!clients) return std::unexpected(clients.error());
  call.out.texts(*clients);
  return {};
}

Result<void> set_trust_crl(Call& call) {
  const auto name = read_text(call.in);
  if (!name) return std::unexpected(name.error());
  const auto crl = read_text(call.in);
  if (!crl) return std::unexpected(crl.error());
  return call.controller.set_trust_crl(*name, *crl, call.who);
}

namespace {

Result<void> answer_text(Call& call, const Result<std::string>& text) {
  if (!text) return std::unexpected(text.error());
  call.out.text(*text);
  return {};
}

Result<void> get_facts(Call& call) {
  const auto facts = call.controller.enrolment_facts();
  if (!facts) return std::unexpected(facts.error());
  put_dict(call.out, *facts);
  return {};
}

Result<void> certify_front(Call& call) {
  const auto request = read_text(call.in);
  if (!request) return std::unexpected(request.error());
  return answer_text(call, call.controller.certify_front(*request));
}

Result<void> enroll(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto enrolment = decode_enrolment(std::move(*dict));
  if (!enrolment) return std::unexpected(enrolment.error());
  return answer_text(call, call.controller.enroll(*enrolment));
}

Result<void> enroll_by_certificate(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto enrolment = decode_certificate_enrolment(std::move(*dict));
  if (!enrolment) return std::unexpected(enrolment.error());
  return answer_text(call, call.controller.enroll_by_certificate(*enrolment));
}

Result<void> reenroll(Call& call) {
  auto dict = Dict::read(call.in);
  if (!dict) return std::unexpected(dict.error());
  const auto reenrolment = decode_reenrolment(std::move(*dict));
  if (!reenrolment) return std::unexpected(reenrolment.error());
  return answer_text(call, call.controller.reenroll(*reenrolment));
}

Result<void> get_profile(Call& call) {
  const auto certificate = read_text(call.in);
  if (!certificate) return std::unexpected(certificate.error());
  const auto facts = call.controller.enrolled_profile(*certificate);
  if (!facts) return std::unexpected(facts.error());
  put_dict(call.out, *facts);
  return {};
}

Result<void> get_holder(Call& call) {
  const auto certificate = read_text(call.in);
  if (!certificate) return std::unexpected(certificate.error());
  return answer_text(call, call.controller.certificate_holder(*certificate));
}

Result<void> get_crl(Call& call) {
  const auto crls = call.controller.crls_der();
  if (!crls) return std::unexpected(crls.error());
  call.out.bytes(crls->front());
  return {};
}

#define P(name) SD_BUS_PARAM(name)
constexpr Method kMethods[] = {
    {"GetFacts", "", "a{sv}", P(facts), Access::enroll, get_facts},
    {"CertifyFront", "s", "s", P(request_pem) P(chain_pem), Access::enroll, certify_front},
    {"Enroll", "a{sv}", "s", P(enrolment) P(certificate_pem), Access::enroll, enroll},
    {"EnrollByCertificate", "a{sv}", "s", P(enrolment) P(certificate_pem), Access::enroll, enroll_by_certificate},
    {"Reenroll", "a{sv}", "s", P(reenrolment) P(certificate_pem), Access::enroll, reenroll},
    {"GetProfile", "s", "a{sv}", P(certificate_pem) P(profile), Access::enroll, get_profile},
    {"GetHolder", "s", "s", P(certificate_pem) P(client), Access::enroll, get_holder},
    {"GetCrl", "", "ay", P(der), Access::enroll, get_crl},
};
#undef P

}  // namespace

std::span<const Method> enrolment_methods() { return kMethods; }

}  // namespace gw::dbus
