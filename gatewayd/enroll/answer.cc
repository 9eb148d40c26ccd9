// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/answer.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <utility>

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);

http::response<http::string_body> response(HttpAnswer&& answer, bool head, bool keep_alive) {
  http::response<http::string_body> out(static_cast<http::status>(answer.status), 11);
  out.set(http::field::content_type, answer.type);
  out.set(http::field::cache_control, "no-store");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  out.set("Strict-Transport-Security", "max-age=31536000");
  for (const auto& [name, value] : answer.headers) out.set(name, value);
  out.keep_alive(keep_alive);
  if (!head) out.body() = std::move(answer.body);
  out.prepare_payload();
  return out;
}

}  // namespace

asio::awaitable<bool> write_answer(relay::Stream& stream, HttpAnswer answer, bool head, bool keep_alive) {
  beast::get_lowest_layer(stream).expires_after(kAnswerTime);
  auto message = response(std::move(answer), head, keep_alive);
  const auto [error, size] = co_await http::async_write(stream, message, kQuiet);
  co_return !error && keep_alive;
}

}  // namespace gw::enroll
