// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/policy/fingerprint.h"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <new>
#include <type_traits>

namespace gw::policy {
namespace {

constexpr size_t kFingerprintBytes = 16;

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    // Fails only without memory: SHA-256 is in every provider.
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  }

  /// Values without padding, so that equal values have equal bytes.
  template <class Value>
    requires std::has_unique_object_representations_v<Value>
  void add(const Value& value) {
    if (EVP_DigestUpdate(context_.get(), &value, sizeof value) != 1) throw std::bad_alloc();
  }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    if (EVP_DigestFinal_ex(context_.get(), bytes.data(), nullptr) != 1) throw std::bad_alloc();
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (size_t i = 0; i < kFingerprintBytes; ++i) {
      out += kDigits[bytes[i] >> 4U];
      out += kDigits[bytes[i] & 0xfU];
    }
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string fingerprint(const bpf::PolicyImage& image) {
  Digest digest;
  // Each table's size goes first, so that an entry cannot pass from the end of one to the beginning of the next.
  digest.add(uint64_t{image.prefixes.size()});
  for (const auto& [key, value] : image.prefixes) {
    digest.add(key);
    digest.add(value);
  }
  digest.add(uint64_t{image.pairs.size()});
  for (const auto& [key, value] : image.pairs) {
    digest.add(key);
    digest.add(value);
  }
  digest.add(uint64_t{image.nodes.size()});
  for (const gw_node& node : image.nodes) digest.add(node);
  digest.add(uint64_t{image.nat_classes.size()});
  for (const uint32_t id : image.nat_classes) digest.add(id);
  return digest.hex();
}

}  // namespace gw::policy
