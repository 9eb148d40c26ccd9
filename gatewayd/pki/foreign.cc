// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/foreign.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>

#include "gatewayd/pki/certificate.h"
#include "gatewayd/pki/claims.h"

namespace gw::pki {
namespace {

constexpr const char* kTrust = "trust";
constexpr const char* kVerify = "verify certificate";
constexpr const char* kCrl = "read revocation list";
constexpr size_t kMostAnchors = 16;
constexpr size_t kMostShown = 8;
constexpr size_t kMostLists = 16;
constexpr size_t kMostAnchorBytes = size_t{256} << 10U;
constexpr size_t kMostShownBytes = size_t{64} << 10U;
constexpr size_t kMostListBytes = size_t{1} << 20U;
constexpr int kDepth = 6;     // authorities between a certificate and its root
constexpr int kSecurity = 2;  // SSL_CTX_set_security_level(3): 112 bits
constexpr int kSecurityBits = 112;
constexpr size_t kMostName = 120;

Result<std::vector<CrlPtr>> read_lists(const std::string& text) {
  if (text.size() > kMostListBytes) return failure(EINVAL, kCrl, {}, "it is longer than 1 MiB");
  std::vector<CrlPtr> out;
  const BioPtr bio = reader(text);
  while (X509_CRL* one = PEM_read_bio_X509_CRL(bio.get(), nullptr, no_passphrase, nullptr)) {
    out.emplace_back(one);
    if (out.size() > kMostLists) return failure(EINVAL, kCrl, {}, "there are more than 16");
  }
  if (!out.empty()) return out;
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  CrlPtr der(d2i_X509_CRL(nullptr, &at, static_cast<long>(text.size())));
  if (!der) return failure(EINVAL, kCrl, {}, "there is none in it, neither PEM nor DER");
  out.push_back(std::move(der));
  return out;
}

Result<UnixSeconds> end_of(const X509_CRL* list) {
  const ASN1_TIME* time = X509_CRL_get0_nextUpdate(list);
  return time == nullptr ? Result<UnixSeconds>(0) : seconds_of(time);
}

enum class Signed : uint8_t { good, bad, stranger };

Signed signature_of(X509_CRL* list, const std::vector<X509Ptr>& authorities) {
  const X509_NAME* issuer = X509_CRL_get_issuer(list);
  Signed out = Signed::stranger;
  for (const X509Ptr& one : authorities) {
    if (X509_NAME_cmp(X509_get_subject_name(one.get()), issuer) != 0) continue;
    if (X509_CRL_verify(list, X509_get0_pubkey(one.get())) == 1) return Signed::good;
    out = Signed::bad;
  }
  return out;
}

Result<void> check_signature(X509_CRL* list, const std::vector<X509Ptr>& authorities) {
  const Signed found = signature_of(list, authorities);
  if (found == Signed::good) return {};
  const BioPtr bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_CRL_get_issuer(list), 0, XN_FLAG_RFC2253);
  const std::string name = text_of(bio.get());
  if (found == Signed::bad)
    return failure(EKEYREJECTED, kCrl, name, "its signature does not fit: it was changed on its way");
  return failure(
      EKEYREJECTED, kCrl, name,
      "its authority is not among the trusted ones: put that certificate behind the root in the file of gwctl "
      "ca trust add");
}

Result<StorePtr> store_of(const Anchors& anchors, const ErrorQueue& errors) {
  StorePtr store(X509_STORE_new());
  if (!store) return errors.failure(ENOMEM, kVerify);
  for (const Certificate& root : anchors.roots) {
    const auto certificate = read_certificate(root.pem);
    if (!certificate) return std::unexpected(certificate.error());
    if (X509_STORE_add_cert(store.get(), certificate->get()) != 1) return errors.failure(ENOMEM, kVerify);
  }
  return store;
}

/// `error`: X509_V_ERR_…; `depth`: of whom in the chain, from 0.
std::unexpected<Error> refused(int error, size_t depth, const Certificate& facts) {
  const bool late = error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
  const int code = late ? EKEYEXPIRED : error == X509_V_ERR_CERT_REVOKED ? EKEYREVOKED : EKEYREJECTED;
  // OpenSSL's escapes for RFC 2253 leave nothing but printable ASCII.
  return failure(code, kVerify, facts.subject.substr(0, kMostName),
                 std::string(X509_verify_cert_error_string(error)) + (depth > 0 ? " (an authority of it)" : "") +
                     ", issued by " + facts.issuer.substr(0, kMostName));
}

Result<std::vector<X509Ptr>> between(const Shown& shown, const Anchors& anchors) {
  auto out = read_certificates(shown.chain_pem, kMostShown);
  for (const Certificate& one : anchors.issuing) {
    auto issuing = read_certificate(one.pem);
    if (!issuing) return std::unexpected(issuing.error());
    out.push_back(std::move(*issuing));
  }
  return out;
}

/// The chain as it was found: the holder's certificate first, a root last.
//
// Without X509_V_FLAG_X509_STRICT, which asks for more than RFC 5280 wants of whoever reads a certificate: key
// identifiers in every authority and a critical basicConstraints are often missing in roots that organisations made
// years ago and cannot make anew. What an authority may sign is checked in either case.
Result<std::vector<X509Ptr>> verify(X509* certificate, const Certificate& facts, const std::vector<X509Ptr>& others,
                                    X509_STORE* store, UnixSeconds now) {
  const ErrorQueue errors;
  const ChainPtr untrusted(sk_X509_new_null());
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (!untrusted || !context) return errors.failure(ENOMEM, kVerify);
  for (const X509Ptr& one : others) {
    if (sk_X509_push(untrusted.get(), one.get()) == 0) return errors.failure(ENOMEM, kVerify);
  }
  if (X509_STORE_CTX_init(context.get(), store, certificate, untrusted.get()) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return errors.failure(ENOMEM, kVerify);
  }
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_auth_level(param, kSecurity);
  X509_VERIFY_PARAM_set_depth(param, kDepth);
  X509_VERIFY_PARAM_set_time(param, now);
  if (X509_verify_cert(context.get()) != 1) {
    const int depth = X509_STORE_CTX_get_error_depth(context.get());
    return refused(X509_STORE_CTX_get_error(context.get()), static_cast<size_t>(std::max(depth, 0)), facts);
  }
  const STACK_OF(X509)* found = X509_STORE_CTX_get0_chain(context.get());
  std::vector<X509Ptr> chain;
  for (int i = 0; i < sk_X509_num(found); ++i) {
    X509* one = sk_X509_value(found, i);
    if (X509_up_ref(one) != 1) return errors.failure(ENOMEM, kVerify);
    chain.emplace_back(one);
  }
  return chain;
}

// Not OpenSSL's own check, which takes one list of each authority, be it a delta or of some certificates only, and
// refuses everybody where that is late, early, missing, or of others.
Result<void> check_lists(const std::string& pem, const std::vector<X509Ptr>& chain, const Anchors& anchors,
                         const Certificate& facts) {
  if (pem.empty()) return {};
  const ErrorQueue errors;
  const auto lists = read_lists(pem);
  if (!lists) return std::unexpected(lists.error());
  const auto known = read_certificates(anchors.pem(), kMostAnchors);
  for (const CrlPtr& list : *lists) {
    if (signature_of(list.get(), chain) != Signed::good && signature_of(list.get(), known) != Signed::good) continue;
    for (size_t i = 0; i + 1 < chain.size(); ++i) {
      X509_REVOKED* entry = nullptr;  // 2: that it is no longer on hold
      if (X509_CRL_get0_by_cert(list.get(), &entry, chain[i].get()) == 1)
        return refused(X509_V_ERR_CERT_REVOKED, i, facts);
    }
  }
  return {};
}

}  // namespace

