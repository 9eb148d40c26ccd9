// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/request.h"

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <string>
#include <utility>

namespace gw::enroll {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr uint32_t kMostHeader = 8192;
constexpr uint64_t kMostBody = uint64_t{24} << 10U;  // a request of 16 KiB in base64, and its line ends

HttpAnswer refused(unsigned status, const char* why) {
  HttpAnswer out;
  out.status = status;
  out.body = std::string(why) + "\n";
  return out;
}

}  // namespace

void set_limits(RequestParser& parser) {
  parser.header_limit(kMostHeader);
  parser.body_limit(kMostBody);
}

HttpRequest plain_request(http::request<http::string_body>&& in) {
  HttpRequest out;
  const auto text = [&](auto field) { return std::string(in[field]); };
  out.method = std::string(in.method_string());
  out.path = std::string(in.target().substr(0, in.target().find('?')));
  if (in.version() == 11 && http::token_list(in[http::field::connection]).exists("upgrade"))
    out.upgrade = text(http::field::upgrade);
  out.content_type = text(http::field::content_type);
  out.authorization = text(http::field::authorization);
  out.proof = text("WireGuard-Proof");
  out.present_proof = text("WireGuard-Proof-Present");
  out.body = std::move(in.body());
  return out;
}

std::optional<HttpAnswer> unreadable(const beast::error_code& error) {
  if (error == http::error::body_limit) return refused(413, "The request is too long.");
  if (error == http::error::header_limit) return refused(431, "The header is too long.");
  if (error == beast::error::timeout || error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_method).category()) return refused(400, "This is not HTTP.");
  return std::nullopt;
}

}  // namespace gw::enroll
