// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/enroll/relays.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <utility>

#include "gatewayd/enroll/answer.h"
#include "gatewayd/relay/target.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::udp;

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);
constexpr size_t kMostStreams = 512;
constexpr size_t kMostOfOne = 2;  // the one that broke unseen, and the next

std::unexpected<HttpAnswer> refused(unsigned status, const char* why) {
  HttpAnswer out;
  out.status = status;
  out.body = std::string(why) + "\n";
  return std::unexpected(std::move(out));
}

/// With the reason for those who read it (RFC 9209).
std::unexpected<HttpAnswer> refused_by_proxy(unsigned status, const char* why, const char* error) {
  auto out = refused(status, why);
  out.error().headers.emplace_back("Proxy-Status", std::string("gatewayd-enroll; error=") + error);
  return out;
}

http::response<http::empty_body> switching() {
  http::response<http::empty_body> out(http::status::switching_protocols, 11);
  out.set(http::field::connection, "Upgrade");
  out.set(http::field::upgrade, relay::kUpgrade);
  out.set("Capsule-Protocol", "?1");  // RFC 9297 §3.4
  return out;
}

}  // namespace

Relays::Relays(asio::io_context& io, Service& service)
    : io_(io), service_(service), places_(Doors::Limits{.connections = kMostStreams, .per_source = kMostOfOne}) {}

bool Relays::is_wanted(const HttpRequest& request) const { return request.path.starts_with(relay::kResource); }

asio::awaitable<std::expected<Relays::Passage, HttpAnswer>> Relays::judge(const HttpRequest& request) {
  const auto target = relay::target_of(request.path);
  // RFC 9298 §3.2 calls all of these malformed.
  if (!target || request.method != "GET" || !beast::iequals(request.upgrade, relay::kUpgrade))
    co_return refused(400, "GET it with Upgrade: connect-udp (RFC 9298), host and port in the path.");
  if (request.certificate_pem.empty()) co_return refused(403, "Show your certificate to TLS.");
  const auto facts = co_await service_.facts();
  if (!facts) co_return refused(503, "The gateway cannot answer now.");
  if (target != relay::parse_target(facts->at("endpoint").get<std::string>()))
    co_return refused_by_proxy(403, "Nothing but this gateway's WireGuard is reached from here.",
                               "destination_ip_prohibited");
  const auto client = co_await service_.holder_of(request.certificate_pem);
  if (!client && client.error().code == EKEYREJECTED) co_return refused(403, client.error().detail.c_str());
  if (!client) co_return refused(503, "The gateway cannot answer now.");
  co_return Passage{.client = *client, .port = facts->at("wireguard_port").get<uint16_t>()};
}

// A gatewayd that is not there just now takes nothing away.
asio::awaitable<bool> Relays::has_access(std::string certificate_pem) {
  const auto client = co_await service_.holder_of(std::move(certificate_pem));
  co_return client || client.error().code != EKEYREJECTED;
}

asio::awaitable<void> Relays::serve(relay::Stream& stream, HttpRequest request, beast::flat_buffer& read,
                                    std::function<void()> opened) {
  auto passage = co_await judge(request);
  udp::socket wireguard(io_);
  boost::system::error_code failed;
  if (passage) {
    wireguard.open(udp::v4(), failed);
    if (!failed) wireguard.connect({asio::ip::address_v4::loopback(), passage->port}, failed);
    if (failed) passage = refused_by_proxy(502, "WireGuard cannot be reached.", "destination_unavailable");
  }
  if (!passage) {
    co_await write_answer(stream, std::move(passage.error()), false, false);
    beast::get_lowest_layer(stream).expires_after(kAnswerTime);
    co_await stream.async_shutdown(kQuiet);
    co_return;
  }
  relay::Pump::Rules rules;
  rules.may_go_on = [this, certificate = request.certificate_pem] { return has_access(certificate); };
  relay::Pump pump(stream, std::move(wireguard), std::move(rules));
  const Seat seat(places_, passage->client, [&pump] { pump.end("the client has others"); });
  opened();
  beast::get_lowest_layer(stream).expires_after(kAnswerTime);
  auto message = switching();
  const auto [error, size] = co_await http::async_write(stream, message, kQuiet);
  if (error) co_return;
  const auto bytes = read.cdata();
  co_await pump.run({static_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace gw::enroll
