// SPDX-License-Identifier: Apache-2.0
// gatewayd-enroll: the door through which devices get in by themselves. It holds no secret but its own TLS key, and may
// ask gatewayd to redeem an invitation or to renew a certificate, nothing else.
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>

#include "gatewayd/base/clock.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/enroll/identity.h"
#include "gatewayd/enroll/server.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct Options {
  std::string state = "/var/lib/gatewayd-enroll";
  std::vector<std::string> listen;
};

void say(const char* level, const std::string& line) { fmt::print(stderr, "{}{}\n", level, line); }

/// "5.5.5.1:443", "[2a0d:5::1]:443".
tcp::endpoint endpoint_of(const std::string& text) {
  const size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {asio::ip::make_address(host), static_cast<uint16_t>(std::stoul(text.substr(colon + 1)))};
}

CLI::Validator listen_address() {
  return {[](const std::string& text) {
            try {
              endpoint_of(text);
              return std::string();
            } catch (const std::exception&) {
              return "'" + text + "' is no ADDRESS:PORT such as 203.0.113.1:443 or [2001:db8::1]:443";
            }
          },
          "ADDRESS:PORT"};
}

/// The sockets of the .socket unit, or those of --listen. Throws boost::system::system_error.
std::vector<tcp::acceptor> acceptors(asio::io_context& io, const Options& options) {
  std::vector<tcp::acceptor> out;
  const int handed = sd_listen_fds(1);
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + handed; ++fd) {
    const bool v6 = sd_is_socket_inet(fd, AF_INET6, SOCK_STREAM, 1, 0) > 0;
    out.emplace_back(io, v6 ? tcp::v6() : tcp::v4(), fd);
  }
  for (const std::string& text : options.listen) out.emplace_back(io, endpoint_of(text), true);
  return out;
}

/// Keeps the certificate as it has to be; tells systemd, and once the journal, how it is. `first`: cancelled when there
/// is one.
asio::awaitable<void> keep(asio::io_context& io, Bus& bus, Service& service, Identity& identity,
                           asio::steady_timer& first) {
  constexpr auto kLook = std::chrono::seconds(10);
  constexpr auto kRetry = std::chrono::milliseconds(500);
  const SystemClock clock;
  std::string told;
  for (;;) {
    const auto facts = co_await service.facts();
    // g++ 12 destroys the error twice when co_await stands in a conditional expression.
    Result<bool> done = false;
    if (facts)
      done = co_await identity.refresh(bus, *facts, clock.now());
    else
      done = std::unexpected(facts.error());
    const std::string state = done ? "serving" : done.error().message();
    if (done) first.cancel();
    if (done && *done) say(SD_INFO, "has a certificate, for " + facts->at("names").dump());
    if (state != told) {
      say(done ? SD_INFO : SD_WARNING, state);
      sd_notifyf(0, "STATUS=%s", state.c_str());
    }
    told = state;
    asio::steady_timer pause(io, done ? std::chrono::milliseconds(kLook) : kRetry);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

/// Who comes before there is a certificate, such as the connection that had systemd start this, waits in the backlog of
/// its socket; without gatewayd not for long.
asio::awaitable<void> open_doors(Server& server, std::vector<tcp::acceptor>& listening, asio::steady_timer& first) {
  co_await first.async_wait(asio::as_tuple(asio::use_awaitable));
  for (auto& acceptor : listening) server.serve(std::move(acceptor));
}

/// A descriptor for each connection that the doors let in.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int serve(const Options& options) {
  raise_descriptor_limit();
  auto identity = Identity::open(options.state);
  if (!identity) {
    say(SD_ERR, identity.error().message());
    return EXIT_FAILURE;
  }
  asio::io_context io(1);
  auto listening = acceptors(io, options);
  if (listening.empty()) {
    say(SD_ERR, "nothing to listen on: start gatewayd-enroll.socket, or give --listen ADDRESS:PORT");
    return EXIT_FAILURE;
  }
  Bus bus(io);
  Service service(bus);
  Doors doors(Doors::Limits{});
  Relays relays(io, service);
  Server server(io, service, doors, relays, [&identity] { return identity->context(); });
  constexpr auto kPatience = std::chrono::seconds(10);
  asio::steady_timer first(io, identity->context() ? std::chrono::seconds(0) : kPatience);
  asio::co_spawn(io, open_doors(server, listening, first), asio::detached);
  asio::co_spawn(io, keep(io, bus, service, *identity, first), asio::detached);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { io.stop(); });
  sd_notify(0, "READY=1");
  io.run();
  sd_notify(0, "STOPPING=1");
  // Connections that are open lie in `io` and hold on to what would be gone before it.
  std::quick_exit(EXIT_SUCCESS);
}

}  // namespace
}  // namespace gw::enroll

int main(int argc, char** argv) {
  CLI::App app("Lets devices enrol over HTTPS (RFC 7030); see gatewayd-enroll(8).", "gatewayd-enroll");
  gw::enroll::Options options;
  app.set_version_flag("--version", GW_VERSION);
  app.add_option("--state", options.state, "Where its TLS key is kept")->capture_default_str();
  app.add_option("--listen", options.listen, "Beside what systemd hands over; may be given several times")
      ->check(gw::enroll::listen_address());
  CLI11_PARSE(app, argc, argv);
  try {
    return gw::enroll::serve(options);
  } catch (const std::exception& error) {
    gw::enroll::say(SD_ERR, error.what());
    return EXIT_FAILURE;
  }
}
