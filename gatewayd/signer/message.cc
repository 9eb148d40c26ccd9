// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/signer/message.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace gw::signer {
namespace {

constexpr const char* kTalk = "talk to the signer";
constexpr uint32_t kMost = uint32_t{64} << 20U;
constexpr time_t kPatience = 5;

Result<void> send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK) n = ::write(fd, bytes.data(), bytes.size());  // a pipe of sshd
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failure(errno, kTalk);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<void> receive_all(int fd, char* into, size_t size) {
  while (size > 0) {
    const ssize_t n = ::read(fd, into, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return failure(ETIMEDOUT, kTalk, {}, "no answer within five seconds");
    if (n < 0) return failure(errno, kTalk);
    if (n == 0) return failure(ECONNRESET, kTalk);
    into += n;
    size -= static_cast<size_t>(n);
  }
  return {};
}

}  // namespace

Result<void> limit_waiting(int fd) {
  const timeval patience{.tv_sec = kPatience, .tv_usec = 0};
  for (const int way : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(fd, SOL_SOCKET, way, &patience, sizeof patience) != 0) return failure(errno, kTalk);
  }
  return {};
}

Result<void> send_message(int fd, const Json& message) {
  std::string bytes(sizeof(uint32_t), '\0');
  bytes += message.dump(-1, ' ', false, Json::error_handler_t::replace);
  const uint32_t size = htonl(static_cast<uint32_t>(bytes.size() - sizeof(uint32_t)));
  std::memcpy(bytes.data(), &size, sizeof size);
  auto sent = send_all(fd, bytes);
  pki::wipe(bytes);  // of a backup's keys
  return sent;
}

Result<Json> receive_message(int fd) {
  uint32_t size = 0;
  std::array<char, sizeof size> head{};
  if (auto got = receive_all(fd, head.data(), head.size()); !got) return std::unexpected(got.error());
  std::memcpy(&size, head.data(), sizeof size);
  size = ntohl(size);
  if (size > kMost) return failure(EMSGSIZE, kTalk, {}, "a message of more than 64 MiB");
  std::string bytes(size, '\0');
  if (auto got = receive_all(fd, bytes.data(), bytes.size()); !got) return std::unexpected(got.error());
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
