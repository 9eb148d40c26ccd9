// SPDX-License-Identifier: Apache-2.0
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <span>

#include "netlink/wguapi.h"

namespace gw::nl {
namespace {

constexpr size_t kPiece = size_t{16} << 10U;
constexpr size_t kLongestLine = 256;

// Collects lines and hands them on in pieces. The buffer never grows, so that no copy of a secret stays behind.
class Writer {
 public:
  explicit Writer(const std::function<void(std::string_view)>& sink) : sink_(sink) {
    text_.reserve(kPiece + kLongestLine);
  }
  ~Writer() { explicit_bzero(text_.data(), text_.capacity()); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void line(std::string_view name, std::string_view value) {
    text_.append(name).append("=").append(value).append("\n");
    if (text_.size() >= kPiece) flush();
  }
  void key(std::string_view name, std::span<const uint8_t, kWireGuardKeySize> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text_.append(name).append("=");
    for (const uint8_t byte : bytes) {
      text_.push_back(kDigits[byte >> 4U]);
      text_.push_back(kDigits[byte & 15U]);
    }
    text_.append("\n");
  }
  void end() {
    text_.append("\n");
    flush();
  }

 private:
  void flush() {
    sink_(text_);
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }

  const std::function<void(std::string_view)>& sink_;
  std::string text_;
};

std::string endpoint_text(const UdpEndpoint& endpoint) {
  const std::string host = endpoint.address.str();
  return (endpoint.address.family == Family::v6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port);
}

}  // namespace

void write_uapi_set(const WgChange& change, const std::function<void(std::string_view)>& sink) {
  Writer writer(sink);
  writer.line("set", "1");
  if (change.private_key) writer.key("private_key", change.private_key->reveal());
  if (change.listen_port) writer.line("listen_port", std::to_string(*change.listen_port));
  if (change.fwmark) writer.line("fwmark", std::to_string(*change.fwmark));
  for (const auto& key : change.remove) {
    writer.key("public_key", key.bytes);
    writer.line("remove", "true");
  }
  for (const auto& [key, peer] : change.set) {
    writer.key("public_key", key.bytes);
    if (peer.endpoint) writer.line("endpoint", endpoint_text(*peer.endpoint));
    writer.line("persistent_keepalive_interval", std::to_string(peer.keepalive));
    writer.line("replace_allowed_ips", "true");
    for (const auto& prefix : peer.allowed_ips) writer.line("allowed_ip", prefix.str());
  }
  writer.end();
}

}  // namespace gw::nl
