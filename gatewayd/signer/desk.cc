// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/signer/desk.h"

#include <cerrno>
#include <cstdint>

namespace gw::signer {
namespace {

constexpr const char* kAct = "serve the authority's keys";
constexpr UnixSeconds kDay = 86400;
constexpr UnixSeconds kLongestClient = 3650 * kDay;
constexpr UnixSeconds kLongestServer = 398 * kDay;
constexpr UnixSeconds kLongestCrl = 30 * kDay;
constexpr UnixSeconds kLastTime = 253'402'300'799;  // 9999-12-31 23:59:59 (RFC 5280 §4.1.2.5)

Result<Json> view_json(const Result<pki::AuthorityView>& view) {
  if (!view) return std::unexpected(view.error());
  return to_json(view->certificates());
}

/// A whole number from 0; JSON has others too, and longer ones.
Result<int64_t> number_in(const Json& value, const char* what, int64_t most) {
  if (value.is_number_unsigned() && value.get<uint64_t>() <= static_cast<uint64_t>(most)) return value.get<int64_t>();
  if (value.is_number_integer() && !value.is_number_unsigned() && value.get<int64_t>() >= 0 &&
      value.get<int64_t>() <= most)
    return value.get<int64_t>();
  return failure(EBADMSG, kAct, {}, std::string(what) + " is no number that it could be");
}

Result<UnixSeconds> time_in(const Json& question, const char* member) {
  return number_in(question.at(member), member, kLastTime);
}

Result<void> check_life(UnixSeconds from, UnixSeconds to, UnixSeconds longest) {
  if (to - from <= longest) return {};
  return failure(EPERM, kAct, {}, "it would be good for more than " + std::to_string(longest / kDay) + " days");
}

Result<pki::Request> request_of(const Json& question) {
  const auto wireguard = PublicKey::parse(question.at("wireguard").get<std::string>());
  if (!wireguard) return failure(EBADMSG, kAct, {}, "wireguard is no key");
  return pki::Request{.name = {}, .wireguard = *wireguard, .public_key_pem = question.at("public_key")};
}

Result<std::vector<pki::RevokedCertificate>> revoked_of(const Json& list) {
  std::vector<pki::RevokedCertificate> out;
  for (const Json& one : list) {
    const auto at = number_in(one.at(1), "the time of a revocation", kLastTime);
    if (!at) return std::unexpected(at.error());
    out.push_back({one.at(0), *at, one.at(2)});
  }
  return out;
}

std::string hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    const auto value = static_cast<uint8_t>(byte);
    out += kDigits[value >> 4U];
    out += kDigits[value & 15U];
  }
  return out;
}

}  // namespace

Json Desk::answer(const Json& question, uid_t caller) {
  try {
    return answer_of(act(question, caller));
  } catch (const Json::exception& wrong) {
    return answer_of(failure(EBADMSG, kAct, {}, wrong.what()));
  }
}

Result<Json> Desk::act(const Json& question, uid_t caller) {
  const std::string what = question.at("op");
  if (what == "view") return view_json(signer_.view());
  if (what == "issue" || what == "issue_server" || what == "crl") return sign(what, question);
  if (what == "init" || what == "rotate" || what == "request" || what == "import") return change(what, question);
  // Only what root has handed in is adopted: gatewayd says when.
  if (what == "adopt") {
    const auto done = pki::adopt_authority(directory_);
    return done ? Result<Json>(Json()) : std::unexpected(done.error());
  }
  if (what == "export" || what == "stage") {
    if (caller == 0) return move(what, question);
    return failure(EPERM, kAct, what, "the authority's keys are handed to root alone");
  }
  return failure(EBADMSG, kAct, what, "that is not known here");
}

Result<Json> Desk::sign(const std::string& what, const Json& question) {
  const auto now = time_in(question, "now");
  if (!now) return std::unexpected(now.error());
  const auto end = time_in(question, "end");
  if (!end) return std::unexpected(end.error());
  if (what == "crl") return sign_list(question, *now, *end);
  const bool server = what == "issue_server";
  if (auto good = check_life(*now, *end, server ? kLongestServer : kLongestClient); !good)
    return std::unexpected(good.error());
  if (server) {
    const auto made = signer_.issue_server(question.at("public_key"), question.at("names"), *now, *end);
    return made ? Result<Json>(made->pem) : std::unexpected(made.error());
  }
  const auto request = request_of(question);
  if (!request) return std::unexpected(request.error());
  const auto made = signer_.issue(*request, question.at("name"), question.at("uuid"), *now, *end);
  return made ? Result<Json>(made->pem) : std::unexpected(made.error());
}

Result<Json> Desk::sign_list(const Json& question, UnixSeconds now, UnixSeconds end) {
  if (auto good = check_life(now, end, kLongestCrl); !good) return std::unexpected(good.error());
  const auto number = number_in(question.at("number"), "number", INT64_MAX);
  if (!number) return std::unexpected(number.error());
  const auto revoked = revoked_of(question.at("revoked"));
  if (!revoked) return std::unexpected(revoked.error());
  const auto der = signer_.make_crl(*revoked, static_cast<uint64_t>(*number), now, end, question.at("issuer"));
  return der ? Result<Json>(hex(*der)) : std::unexpected(der.error());
}

Result<Json> Desk::change(const std::string& what, const Json& question) {
  if (what == "request") {
    const auto made = signer_.request(question.at("name"));
    return made ? Result<Json>(*made) : std::unexpected(made.error());
  }
  const auto now = time_in(question, "now");
  if (!now) return std::unexpected(now.error());
  if (what == "init") return view_json(signer_.init(question.at("name"), *now));
  if (what == "import") return view_json(signer_.import(question.at("pems"), question.at("cut_off"), *now));
  const auto rotation = question.at("root").get<bool>() ? pki::Rotation::root : pki::Rotation::issuing;
  return view_json(signer_.rotate(question.at("name"), rotation, *now));
}

Result<Json> Desk::move(const std::string& what, const Json& question) {
  if (what == "export") {
    const auto files = pki::export_authority(directory_);
    return files ? Result<Json>(*files) : std::unexpected(files.error());
  }
  const pki::NamedFiles files = question.at("files");
  if (auto done = pki::stage_authority(directory_, files); !done) return std::unexpected(done.error());
  return Json();
}

}  // namespace gw::signer
