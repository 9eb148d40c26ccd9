// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/extensions.h"

#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "gatewayd/pki/pki.h"

namespace gw::pki {

// The UUID 5cda404d-68ad-4d7f-88a3-e2642a04d2fa, cut into arcs that every ASN.1 library can hold (docs/adr/0003).
const char* const kWireGuardKeyOid = "1.2.840.113556.1.8000.2554.23770.16461.26797.19839.34979.14836778.316154";

namespace {

constexpr std::array<uint8_t, 2> kHeader = {V_ASN1_OCTET_STRING, kWireGuardKeySize};  // DER: tag and length

const ASN1_OBJECT* wireguard_object() {
  static const ObjectPtr object(OBJ_txt2obj(kWireGuardKeyOid, 1));
  return object.get();
}

std::optional<PublicKey> decode(const X509_EXTENSION* extension) {
  // OpenSSL's getters take a pointer to non-const and change nothing.
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(const_cast<X509_EXTENSION*>(extension));
  const uint8_t* data = ASN1_STRING_get0_data(value);
  if (ASN1_STRING_length(value) != static_cast<int>(kHeader.size() + kWireGuardKeySize)) return std::nullopt;
  if (!std::equal(kHeader.begin(), kHeader.end(), data)) return std::nullopt;
  PublicKey key;
  std::copy_n(data + kHeader.size(), key.bytes.size(), key.bytes.begin());
  return key;
}

}  // namespace

ExtensionPtr wireguard_extension(const PublicKey& key) {
  std::array<uint8_t, kHeader.size() + kWireGuardKeySize> der{};
  std::copy(kHeader.begin(), kHeader.end(), der.begin());
  std::copy(key.bytes.begin(), key.bytes.end(), der.begin() + kHeader.size());
  const OctetsPtr value(ASN1_OCTET_STRING_new());
  if (!value || ASN1_OCTET_STRING_set(value.get(), der.data(), der.size()) != 1) return nullptr;
  return ExtensionPtr(X509_EXTENSION_create_by_OBJ(nullptr, wireguard_object(), 0, value.get()));
}

bool is_wireguard_extension(const X509_EXTENSION* extension) {
  return OBJ_cmp(X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension)), wireguard_object()) == 0;
}

Result<std::optional<PublicKey>> wireguard_key_in(const STACK_OF(X509_EXTENSION) * extensions) {
  std::optional<PublicKey> found;
  for (int i = 0; i < sk_X509_EXTENSION_num(extensions); ++i) {
    const X509_EXTENSION* extension = sk_X509_EXTENSION_value(extensions, i);
    if (!is_wireguard_extension(extension)) continue;
    if (found) return failure(EINVAL, "read WireGuard key", {}, "the extension is there twice");
    found = decode(extension);
    if (!found)
      return failure(EINVAL, "read WireGuard key", {}, "the extension does not hold 32 bytes in an OCTET STRING");
  }
  return found;
}

std::string name_of(const X509_EXTENSION* extension) {
  std::array<char, 128> text{};
  OBJ_obj2txt(text.data(), text.size(), X509_EXTENSION_get_object(const_cast<X509_EXTENSION*>(extension)), 0);
  return text.data();
}

Result<std::string> common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return std::string();
  if (X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) {
    return failure(EINVAL, "read common name", {}, "there are several");
  }
  unsigned char* raw = nullptr;
  const int size = ASN1_STRING_to_UTF8(&raw, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const BufferPtr owner(raw);
  if (size < 0) return failure(EINVAL, "read common name", {}, "it is not text");
  std::string text(raw, raw + size);
  const bool control = std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (control) return failure(EINVAL, "read common name", {}, "it holds control characters");
  return text;
}

}  // namespace gw::pki
