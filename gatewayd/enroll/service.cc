// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/service.h"

#include <cerrno>
#include <string_view>

#include "gatewayd/base/base64.h"
#include "gatewayd/enroll/pages.h"
#include "gatewayd/pki/est.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto kFactsAge = std::chrono::seconds(10);
constexpr auto kCrlAge = std::chrono::seconds(10);
constexpr const char* kCertificates = "application/pkcs7-mime; smime-type=certs-only";

HttpAnswer text(unsigned status, std::string body) {
  HttpAnswer out;
  out.status = status;
  out.body = std::move(body) + "\n";
  return out;
}

/// EST bodies are base64 (RFC 7030 §4.1.3); in lines that base64(1) and openssl(1) read as they are.
HttpAnswer encoded(const char* type, std::string_view der) {
  constexpr size_t kLine = 64;
  HttpAnswer out;
  out.type = type;
  const std::string all = base64(der);
  for (size_t at = 0; at < all.size(); at += kLine) out.body += all.substr(at, kLine) + "\n";
  out.headers.emplace_back("Content-Transfer-Encoding", "base64");
  return out;
}

HttpAnswer later(const char* why) {
  HttpAnswer out = text(503, why);
  out.headers.emplace_back("Retry-After", "2");
  return out;
}

/// Whoever holds a token, or a certificate, may know what was wrong with what he sent; others learn nothing.
HttpAnswer refusal(const Error& error) {
  switch (error.code) {
    case EACCES: {
      HttpAnswer out = text(401, "The token does not hold.");
      out.headers.emplace_back("WWW-Authenticate", "Basic realm=\"gatewayd\"");
      out.refused = true;
      return out;
    }
    case EKEYREJECTED:
      return text(403, error.detail);
    case EEXIST:
      return text(409, error.detail);
    case EINVAL:
    case ENOENT:
    case ENOSPC:
      return text(400, error.detail);
    default:
      return later("The gateway cannot answer now.");
  }
}

HttpAnswer certificate(const Result<Json>& pem) {
  if (!pem) return refusal(pem.error());
  const auto pack = pki::certs_only(pem->get<std::string>());
  return pack ? encoded(kCertificates, *pack) : later("The gateway cannot answer now.");
}

/// The token in "Basic BASE64(USER:TOKEN)" (RFC 7617); any user.
std::string token_of(const std::string& authorization) {
  constexpr std::string_view kBasic = "Basic ";
  if (!authorization.starts_with(kBasic)) return {};
  const auto plain = base64_decode(std::string_view(authorization).substr(kBasic.size()));
  const size_t colon = plain ? plain->find(':') : std::string::npos;
  return colon == std::string::npos ? std::string() : plain->substr(colon + 1);
}

Json enrolment_of(const HttpRequest& request) {
  return only({{"token", token_of(request.authorization)},
               {"request", request.body},
               {"proof", request.proof},
               {"source", request.source}});
}

Json introduction_of(const HttpRequest& request) {
  return only({{"certificate_pem", request.certificate_pem},
               {"chain_pem", request.chain_pem},
               {"request", request.body},
               {"proof", request.proof},
               {"source", request.source}});
}

Json reenrolment_of(const HttpRequest& request) {
  return only({{"certificate_pem", request.certificate_pem},
               {"request", request.body},
               {"proof", request.proof},
               {"present_proof", request.present_proof},
               {"source", request.source}});
}

HttpAnswer json(const Json& value) {
  HttpAnswer out;
  out.type = "application/json";
  out.body = value.dump() + "\n";
  return out;
}

HttpAnswer challenge_of(const Json& facts, int64_t age) {
  return json({{"public_key", facts.at("challenge_key")},
               {"nonce", facts.at("challenge_nonce")},
               {"seconds", facts.at("challenge_seconds").get<int64_t>() - age}});
}

HttpAnswer page(const char* type, const char* body) {
  HttpAnswer out;
  out.type = type;
  out.body = body;
  return out;
}

bool is_request(const HttpRequest& request) {
  return request.content_type.substr(0, request.content_type.find(';')) == "application/pkcs10";
}

}  // namespace

// A gatewayd that was started anew asks other challenges.
Service::Service(Bus& bus) : bus_(bus) {
  bus_.on_restart([this] { facts_.reset(); });
}

