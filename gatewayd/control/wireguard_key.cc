// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/wireguard_key.h"

#include <sys/stat.h>

#include <cerrno>

#include "gatewayd/base/file.h"

namespace gw::control {
namespace {

constexpr mode_t kPrivate = 0600;

Result<pki::WireGuardKeys> make_keys(const std::string& path) {
  auto keys = pki::generate_wireguard_keys();
  if (!keys) return keys;
  std::string text = keys->secret.reveal_base64() + "\n";
  const auto written = write_file_atomically(path, text, kPrivate);
  pki::wipe(text);
  if (!written) return std::unexpected(written.error());
  return keys;
}

}  // namespace

Result<pki::WireGuardKeys> open_wireguard_keys(const std::string& path) {
  constexpr size_t kLimit = 4096;
  auto text = read_file(path, kLimit);
  if (!text && text.error().code == ENOENT) return make_keys(path);
  if (!text) return std::unexpected(text.error());
  std::string_view line = *text;
  while (line.ends_with('\n')) line.remove_suffix(1);
  const auto secret = SecretKey::parse(line);
  pki::wipe(*text);
  if (!secret) {
    return failure(EUCLEAN, "read the WireGuard key of the gateway", path,
                   "it holds no key; restore it from the backup, or move it away and a new one is made (every profile "
                   "has to be made anew then)");
  }
  if (::chmod(path.c_str(), kPrivate) != 0) return failure(errno, "set the mode of", path);
  return pki::WireGuardKeys{*secret, pki::public_of(*secret)};
}

}  // namespace gw::control
