// SPDX-License-Identifier: Apache-2.0
#include <linux/netlink.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "netlink/link.h"
#include "netlink/process.h"
#include "netlink/wguapi_socket.h"
#include "netlink/wireguard.h"

namespace gw::nl {
namespace {

constexpr const char* kProgram = "wireguard-go";
constexpr std::chrono::seconds kPatience{20};

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (::access(directory.append("/").append(program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// wireguard-go draws a box of advice around everything; what it has to say itself stands outside.
std::string own_words(const std::string& output) {
  std::istringstream lines(output);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool boxed = line.starts_with("\u250c") || line.starts_with("\u2502") || line.starts_with("\u2514");
    if (boxed || line.empty()) continue;
    if (!out.empty()) out += "; ";
    out += line;
  }
  return out;
}

class UserspaceWireGuard final : public WireGuard {
 public:
  explicit UserspaceWireGuard(Socket route) : route_(std::move(route)) {}

  [[nodiscard]] std::string implementation() const override { return "userspace (wireguard-go), not for production"; }
  [[nodiscard]] bool in_kernel() const override { return false; }

  Result<void> create(const std::string& name) override {
    constexpr const char* kOperation = "create WireGuard device";
    if (!is_link_name(name)) return failure(EINVAL, kOperation, "'" + name + "'", "this is no name for a device");
    const auto link = find_link(route_, name);
    if (link) return failure(EEXIST, kOperation, name);
    if (link.error().code != ENODEV) return std::unexpected(link.error());
    // It makes device and socket, then puts itself into the background and ends the process started here.
    // Variables of ours must not keep it in the foreground, nor leave it writing to a stream that we close.
    const auto started = run_program({"env", "-u", "LOG_LEVEL", "-u", "WG_PROCESS_FOREGROUND", "-u", "WG_TUN_FD", "-u",
                                      "WG_UAPI_FD", kProgram, name},
                                     {}, kPatience);
    if (!started) return std::unexpected(started.error());
    if (started->status != 0) return failure(EIO, kOperation, name, own_words(started->out + started->error));
    return wait_for_uapi_socket(name, true, kPatience);
  }

  Result<void> destroy(const std::string& name) override {
    const auto link = find("delete WireGuard device", name);
    if (!link) return std::unexpected(link.error());
    // Without its TUN device wireguard-go ends, peers and all: nothing to empty before.
    if (auto deleted = delete_link(route_, link->index); !deleted) return deleted;
    return wait_for_uapi_socket(name, false, kPatience);
  }

  Result<WgDevice> read(const std::string& name) override {
    const auto link = find("read WireGuard device", name);
    if (!link) return std::unexpected(link.error());
    return uapi_get(name);
  }

  Result<void> change(const std::string& name, const WgChange& change) override {
    const auto link = find("configure WireGuard device", name);
    if (!link) return std::unexpected(link.error());
    return uapi_set(name, change);
  }

 private:
  // The socket alone proves nothing: it may belong to a device of that name in another network namespace.
  Result<Link> find(const char* operation, const std::string& name) {
    auto link = find_link(route_, name);
    if (!link) return failure(link.error().code, operation, name);
    if (link->kind != "tun" || ::access(uapi_path(name).c_str(), F_OK) != 0) {
      return failure(EOPNOTSUPP, operation, name, "the device is not one of wireguard-go");
    }
    return link;
  }

  Socket route_;
};

}  // namespace

Result<std::unique_ptr<WireGuard>> open_userspace_wireguard() {
  if (!is_in_path(kProgram)) {
    return failure(ENOTSUP, "use WireGuard in user space", "", "wireguard-go is not installed (package wireguard-go)");
  }
  auto route = Socket::open(NETLINK_ROUTE);
  if (!route) return std::unexpected(route.error());
  return std::make_unique<UserspaceWireGuard>(std::move(*route));
}

}  // namespace gw::nl
