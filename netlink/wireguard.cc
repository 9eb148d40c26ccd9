// SPDX-License-Identifier: Apache-2.0
#include "netlink/wireguard.h"

#include <cerrno>

namespace gw::nl {

Result<std::unique_ptr<WireGuard>> open_wireguard() {
  auto kernel = open_kernel_wireguard();
  if (kernel || kernel.error().code != EOPNOTSUPP) return kernel;
  auto userspace = open_userspace_wireguard();
  if (userspace || userspace.error().code != ENOTSUP) return userspace;
  return failure(ENOTSUP, "find a WireGuard implementation", "",
                 "this kernel has no WireGuard and wireguard-go is not installed; install a kernel with it (package "
                 "linux-image-amd64 or linux-image-arm64), or for trials the package wireguard-go");
}

}  // namespace gw::nl
