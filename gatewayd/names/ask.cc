// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/names/ask.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "gatewayd/base/fd.h"

namespace gw::names {
namespace {

constexpr const char* kOperation = "ask for a name at";
constexpr int kLimitMs = 300;
constexpr uint16_t kPort = 53;
constexpr size_t kHeader = 12;          // RFC 1035 §4.1.1
constexpr uint8_t kAnswerBit = 0x80;    // of byte 2
constexpr uint8_t kCodeMask = 0x0f;     // of byte 3
constexpr std::string_view kId = "gw";  // the socket is connected: whoever answers is who was asked
constexpr char kTypeA = 1, kTypeAaaa = 28, kClassIn = 1;

std::string question(std::string_view name, char type) {
  std::string out(kId);
  out +=
      std::string("\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", kHeader - kId.size());  // recursion desired, one question
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  for (const char c : {'\0', '\0', type, '\0', kClassIn}) out += c;
  return out;
}

bool is_good_answer(std::string_view answer) {
  if (answer.size() < kHeader || !answer.starts_with(kId)) return false;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(answer[at]); };
  const bool answers = byte(6) != 0 || byte(7) != 0;
  return (byte(2) & kAnswerBit) != 0 && (byte(3) & kCodeMask) == 0 && answers;
}

int connect_to(const UniqueFd& fd, const IpAddress& server) {
  if (server.family == Family::v4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(kPort);
    std::memcpy(&to.sin_addr, server.bytes.data(), sizeof to.sin_addr);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(kPort);
  std::memcpy(&to.sin6_addr, server.bytes.data(), sizeof to.sin6_addr);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

}  // namespace

Result<void> ask(const IpAddress& server, const std::string& name) {
  const bool v4 = server.family == Family::v4;
  const UniqueFd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || connect_to(fd, server) != 0) return failure(errno, kOperation, server.str());
  const std::string query = question(name, v4 ? kTypeA : kTypeAaaa);
  if (::send(fd.get(), query.data(), query.size(), 0) < 0) return failure(errno, kOperation, server.str());
  pollfd readable{fd.get(), POLLIN, 0};
  if (::poll(&readable, 1, kLimitMs) != 1) return failure(ETIMEDOUT, kOperation, server.str());
  std::array<char, 512> answer{};
  const ssize_t n = ::recv(fd.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (n < 0) return failure(errno, kOperation, server.str());
  if (!is_good_answer({answer.data(), static_cast<size_t>(n)}))
    return failure(EPROTO, kOperation, server.str(), "whoever listens there does not know " + name);
  return {};
}

}  // namespace gw::names
