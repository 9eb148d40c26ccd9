// SPDX-License-Identifier: Apache-2.0
#include "netlink/wguapi_socket.h"

#include <openssl/evp.h>
#include <poll.h>
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "gatewayd/base/fd.h"
#include "netlink/wguapi.h"

namespace gw::nl {
namespace {

constexpr const char* kDirectory = "/var/run/wireguard";
// Generous: a busy machine needs seconds for ten thousand peers. It only bounds how long a dead process can hold us.
constexpr timeval kPatience{60, 0};
constexpr size_t kLongestAnswer = size_t{256} << 20U;

// A buffer that may hold a private key: wiped when it ends and when it moves to grow.
class SecretBuffer {
 public:
  SecretBuffer() = default;
  ~SecretBuffer() { wipe(bytes_); }
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;

  /// Room for `size` more bytes behind those in use.
  char* room(size_t size) {
    if (used_ + size > bytes_.size()) {
      std::vector<char> larger(std::max(2 * bytes_.size(), used_ + size));
      std::copy_n(bytes_.begin(), used_, larger.begin());
      bytes_.swap(larger);
      wipe(larger);
    }
    return bytes_.data() + used_;
  }
  void use(size_t size) { used_ += size; }
  [[nodiscard]] std::string_view text() const { return {bytes_.data(), used_}; }

 private:
  static void wipe(std::vector<char>& bytes) {
    if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
  }
  std::vector<char> bytes_;
  size_t used_ = 0;
};

Result<UniqueFd> connect_to(const std::string& device, const char* operation) {
  const std::string path = uapi_path(device);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, operation, device);
  path.copy(address.sun_path, path.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failure(errno, operation, device);
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  while (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR) return failure(errno, operation, device, "wireguard-go does not answer on " + path);
  }
  return fd;
}

// 0, or errno with a timeout told as what it is.
int send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? ETIMEDOUT : errno;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

int receive_answer(int fd, SecretBuffer& answer) {
  constexpr size_t kStep = size_t{64} << 10U;
  while (!is_whole_uapi_answer(answer.text())) {
    if (answer.text().size() > kLongestAnswer) return EMSGSIZE;
    const ssize_t n = ::recv(fd, answer.room(kStep), kStep, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? ETIMEDOUT : errno;
    if (n == 0) return ECONNRESET;
    answer.use(static_cast<size_t>(n));
  }
  return 0;
}

Result<PublicKey> public_key_of(const SecretKey& secret) {
  const auto& bytes = secret.reveal();
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes.data(), bytes.size()), &EVP_PKEY_free);
  PublicKey out;
  size_t size = out.bytes.size();
  if (!pair || EVP_PKEY_get_raw_public_key(pair.get(), out.bytes.data(), &size) != 1) {
    return failure(EIO, "derive WireGuard public key", "", "OpenSSL has no X25519");
  }
  return out;
}

// Errors of the parser name the device too.
std::unexpected<Error> about(Error error, const std::string& device) {
  error.object = error.object.empty() ? device : device + ", " + error.object;
  return std::unexpected(std::move(error));
}

}  // namespace

std::string uapi_path(const std::string& device) { return std::string(kDirectory) + "/" + device + ".sock"; }

Result<WgDevice> uapi_get(const std::string& device) {
  constexpr const char* kOperation = "read WireGuard device";
  const auto fd = connect_to(device, kOperation);
  if (!fd) return std::unexpected(fd.error());
  SecretBuffer answer;
  int error = send_all(fd->get(), "get=1\n\n");
  if (error == 0) error = receive_answer(fd->get(), answer);
  if (error != 0) return failure(error, kOperation, device, "wireguard-go broke off");
  auto read = parse_uapi_get(answer.text());
  if (!read) return about(read.error(), device);
  if (read->private_key) {
    const auto key = public_key_of(*read->private_key);
    if (!key) return std::unexpected(key.error());
    read->device.public_key = *key;
  }
  return std::move(read->device);
}

Result<void> uapi_set(const std::string& device, const WgChange& change) {
  constexpr const char* kOperation = "configure WireGuard device";
  const auto fd = connect_to(device, kOperation);
  if (!fd) return std::unexpected(fd.error());
  int error = 0;
  write_uapi_set(change, [&](std::string_view piece) {
    if (error == 0) error = send_all(fd->get(), piece);
  });
  // wireguard-go stops reading at the first thing it refuses; what it says is worth more than EPIPE.
  if (error != 0 && error != EPIPE && error != ECONNRESET) return failure(error, kOperation, device);
  SecretBuffer answer;
  error = receive_answer(fd->get(), answer);
  if (error != 0) return failure(error, kOperation, device, "wireguard-go broke off");
  if (auto done = parse_uapi_set(answer.text()); !done) return about(done.error(), device);
  return {};
}

Result<void> wait_for_uapi_socket(const std::string& device, bool present, std::chrono::milliseconds limit) {
  const auto fail = [&](int code) {
    return failure(code, present ? "start wireguard-go for" : "end wireguard-go of", device,
                   uapi_path(device) + (present ? " did not appear" : " did not go away"));
  };
  const UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.valid() || ::inotify_add_watch(watch.get(), kDirectory, IN_CREATE | IN_DELETE | IN_MOVED_TO) < 0) {
    // No directory, no socket.
    return errno == ENOENT && !present ? Result<void>{} : fail(errno);
  }
  const auto deadline = std::chrono::steady_clock::now() + limit;
  // The watch stands before the first look, so that no change falls between.
  while ((::access(uapi_path(device).c_str(), F_OK) == 0) != present) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return fail(ETIMEDOUT);
    pollfd poll_fd{watch.get(), POLLIN, 0};
    if (::poll(&poll_fd, 1, static_cast<int>(left)) <= 0) continue;
    std::array<char, 4096> events{};
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
  return {};
}

}  // namespace gw::nl
