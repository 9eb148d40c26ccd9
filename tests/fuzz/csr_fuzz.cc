// SPDX-License-Identifier: Apache-2.0
// Signing requests, as PEM and as DER in a PEM coat: what is accepted fits a certificate and is made and read again the
// same.
#include <cerrno>
#include <cstdlib>

#include "gatewayd/pki/pki.h"
#include "tests/fuzz/pem.h"

namespace {

void parse(const std::string& pem) {
  const auto request = gw::pki::parse_request(pem);
  if (!request) {
    if (request.error().code != EINVAL || request.error().detail.empty()) std::abort();
    return;
  }
  if (request->wireguard.is_low_order() || request->public_key_pem.empty()) std::abort();
  for (const char c : request->name) {
    if (static_cast<unsigned char>(c) < 0x20) std::abort();
  }
  static const auto key = gw::pki::PrivateKey::generate();
  const auto again = gw::pki::make_request(*key, request->name, request->wireguard);
  if (!again) return;  // longer than a common name may be
  const auto parsed = gw::pki::parse_request(*again);
  if (!parsed || parsed->name != request->name || parsed->wireguard != request->wireguard) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parse(std::string(data, data + size));
  parse(gw::fuzz::pem("CERTIFICATE REQUEST", {data, size}));
  return 0;
}
