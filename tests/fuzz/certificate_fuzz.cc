// SPDX-License-Identifier: Apache-2.0
// Certificates, as PEM and as DER in a PEM coat: read, read again from what was read, and verified by an authority that
// never made them.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "gatewayd/pki/authority.h"
#include "tests/fuzz/pem.h"

namespace {

constexpr gw::UnixSeconds kNow = 1'800'000'000;

const gw::pki::Authority& authority() {
  static const auto made = [] {
    const std::string directory =
        std::filesystem::temp_directory_path() / ("gateway-fuzz-" + std::to_string(::getpid()));
    auto opened = gw::pki::Authority::open(directory, "fuzz", kNow);
    std::filesystem::remove_all(directory);
    return opened;
  }();
  return *made;
}

void parse(const std::string& pem) {
  const auto verified = authority().verify(pem, kNow);
  if (verified) std::abort();
  const auto certificate = gw::pki::parse_certificate(pem);
  if (!certificate) {
    if (certificate.error().code != EINVAL || certificate.error().detail.empty()) std::abort();
    return;
  }
  if (verified.error().code != EKEYREJECTED) std::abort();
  const auto again = gw::pki::parse_certificate(certificate->pem);
  if (!again || again->sha256 != certificate->sha256 || again->serial != certificate->serial ||
      again->wireguard != certificate->wireguard || again->not_after != certificate->not_after) {
    std::abort();
  }
  if (!certificate->device_uuid.empty() && !gw::pki::is_uuid(certificate->device_uuid)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parse(std::string(data, data + size));
  parse(gw::fuzz::pem("CERTIFICATE", {data, size}));
  return 0;
}
