// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/trust.h"

#include <openssl/pem.h>

#include <cerrno>

#include "ctl/format.h"
#include "gatewayd/base/ip.h"
#include "gatewayd/pki/certificate.h"
#include "gatewayd/pki/keys.h"

namespace gw::connect {
namespace {

constexpr int kMaxChain = 8;
constexpr const char* kServer = "verify the gateway";
constexpr const char* kOwn = "verify the certificate that the gateway issued";
constexpr const char* kAnswer = "read the gateway's authorities";

std::string fingerprint_of(const X509* certificate) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4U];
    out += kDigits[digest[i] & 15U];
  }
  return out;
}

bool is_self_signed(X509* certificate) {
  return X509_check_issued(certificate, certificate) == X509_V_OK &&
         X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
}

bool is_root(X509* certificate) { return X509_check_ca(certificate) == 1 && is_self_signed(certificate); }

/// Dates first: a wrong clock is what people meet, and it looks like an attack.
std::unexpected<Error> refused(const char* operation, const std::string& object, X509_STORE_CTX* context,
                               UnixSeconds now) {
  const int error = X509_STORE_CTX_get_error(context);
  std::string why = X509_verify_cert_error_string(error);
  const bool early = error == X509_V_ERR_CERT_NOT_YET_VALID;
  if (early || error == X509_V_ERR_CERT_HAS_EXPIRED) {
    X509* culprit = X509_STORE_CTX_get_current_cert(context);
    const auto facts = culprit != nullptr ? pki::describe(culprit) : Result<pki::Certificate>(failure(EINVAL, kOwn));
    const std::string when = !facts ? "" : ctl::date(early ? facts->not_before : facts->not_after);
    return failure(EKEYEXPIRED, operation, object,
                   "a certificate " + std::string(early ? "is not valid before " : "ended at ") + when +
                       ", and by this machine's clock it is " + ctl::date(now) + "; is the clock right?");
  }
  if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
    why = "its certificate is for another name";
  return failure(EKEYREJECTED, operation, object, why + "; nothing was sent");
}

struct Check {
  const char* operation;
  std::string object;
  int purpose;
  UnixSeconds now;
};

Result<void> verify(X509* leaf, const std::vector<X509*>& between, const std::vector<X509*>& roots, const Check& check,
                    const std::string& host) {
  const pki::ErrorQueue errors;
  const pki::StorePtr store(X509_STORE_new());
  const pki::ChainPtr untrusted(sk_X509_new_null());
  const pki::StoreContextPtr context(X509_STORE_CTX_new());
  if (!store || !untrusted || !context) return errors.failure(ENOMEM, check.operation, check.object);
  for (X509* root : roots) X509_STORE_add_cert(store.get(), root);
  for (X509* certificate : between) sk_X509_push(untrusted.get(), certificate);
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted.get()) != 1)
    return errors.failure(ENOMEM, check.operation, check.object);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_purpose(param, check.purpose);
  X509_VERIFY_PARAM_set_time(param, check.now);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (!host.empty()) {
    const int named = IpAddress::parse(host) ? X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str())
                                             : X509_VERIFY_PARAM_set1_host(param, host.data(), host.size());
    if (named != 1) return errors.failure(EINVAL, check.operation, check.object);
  }
  if (X509_verify_cert(context.get()) == 1) return {};
  return refused(check.operation, check.object, context.get(), check.now);
}

std::vector<X509*> pointers(const std::vector<pki::X509Ptr>& owners) {
  std::vector<X509*> out;
  out.reserve(owners.size());
  for (const auto& owner : owners) out.push_back(owner.get());
  return out;
}

Result<std::vector<X509*>> anchors(const std::vector<pki::X509Ptr>& chain, const std::vector<pki::X509Ptr>& known,
                                   const Trust& trust) {
  if (trust.fingerprint.empty()) return pointers(known);
  for (const auto& certificate : chain) {
    if (fingerprint_of(certificate.get()) == trust.fingerprint && is_root(certificate.get()))
      return std::vector{certificate.get()};
  }
  return failure(EKEYREJECTED, kServer, trust.host,
                 "it does not have the certificate authority that the join link names: the link is of another gateway, "
                 "or somebody stands in between; nothing was sent, and the token is still good");
}

}  // namespace

Result<Authorities> verify_server(const std::vector<pki::X509Ptr>& chain, const Trust& trust) {
  if (chain.empty() || chain.size() > kMaxChain)
    return failure(EKEYREJECTED, kServer, trust.host, "it presents no chain of certificates that could be its own");
  const auto known = pki::read_certificates(trust.roots_pem);
  const auto roots = anchors(chain, known, trust);
  if (!roots) return std::unexpected(roots.error());
  const Check check{kServer, trust.host, X509_PURPOSE_SSL_SERVER, trust.now};
  if (auto good = verify(chain.front().get(), pointers(chain), *roots, check, trust.host); !good)
    return std::unexpected(good.error());
  Authorities out;
  for (X509* root : *roots) out.roots_pem += pki::pem_of(root);
  for (size_t i = 1; i < chain.size(); ++i) {
    X509* one = chain[i].get();
    if (X509_check_ca(one) == 1 && !is_self_signed(one)) out.issuing_pem += pki::pem_of(one);
  }
  return out;
}

Result<pki::Certificate> verify_own(const std::string& certificate_pem, const Authorities& authorities,
                                    const pki::PrivateKey& identity, const PublicKey& wireguard, UnixSeconds now) {
  const pki::ErrorQueue errors;
  const auto certificate = pki::read_certificate(certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  auto facts = pki::describe(certificate->get());
  if (!facts) return std::unexpected(facts.error());
  if (facts->wireguard != wireguard) return failure(EKEYREJECTED, kOwn, facts->name, "it is for another WireGuard key");
  if (X509_check_private_key(certificate->get(), identity.impl().key.get()) != 1)
    return failure(EKEYREJECTED, kOwn, facts->name, "it is for another key");
  const auto roots = pki::read_certificates(authorities.roots_pem);
  const auto between = pki::read_certificates(authorities.issuing_pem);
  const Check check{kOwn, facts->name, X509_PURPOSE_SSL_CLIENT, now};
  auto good = verify(certificate->get(), pointers(between), pointers(roots), check, {});
  if (!good) return std::unexpected(good.error());
  return facts;
}

Result<Authorities> as_authorities(const std::string& pems) {
  const auto certificates = pki::read_certificates(pems);
  Authorities out;
  for (const auto& one : certificates) {
    if (X509_check_ca(one.get()) != 1) return failure(EBADMSG, kAnswer, {}, "it holds what is no authority");
    (is_self_signed(one.get()) ? out.roots_pem : out.issuing_pem) += pki::pem_of(one.get());
  }
  if (out.roots_pem.empty()) return failure(EBADMSG, kAnswer, {}, "it holds no root");
  return out;
}

}  // namespace gw::connect
