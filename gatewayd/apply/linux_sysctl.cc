// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/linux_sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/file.h"

namespace gw::apply {
namespace {

/// sysctl.d(5): after a first dot, dots and slashes change places.
std::string path_of(std::string name) {
  for (char& c : name) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return "/proc/sys/" + name;
}

}  // namespace

Result<std::string> read_sysctl(const std::string& name) {
  auto value = read_file(path_of(name));
  while (value && value->ends_with('\n')) value->pop_back();
  return value;
}

Result<void> write_sysctl(const std::string& name, const std::string& value) {
  const UniqueFd fd(::open(path_of(name).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid()) return failure(errno, "set sysctl", name);
  // One write: the kernel takes each as a whole value.
  if (::write(fd.get(), value.data(), value.size()) < 0) return failure(errno, "set sysctl", name, "to " + value);
  return {};
}

Result<void> stop_forwarding() {
  auto four = write_sysctl("net.ipv4.ip_forward", "0");
  auto six = has_ipv6_sysctls() ? write_sysctl("net.ipv6.conf.all.forwarding", "0") : Result<void>();
  return four ? six : four;
}

bool has_ipv6_sysctls() { return ::access("/proc/sys/net/ipv6", F_OK) == 0; }

}  // namespace gw::apply