std::string Anchors::pem() const {
  std::string out;
  for (const Certificate& one : roots) out += one.pem;
  for (const Certificate& one : issuing) out += one.pem;
  return out;
}

Result<Anchors> parse_anchors(const std::string& pems) {
  const ErrorQueue errors;
  const auto refusal = [](const std::string& object, const std::string& why) {
    return failure(EINVAL, kTrust, object, why);
  };
  if (pems.size() > kMostAnchorBytes) return refusal({}, "the file is longer than 256 KiB");
  const auto all = read_certificates(pems, kMostAnchors + 1);
  if (all.empty())
    return refusal({}, "there is no certificate in PEM in it (openssl x509 -inform DER makes PEM of DER)");
  if (all.size() > kMostAnchors) return refusal({}, "there are more than 16 certificates in it");
  Anchors out;
  std::vector<std::string> seen;
  for (const X509Ptr& one : all) {
    auto facts = describe_foreign(one.get());
    if (!facts) return refusal({}, facts.error().detail);
    if (!facts->is_ca) return refusal(facts->subject, "it is no authority (basicConstraints with CA:TRUE)");
    if (std::ranges::find(seen, facts->sha256) != seen.end()) return refusal(facts->subject, "it is there twice");
    if (EVP_PKEY_get_security_bits(X509_get0_pubkey(one.get())) < kSecurityBits)
      return refusal(facts->subject, "its key is too weak: RSA takes 2048 bits, elliptic curves 224");
    seen.push_back(facts->sha256);
    (X509_self_signed(one.get(), 1) == 1 ? out.roots : out.issuing).push_back(std::move(*facts));
  }
  if (out.roots.empty())
    return refusal(out.issuing.front().subject, "it is signed by '" + out.issuing.front().issuer + "': give that root");
  return out;
}

