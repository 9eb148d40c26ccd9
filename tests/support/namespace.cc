// SPDX-License-Identifier: Apache-2.0
#include "tests/support/namespace.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

#include "netlink/link.h"
#include "tests/support/host.h"

namespace gw::test {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

UniqueFd open_path(const char* path) {
  UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) fail(path);
  return fd;
}

void enter(const UniqueFd& fd, int kind) {
  if (::setns(fd.get(), kind) != 0) fail("setns");
}

void set_loopback_up() {
  auto socket = nl::Socket::open(NETLINK_ROUTE);
  if (!socket) throw std::runtime_error(socket.error().message());
  constexpr uint32_t kLoopback = 1;  // the first device of every namespace
  if (auto up = nl::set_link_up(*socket, kLoopback, true); !up) throw std::runtime_error(up.error().message());
}

void delete_tun_devices() {
  auto socket = nl::Socket::open(NETLINK_ROUTE);
  if (!socket) return;
  const auto links = nl::list_links(*socket);
  if (!links) return;
  for (const auto& link : *links) {
    if (link.kind != "tun") continue;
    if (auto gone = nl::delete_link(*socket, link.index); !gone)
      std::fputs((gone.error().message() + "\n").c_str(), stderr);
  }
}

}  // namespace

Namespace::Namespace()
    : old_net_(open_path("/proc/self/ns/net")),
      old_mnt_(open_path("/proc/self/ns/mnt")),
      old_root_(open_path("/")),
      old_directory_(open_path(".")) {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) fail("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("make mounts private");
  (void)::mkdir("/run/wireguard", 0700);
  if (::mount("tmpfs", "/run/wireguard", "tmpfs", 0, "mode=700") != 0) fail("mount tmpfs on /run/wireguard");
  set_loopback_up();
}

Namespace::~Namespace() {
  delete_tun_devices();
  // Staying would run later tests in the wrong place: better to end the process here.
  enter(old_net_, CLONE_NEWNET);
  enter(old_mnt_, CLONE_NEWNS);
  // setns() has put the process at the root of that mount namespace, which is not its own where it was chrooted.
  if (::fchdir(old_root_.get()) != 0 || ::chroot(".") != 0 || ::fchdir(old_directory_.get()) != 0) fail("go back");
}

PeerNamespace::PeerNamespace() {
  const UniqueFd here = open_path("/proc/self/ns/net");
  if (::unshare(CLONE_NEWNET) != 0) fail("unshare");
  net_ = open_path("/proc/self/ns/net");
  set_loopback_up();
  enter(here, CLONE_NEWNET);
}

PeerNamespace::~PeerNamespace() { inside(delete_tun_devices); }

std::string PeerNamespace::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(net_.get());
}

void PeerNamespace::inside(const std::function<void()>& body) const {
  const UniqueFd here = open_path("/proc/self/ns/net");
  enter(net_, CLONE_NEWNET);
  try {
    body();
  } catch (...) {
    enter(here, CLONE_NEWNET);
    throw;
  }
  enter(here, CLONE_NEWNET);
}

std::string must(const Arguments& arguments, const std::string& input) {
  const Output output = run(arguments, std::chrono::seconds(30), {}, input);
  if (output.ok()) return output.out;
  throw std::runtime_error(arguments[0] + " ended with " + std::to_string(output.status) + ": " + output.err +
                           output.out);
}

std::string must(const std::string& line) { return must(words(line)); }

}  // namespace gw::test
