// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/ways.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "ctl/connect/membership.h"
#include "ctl/connect/plan.h"

namespace gw::connect {
namespace {

constexpr int kTrialsGrow = 6;

double monotonic() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void log(const char* level, const std::string& text) { fmt::print(stderr, "{}{}\n", level, text); }

sockaddr_in loopback(uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

/// A socket of this machine that hears nobody but WireGuard's port, and its own port.
Result<std::pair<UniqueFd, uint16_t>> open_local(uint16_t wireguard) {
  constexpr const char* kOpen = "open a socket beside WireGuard";
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in own = loopback(0);
  const sockaddr_in peer = loopback(wireguard);
  socklen_t size = sizeof own;
  if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0)
    return failure(errno, kOpen);
  return std::pair(std::move(fd), ntohs(own.sin_port));
}

/// Invalid when there is no way there.
UniqueFd dial_udp(const nl::UdpEndpoint& gateway, uint32_t mark) {
  sockaddr_storage address{};
  socklen_t size = 0;
  if (gateway.address.family == Family::v4) {
    auto& four = reinterpret_cast<sockaddr_in&>(address);
    four.sin_family = AF_INET;
    four.sin_port = htons(gateway.port);
    std::memcpy(&four.sin_addr, gateway.address.bytes.data(), sizeof four.sin_addr);
    size = sizeof four;
  } else {
    auto& six = reinterpret_cast<sockaddr_in6&>(address);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(gateway.port);
    std::memcpy(&six.sin6_addr, gateway.address.bytes.data(), sizeof six.sin6_addr);
    size = sizeof six;
  }
  UniqueFd fd(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool marked = mark == 0 || ::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
  if (!fd.valid() || !marked || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return {};
  return fd;
}

}  // namespace

void Ways::clear() {
  const auto all = store_.load();
  if (!all) return;
  for (const Network& network : all->networks) tell(network.id, std::nullopt);
}

void Ways::tend(const std::vector<Report>& reports) {
  std::erase_if(ways_, [&](auto& entry) {
    const bool gone = std::ranges::none_of(reports, [&](const Report& r) { return r.network.id == entry.first; });
    if (gone && entry.second.stream) entry.second.stream->stop();
    return gone;
  });
  for (const Report& report : reports) look(report);
}

bool Ways::is_unsettled() const {
  return std::ranges::any_of(ways_, [](const auto& entry) { return entry.second.transport.is_unsettled(); });
}

void Ways::look(const Report& report) {
  const Network& network = report.network;
  if (!report.state || !report.state->up) return;
  Way& way = ways_[network.id];
  const nl::WgPeerState& peer = report.state->peer;
  const Transport::Sign sign{.handshake = peer.last_handshake,
                             .rx = peer.rx_bytes,
                             .tx = peer.tx_bytes,
                             .session = report.is_up(clock_.now())};
  const bool other_proxy = way.proxy_changes && *way.proxy_changes != network.proxy_changes;
  way.proxy_changes = network.proxy_changes;
  if (other_proxy) way.transport.hurry();
  const auto wish = way.transport.observe(sign, monotonic());
  way.handshake = peer.last_handshake;
  // The session of before is no sign that it is over: only a handshake since is.
  const bool fresh = way.handshake != way.handshake_at_trouble;
  if (wish == Transport::Wish::nothing && sign.session && fresh && !way.stream && !way.trouble.empty()) {
    way.trouble.clear();
    tell(network.id, std::nullopt);
  }
  const char* why = way.wireguard != report.state->listen_port ? "WireGuard has another port"
                    : other_proxy                              ? "another proxy was given"
                    : wish == Transport::Wish::hang_up         ? "nothing came through TLS any more"
                                                               : nullptr;
  if (way.stream && why != nullptr) {
    way.stopped_for = why;
    way.stream->stop();
  }
  if (!way.stream) way.wireguard = report.state->listen_port;
  if (wish == Transport::Wish::dial && way.wireguard != 0) dial(network);
}

void Ways::dial(const Network& network) {
  const std::string name = network.id + " way";
  if (jobs_.is_busy(name)) return;
  ways_[network.id].transport.dialling();
  auto box = std::make_shared<std::shared_ptr<DatagramStream>>();
  jobs_.start(
      name,
      [store = store_, network, now = clock_.now(), box]() -> Result<void> {
        auto stream = open_stream(store, network, now);
        if (!stream) return std::unexpected(stream.error());
        *box = std::move(*stream);
        return {};
      },
      [this, id = network.id, box](const Result<void>& result) { dialled(id, result, *box); });
}

void Ways::dialled(const std::string& id, const Result<void>& result, std::shared_ptr<DatagramStream> stream) {
  const auto found = ways_.find(id);
  if (found == ways_.end()) return;
  Way& way = found->second;
  const double now = monotonic();
  Result<uint16_t> port = result ? Result<uint16_t>(0) : std::unexpected(result.error());
  if (port && !way.transport.dialled(now)) return;
  if (port) {
    way.stream = std::move(stream);
    port = carry(id, way);
  }
  if (!port) {
    way.stream.reset();
    way.transport.failed(now);
    // Told once, and not at each of many attempts.
    const std::string trouble = port.error().message();
    if (trouble != way.trouble) tell(id, Relay{.port = 0, .through = {}, .since = 0, .trouble = trouble});
    way.trouble = trouble;
    way.handshake_at_trouble = way.handshake;
    return;
  }
  way.trouble.clear();
  const auto through = way.stream->through();
  log(SD_INFO,
      id + ": UDP gets no answer; packets go through TLS" + (through ? " through proxy " + through->str() : ""));
  tell(id, Relay{.port = *port, .through = through ? through->str() : "", .since = clock_.now(), .trouble = {}});
}

Result<uint16_t> Ways::carry(const std::string& id, Way& way) {
  auto local = open_local(way.wireguard);
  if (!local) return std::unexpected(local.error());
  const auto network = store_.load(id);
  if (!network) return std::unexpected(network.error());
  UdpTrial trial{.dial = {}, .first = udp_retry_, .longest = kTrialsGrow * udp_retry_};
  if (const auto direct = direct_endpoint(*network))
    trial.dial = [gateway = *direct, mark = mark_of(*network)] { return dial_udp(gateway, mark); };
  auto fd = std::make_shared<UniqueFd>(std::move(local->first));
  auto ending = std::make_shared<DatagramStream::Ending>(DatagramStream::Ending::stopped);
  jobs_.start(
      id + " way",
      [stream = way.stream, fd, trial, ending]() -> Result<void> {
        auto end = stream->carry(std::move(*fd), trial);
        if (!end) return std::unexpected(end.error());
        *ending = *end;
        return {};
      },
      [this, id, ending](const Result<void>& result) {
        ended(id, result, *ending == DatagramStream::Ending::udp_answers);
      });
  return local->second;
}

void Ways::ended(const std::string& id, const Result<void>& result, bool udp_answers) {
  const auto found = ways_.find(id);
  const std::string why = found == ways_.end() ? "it was left" : found->second.stopped_for;
  if (udp_answers)
    log(SD_INFO, id + ": UDP answers again");
  else
    log(SD_WARNING, id + ": " + (result ? why : result.error().message()));
  tell(id, std::nullopt);
  if (found == ways_.end()) return;
  found->second.stream.reset();
  found->second.transport.ended(udp_answers, monotonic());
}

void Ways::tell(const std::string& id, const std::optional<Relay>& relay) {
  if (auto told = store_.set_relay(id, relay); !told && told.error().code != ENOENT)
    log(SD_ERR, told.error().message());
  changed_();
}

}  // namespace gw::connect