Result<std::string> crls_as_pem(const std::string& text) {
  const ErrorQueue errors;
  const auto lists = read_lists(text);
  if (!lists) return std::unexpected(lists.error());
  const BioPtr bio(BIO_new(BIO_s_mem()));
  for (const CrlPtr& list : *lists) {
    if (PEM_write_bio_X509_CRL(bio.get(), list.get()) != 1) return errors.failure(EIO, kCrl);
  }
  return text_of(bio.get());
}

Result<RevocationLists> parse_crls(const std::string& text, const Anchors& anchors) {
  const ErrorQueue errors;
  const auto lists = read_lists(text);
  if (!lists) return std::unexpected(lists.error());
  const auto authorities = read_certificates(anchors.pem(), kMostAnchors);
  RevocationLists out;
  const BioPtr bio(BIO_new(BIO_s_mem()));
  for (const CrlPtr& list : *lists) {
    if (auto good = check_signature(list.get(), authorities); !good) return std::unexpected(good.error());
    const auto end = end_of(list.get());
    if (!end) return std::unexpected(end.error());
    if (*end != 0) out.next_update = out.next_update == 0 ? *end : std::min(out.next_update, *end);
    if (PEM_write_bio_X509_CRL(bio.get(), list.get()) != 1) return errors.failure(EIO, kCrl);
  }
  out.pem = text_of(bio.get());
  return out;
}

// The lists, which may be long, are read for those alone whose chain is good.
Result<Holder> verify_foreign(const Shown& shown, const Anchors& anchors, const std::string& crls_pem,
                              UnixSeconds now) {
  const ErrorQueue errors;
  const auto certificate = read_certificate(shown.certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  auto facts = describe_foreign(certificate->get());
  if (!facts) return std::unexpected(facts.error());
  if (shown.chain_pem.size() > kMostShownBytes)
    return failure(EKEYREJECTED, kVerify, facts->serial, "its chain is longer than 64 KiB");
  const auto others = between(shown, anchors);
  if (!others) return std::unexpected(others.error());
  const auto store = store_of(anchors, errors);
  if (!store) return std::unexpected(store.error());
  const auto chain = verify(certificate->get(), *facts, *others, store->get(), now);
  if (!chain) return std::unexpected(chain.error());
  if (auto good = check_lists(crls_pem, *chain, anchors, *facts); !good) return std::unexpected(good.error());
  if (facts->is_ca) return failure(EKEYREJECTED, kVerify, facts->serial, "it is the certificate of an authority");
  auto claims = claims_of(certificate->get());
  if (!claims) return failure(EKEYREJECTED, kVerify, facts->serial, claims.error().detail);
  return Holder{std::move(*facts), std::move(*claims)};
}

}  // namespace gw::pki
