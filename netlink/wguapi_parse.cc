// SPDX-License-Identifier: Apache-2.0
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "netlink/wguapi.h"

namespace gw::nl {
namespace {

using KeyBytes = std::array<uint8_t, kWireGuardKeySize>;

template <class T>
bool read_number(std::string_view text, T& out, T limit = std::numeric_limits<T>::max()) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > limit) return false;
  out = value;
  return true;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_key(std::string_view text, KeyBytes& out) {
  if (text.size() != 2 * out.size()) return false;
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

bool read_endpoint(std::string_view text, std::optional<UdpEndpoint>& out) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  host = host.substr(0, host.find('%'));  // the scope of a link-local address is of no use to us
  const auto address = IpAddress::parse(host);
  UdpEndpoint endpoint;
  if (!address || bracketed != (address->family == Family::v6)) return false;
  if (!read_number(text.substr(colon + 1), endpoint.port)) return false;
  endpoint.address = *address;
  out = endpoint;
  return true;
}

// Which keys a section has seen; every one but allowed_ip may come once.
enum class Key : uint8_t {
  private_key,
  listen_port,
  fwmark,
  public_key,
  preshared_key,
  protocol_version,
  endpoint,
  handshake_seconds,
  handshake_nanoseconds,
  tx_bytes,
  rx_bytes,
  keepalive,
  allowed_ip,
  count
};

struct KeyName {
  std::string_view name;
  Key key;
  bool of_peer;
};

constexpr std::array<KeyName, static_cast<size_t>(Key::count)> kKeys = {{
    {"private_key", Key::private_key, false},
    {"listen_port", Key::listen_port, false},
    {"fwmark", Key::fwmark, false},
    {"public_key", Key::public_key, true},
    {"preshared_key", Key::preshared_key, true},
    {"protocol_version", Key::protocol_version, true},
    {"endpoint", Key::endpoint, true},
    {"last_handshake_time_sec", Key::handshake_seconds, true},
    {"last_handshake_time_nsec", Key::handshake_nanoseconds, true},
    {"tx_bytes", Key::tx_bytes, true},
    {"rx_bytes", Key::rx_bytes, true},
    {"persistent_keepalive_interval", Key::keepalive, true},
    {"allowed_ip", Key::allowed_ip, true},
}};

class Parser {
 public:
  /// False: the line is not what the protocol allows here.
  bool line(std::string_view name, std::string_view value) {
    const auto* known = std::find_if(kKeys.begin(), kKeys.end(), [&](const KeyName& one) { return one.name == name; });
    if (known == kKeys.end()) return false;
    if (known->key == Key::public_key) return begin_peer(value);
    if (known->of_peer != (peer_ != nullptr)) return false;
    const auto bit = static_cast<size_t>(known->key);
    if (known->key != Key::allowed_ip && seen_.test(bit)) return false;
    seen_.set(bit);
    return peer_ == nullptr ? of_device(known->key, value) : of_peer(known->key, value);
  }
  UapiDevice take() { return std::move(out_); }

 private:
  bool begin_peer(std::string_view value) {
    PublicKey key;
    if (!read_key(value, key.bytes)) return false;
    const auto [peer, is_new] = out_.device.peers.try_emplace(key);
    if (!is_new) return false;
    peer_ = &peer->second;
    state_ = &out_.device.states[key];
    seen_.reset();
    return true;
  }

  bool of_device(Key key, std::string_view value) {
    switch (key) {
      case Key::private_key: {
        KeyBytes bytes{};
        const bool good = read_key(value, bytes);
        if (good) out_.private_key = SecretKey(bytes);
        explicit_bzero(bytes.data(), bytes.size());
        return good;
      }
      case Key::listen_port:
        return read_number(value, out_.device.listen_port);
      case Key::fwmark:
        return read_number(value, out_.device.fwmark);
      default:
        return false;
    }
  }

  bool of_peer(Key key, std::string_view value) {
    constexpr uint32_t kNanoseconds = 999'999'999;
    uint32_t ignored = 0;
    switch (key) {
      case Key::preshared_key:
        return value.size() == 2 * kWireGuardKeySize &&
               std::all_of(value.begin(), value.end(), [](char c) { return digit(c) >= 0; });
      case Key::protocol_version:
        return value == "1";
      case Key::endpoint:
        if (!read_endpoint(value, peer_->endpoint)) return false;
        state_->endpoint = peer_->endpoint;
        return true;
      case Key::handshake_seconds:
        return read_number(value, state_->last_handshake);
      case Key::handshake_nanoseconds:
        return read_number(value, ignored, kNanoseconds);
      case Key::tx_bytes:
        return read_number(value, state_->tx_bytes);
      case Key::rx_bytes:
        return read_number(value, state_->rx_bytes);
      case Key::keepalive:
        return read_number(value, peer_->keepalive);
      case Key::allowed_ip: {
        const auto prefix = value.contains('/') ? Prefix::parse(value) : std::nullopt;
        return prefix && peer_->allowed_ips.insert(*prefix).second;
      }
      default:
        return false;
    }
  }

  UapiDevice out_;
  WgPeer* peer_ = nullptr;  // into out_, whose map keeps its nodes in place
  WgPeerState* state_ = nullptr;
  std::bitset<static_cast<size_t>(Key::count)> seen_;
};

std::unexpected<Error> bad(size_t line) {
  return failure(EBADMSG, "read wireguard-go's answer", "line " + std::to_string(line),
                 "it does not follow the protocol");
}

// errno=N at the end of an answer; wireguard-go sends it negative.
Result<void> end_of_answer(std::string_view value, std::string_view rest, size_t line) {
  constexpr int kMaxErrno = 4095;
  const bool negative = value.starts_with('-');
  int code = 0;
  if (rest != "\n" || !read_number(value.substr(negative ? 1 : 0), code, kMaxErrno)) return bad(line);
  if (code != 0) return failure(code, "configure WireGuard", "", "wireguard-go refused");
  return {};
}

struct Line {
  std::string_view name, value, rest;
};

std::optional<Line> split(std::string_view text) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const size_t equals = text.substr(0, end).find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  return Line{text.substr(0, equals), text.substr(equals + 1, end - equals - 1), text.substr(end + 1)};
}

}  // namespace

Result<UapiDevice> parse_uapi_get(std::string_view answer) {
  Parser parser;
  for (size_t number = 1;; ++number) {
    const auto line = split(answer);
    if (!line) return bad(number);
    if (line->name == "errno") {
      if (auto end = end_of_answer(line->value, line->rest, number); !end) return std::unexpected(end.error());
      return parser.take();
    }
    if (!parser.line(line->name, line->value)) return bad(number);
    answer = line->rest;
  }
}

Result<void> parse_uapi_set(std::string_view answer) {
  const auto line = split(answer);
  if (!line || line->name != "errno") return bad(1);
  return end_of_answer(line->value, line->rest, 1);
}

bool is_whole_uapi_answer(std::string_view answer) { return answer.ends_with("\n\n"); }

}  // namespace gw::nl
