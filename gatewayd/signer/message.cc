// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/signer/message.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace gw::signer {
namespace {

constexpr const char* kTalk = "talk to the signer";
constexpr uint32_t kMost = uint32_t{64} << 20U;

/// Until poll(2) sees `events`, or the other side's end.
Result<void> wait_for(int fd, short events, Deadline until) {
  using std::chrono::ceil;
  using std::chrono::milliseconds;
  pollfd one{.fd = fd, .events = events, .revents = 0};
  for (;;) {
    const auto left = until - std::chrono::steady_clock::now();
    const int limit =
        until == kNoDeadline ? -1 : static_cast<int>(std::max<int64_t>(ceil<milliseconds>(left).count(), 0));
    const int ready = ::poll(&one, 1, limit);
    if (ready > 0) return {};
    if (ready == 0) return failure(ETIMEDOUT, kTalk, {}, "the other side does not go on");
    if (errno != EINTR) return failure(errno, kTalk);
  }
}

Result<void> send_all(int fd, std::string_view bytes, Deadline until) {
  while (!bytes.empty()) {
    if (auto ready = wait_for(fd, POLLOUT, until); !ready) return ready;
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == ENOTSOCK) n = ::write(fd, bytes.data(), bytes.size());  // a pipe of sshd
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return failure(errno, kTalk);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<void> receive_all(int fd, char* into, size_t size, Deadline until) {
  while (size > 0) {
    if (auto ready = wait_for(fd, POLLIN, until); !ready) return ready;
    const ssize_t n = ::read(fd, into, size);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return failure(errno, kTalk);
    if (n == 0) return failure(ECONNRESET, kTalk);
    into += n;
    size -= static_cast<size_t>(n);
  }
  return {};
}

}  // namespace

Result<void> send_message(int fd, const Json& message, Deadline until) {
  std::string bytes(sizeof(uint32_t), '\0');
  bytes += message.dump(-1, ' ', false, Json::error_handler_t::replace);
  const uint32_t size = htonl(static_cast<uint32_t>(bytes.size() - sizeof(uint32_t)));
  std::memcpy(bytes.data(), &size, sizeof size);
  auto sent = send_all(fd, bytes, until);
  pki::wipe(bytes);  // of a backup's keys
  return sent;
}

Result<Json> receive_message(int fd, Deadline until) {
  uint32_t size = 0;
  std::array<char, sizeof size> head{};
  if (auto got = receive_all(fd, head.data(), head.size(), until); !got) return std::unexpected(got.error());
  std::memcpy(&size, head.data(), sizeof size);
  size = ntohl(size);
  if (size > kMost) return failure(EMSGSIZE, kTalk, {}, "a message of more than 64 MiB");
  // Memory for what comes, and not for what was only announced.
  std::string bytes;
  bytes.resize_and_overwrite(size, [size](const char* /*data*/, size_t /*room*/) { return size; });
  if (auto got = receive_all(fd, bytes.data(), bytes.size(), until); !got) return std::unexpected(got.error());
  Json message = Json::parse(bytes, nullptr, false);
  pki::wipe(bytes);
  if (message.is_discarded()) return failure(EBADMSG, kTalk, {}, "a message that is no JSON");
  return message;
}

Json answer_of(const Result<Json>& result) {
  if (result) return {{"ok", *result}};
  const Error& error = result.error();
  return {{"error",
           {{"code", error.code}, {"operation", error.operation}, {"object", error.object}, {"detail", error.detail}}}};
}

Result<Json> result_of(const Json& answer) {
  if (answer.is_object() && answer.contains("ok")) return answer.at("ok");
  try {
    const Json& error = answer.at("error");
    return failure(error.at("code").get<int>(), error.at("operation").get<std::string>(),
                   error.at("object").get<std::string>(), error.at("detail").get<std::string>());
  } catch (const Json::exception&) {
    return failure(EBADMSG, kTalk, {}, "an answer that is none: it is of another version");
  }
}

Json to_json(const pki::AuthorityCertificates& certificates) {
  return {{"root", certificates.root},
          {"issuing", certificates.issuing},
          {"cross", certificates.cross},
          {"earlier", certificates.earlier},
          {"has_root_key", certificates.has_root_key},
          {"request", certificates.request}};
}

pki::AuthorityCertificates certificates_from(const Json& json) {
  return {.root = json.at("root"),
          .issuing = json.at("issuing"),
          .cross = json.at("cross"),
          .earlier = json.at("earlier"),
          .has_root_key = json.at("has_root_key"),
          .request = json.at("request")};
}

}  // namespace gw::signer
