// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/openssl.h"

#include <openssl/err.h>

#include <utility>

namespace gw::pki {

ErrorQueue::ErrorQueue() { ERR_clear_error(); }

ErrorQueue::~ErrorQueue() { ERR_clear_error(); }

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): only meaningful while the queue is ours
std::unexpected<Error> ErrorQueue::failure(int code, std::string operation, std::string object,
                                           std::string hint) const {
  std::string detail = std::move(hint);
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long error = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    const char* reason = ERR_reason_error_string(error);
    if (!detail.empty()) detail += "; ";
    detail += reason != nullptr ? reason : "OpenSSL error " + std::to_string(error);
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') detail += std::string(" (") + data + ")";
  }
  return gw::failure(code, std::move(operation), std::move(object), std::move(detail));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

BioPtr reader(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) { return -1; }

}  // namespace gw::pki
