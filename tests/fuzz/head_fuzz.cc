// SPDX-License-Identifier: Apache-2.0
// What the enrolment server reads of HTTP before it knows who speaks: the first request of a connection, in one piece
// and in two, within its limits. Each is taken, refused with an answer, or waits for more.
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "gatewayd/enroll/request.h"
#include "gatewayd/relay/target.h"

namespace {

namespace beast = boost::beast;
using gw::enroll::HttpRequest;

/// The request; nothing: it was refused, or is not whole.
std::optional<HttpRequest> read(const uint8_t* data, size_t size, size_t cut) {
  gw::enroll::RequestParser parser;
  gw::enroll::set_limits(parser);
  parser.eager(true);
  beast::error_code error;
  size_t used = 0;
  for (const size_t end : {cut, size}) {
    while (!parser.is_done() && used < end) {
      const size_t took = parser.put(boost::asio::buffer(data + used, end - used), error);
      used += took;
      if (error == beast::http::error::need_more) error = {};
      if (error || took == 0) break;
    }
    if (error) break;
  }
  if (error) {
    const auto answer = gw::enroll::unreadable(error);
    if (answer && (answer->status < 400 || answer->status > 499 || answer->body.empty())) std::abort();
    return std::nullopt;
  }
  if (!parser.is_done()) return std::nullopt;
  return gw::enroll::plain_request(parser.release());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostBody = size_t{24} << 10U;
  const auto whole = read(data, size, 0);
  const auto cut = read(data, size, size / 2);
  if (whole && cut && (whole->path != cut->path || whole->body != cut->body || whole->upgrade != cut->upgrade))
    std::abort();
  if (!whole) return 0;
  if (whole->path.contains('?') || whole->body.size() > kMostBody) std::abort();
  const auto target = gw::relay::target_of(whole->path);
  if (target && (target->port == 0 || target->host.empty())) std::abort();
  return 0;
}