asio::awaitable<Result<Json>> Service::facts() {
  if (facts_ && Clock::now() - facts_->at < kFactsAge) co_return facts_->value;
  auto fresh = co_await bus_.call("GetFacts", "", Json::array());
  if (fresh) facts_ = Kept{*fresh, Clock::now()};
  co_return fresh;
}

asio::awaitable<HttpAnswer> Service::challenge() {
  const auto facts = co_await this->facts();
  if (!facts) co_return refusal(facts.error());
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - facts_->at).count();
  co_return challenge_of(*facts, age);
}

asio::awaitable<HttpAnswer> Service::authorities() {
  const auto facts = co_await this->facts();
  if (!facts) co_return refusal(facts.error());
  co_return certificate(facts->at("authorities_pem"));
}

asio::awaitable<HttpAnswer> Service::crl() {
  if (!crl_ || Clock::now() - crl_->at >= kCrlAge) {
    const auto fresh = co_await bus_.call("GetCrl", "", Json::array());
    if (!fresh) co_return refusal(fresh.error());
    crl_ = Kept{*fresh, Clock::now()};
  }
  const auto& bytes = crl_->value.get_binary();
  HttpAnswer out;
  out.type = "application/pkix-crl";
  out.body.assign(bytes.begin(), bytes.end());
  co_return out;
}

asio::awaitable<HttpAnswer> Service::enroll(HttpRequest request) {
  if (!is_request(request)) co_return text(415, "Send a request as application/pkcs10 (RFC 7030).");
  // A token says more of what is wanted than a certificate that a browser or curl shows to everybody.
  const bool introduced = request.authorization.empty() && !request.certificate_pem.empty();
  std::string method = introduced ? "EnrollByCertificate" : "Enroll";
  Json sent = introduced ? introduction_of(request) : enrolment_of(request);
  const auto pem = co_await bus_.call(std::move(method), "a{sv}", std::move(sent));
  HttpAnswer out = certificate(pem);
  if (out.status == 403) out.refused = true;
  co_return out;
}

asio::awaitable<HttpAnswer> Service::reenroll(HttpRequest request) {
  if (!is_request(request)) co_return text(415, "Send a request as application/pkcs10 (RFC 7030).");
  if (request.certificate_pem.empty()) co_return text(403, "Show your certificate to TLS.");
  const auto pem = co_await bus_.call("Reenroll", "a{sv}", reenrolment_of(request));
  co_return certificate(pem);
}

asio::awaitable<HttpAnswer> Service::profile(HttpRequest request) {
  if (request.certificate_pem.empty()) co_return text(403, "Show your certificate to TLS.");
  auto facts = co_await bus_.call("GetProfile", "s", only(request.certificate_pem));
  if (!facts) co_return refusal(facts.error());
  facts->erase("certificate_pem");
  facts->erase("chain_pem");
  co_return json(*facts);
}

asio::awaitable<Result<std::string>> Service::holder_of(std::string certificate_pem) {
  const auto name = co_await bus_.call("GetHolder", "s", only(std::move(certificate_pem)));
  if (!name) co_return std::unexpected(name.error());
  co_return name->get<std::string>();
}

asio::awaitable<HttpAnswer> Service::answer(HttpRequest request) {
  const bool get = request.method == "GET" || request.method == "HEAD";
  const bool post = request.method == "POST";
  const std::string path = request.path;
  const bool enrolls = path == "/.well-known/est/simpleenroll";
  const bool renews = path == "/.well-known/est/simplereenroll";
  if ((enrolls || renews) && !post) co_return text(405, "POST it.");
  if (enrolls) co_return co_await enroll(std::move(request));
  if (renews) co_return co_await reenroll(std::move(request));
  if (!get) co_return text(405, "GET it.");
  if (path == "/.well-known/est/cacerts") co_return co_await authorities();
  if (path == "/.well-known/est/csrattrs") co_return encoded("application/csrattrs", pki::request_attributes());
  if (path == "/.well-known/gatewayd/challenge") co_return co_await challenge();
  if (path == "/.well-known/gatewayd/profile") co_return co_await profile(std::move(request));
  if (path == "/.well-known/gatewayd/crl") co_return co_await crl();
  if (path == "/join.sh") co_return page("text/x-shellscript; charset=utf-8", kJoinScript);
  if (path == "/join" || path == "/") co_return page("text/html; charset=utf-8", kJoinPage);
  co_return text(404, "There is nothing here.");
}

}  // namespace gw::enroll
