// SPDX-License-Identifier: Apache-2.0
// What enrolment carries: base64, requests and certificates in DER. What is accepted comes out the same again.
#include <cerrno>
#include <cstdlib>

#include "gatewayd/base/base64.h"
#include "gatewayd/pki/est.h"

namespace {

void requests(std::string_view bytes) {
  const auto pem = gw::pki::request_pem(bytes);
  if (!pem) {
    if (pem.error().code != EINVAL || pem.error().detail.empty()) std::abort();
    return;
  }
  const auto der = gw::pki::request_der(*pem);
  if (!der || gw::pki::request_pem(*der) != pem) std::abort();
}

void certificates(std::string_view bytes) {
  const auto pems = gw::pki::pems_of(bytes);
  if (!pems) return;
  const auto pack = gw::pki::certs_only(*pems);
  if (pack && gw::pki::pems_of(*pack) != pems) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto decoded = gw::base64_decode(bytes);
  if (decoded && gw::base64_decode(gw::base64(*decoded)) != decoded) std::abort();
  if (gw::base64_decode(gw::base64(bytes)) != std::string(bytes)) std::abort();
  requests(bytes);
  certificates(bytes);
  if (decoded) {
    requests(*decoded);
    certificates(*decoded);
  }
  return 0;
}
