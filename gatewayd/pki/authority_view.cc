// SPDX-License-Identifier: Apache-2.0
#include <cerrno>

#include "gatewayd/pki/authority_impl.h"

namespace gw::pki {
namespace {

constexpr const char* kOpen = "read the authority's certificates";
constexpr const char* kVerify = "verify certificate";

struct Read {
  X509Ptr handle;
  Certificate facts;
};

std::unexpected<Error> damaged(const std::string& what) { return failure(EUCLEAN, kOpen, {}, what); }

Result<Read> read_ca(const std::string& file, const std::string& pem) {
  auto certificate = read_certificate(pem);
  if (!certificate) return damaged(file + " is damaged (" + certificate.error().detail + ")");
  auto facts = describe(certificate->get());
  if (!facts) return damaged(file + " is damaged (" + facts.error().detail + ")");
  if (!facts->is_ca) return damaged(file + " is not the certificate of an authority");
  return Read{std::move(*certificate), std::move(*facts)};
}

bool signs_itself(X509* certificate) {
  return X509_check_issued(certificate, certificate) == X509_V_OK &&
         X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
}

Result<void> check_dates(const STACK_OF(X509) * chain, UnixSeconds now) {
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const auto facts = describe(sk_X509_value(chain, i));
    if (!facts) return std::unexpected(facts.error());
    const std::string which = i == 0 ? "it" : "its authority '" + facts->name + "'";
    if (now > facts->not_after)
      return failure(EKEYEXPIRED, kVerify, facts->serial, which + " ended " + date_of(facts->not_after));
    if (now < facts->not_before) {
      return failure(EKEYEXPIRED, kVerify, facts->serial, which + " is not valid before " + date_of(facts->not_before));
    }
  }
  return {};
}

/// Sorts one of the earlier certificates into what is trusted and what stands between.
Result<void> take_earlier(AuthorityView::Impl& out, const std::string& pem) {
  auto read = read_ca("earlier.crt", pem);
  if (!read) return std::unexpected(read.error());
  out.earlier.push_back(read->facts);
  if (signs_itself(read->handle.get())) {
    if (X509_STORE_add_cert(out.trusted.get(), read->handle.get()) != 1) return failure(ENOMEM, kOpen);
    return {};
  }
  out.issuers.push_back(std::move(read->facts));
  out.between.push_back(std::move(read->handle));
  return {};
}

Result<void> take_cross(AuthorityView::Impl& out, const std::string& pem, X509* root) {
  auto cross = read_ca("cross.crt", pem);
  if (!cross) return std::unexpected(cross.error());
  const bool newest = pem == out.texts.cross.front();
  if (!newest) {
    out.between.push_back(std::move(cross->handle));
    return {};
  }
  if (X509_NAME_cmp(X509_get_subject_name(cross->handle.get()), X509_get_subject_name(root)) != 0 ||
      EVP_PKEY_eq(X509_get0_pubkey(cross->handle.get()), X509_get0_pubkey(root)) != 1) {
    return damaged("cross.crt is not for the key of root.crt");
  }
  out.between.push_back(std::move(cross->handle));
  return {};
}

}  // namespace

Result<AuthorityView> AuthorityView::of(const AuthorityCertificates& certificates) {
  const ErrorQueue errors;
  auto impl = std::make_shared<Impl>();
  impl->texts = certificates;
  auto root = read_ca("root.crt", certificates.root);
  if (!root) return std::unexpected(root.error());
  auto issuing = read_ca("issuing.crt", certificates.issuing);
  if (!issuing) return std::unexpected(issuing.error());
  EVP_PKEY* root_public = X509_get0_pubkey(root->handle.get());
  if (X509_verify(root->handle.get(), root_public) != 1) return damaged("root.crt is not signed by itself");
  if (X509_verify(issuing->handle.get(), root_public) != 1) return damaged("issuing.crt is not signed by root.crt");
  impl->trusted.reset(X509_STORE_new());
  if (!impl->trusted || X509_STORE_add_cert(impl->trusted.get(), root->handle.get()) != 1)
    return errors.failure(ENOMEM, kOpen);
  impl->root = std::move(root->facts);
  impl->issuing = std::move(issuing->facts);
  impl->issuers.push_back(impl->issuing);
  impl->between.push_back(std::move(issuing->handle));
  for (const std::string& pem : certificates.cross) {
    if (auto taken = take_cross(*impl, pem, root->handle.get()); !taken) return std::unexpected(taken.error());
  }
  for (const std::string& pem : certificates.earlier) {
    if (auto taken = take_earlier(*impl, pem); !taken) return std::unexpected(taken.error());
  }
  return AuthorityView(std::move(impl));
}

const AuthorityCertificates& AuthorityView::certificates() const { return impl_->texts; }
const Certificate& AuthorityView::root() const { return impl_->root; }
const Certificate& AuthorityView::issuing() const { return impl_->issuing; }
const std::vector<Certificate>& AuthorityView::earlier() const { return impl_->earlier; }
const std::vector<Certificate>& AuthorityView::issuers() const { return impl_->issuers; }
std::string AuthorityView::chain_pem() const { return impl_->issuing.pem + impl_->root.pem; }

std::string AuthorityView::server_chain_pem() const {
  std::string out = impl_->issuing.pem;
  for (const std::string& pem : impl_->texts.cross) out += pem;
  return out + impl_->root.pem;
}

std::string AuthorityView::all_pem() const {
  std::string out = server_chain_pem();
  for (const std::string& pem : impl_->texts.earlier) out += pem;
  return out;
}

Result<void> AuthorityView::verify(const std::string& certificate_pem, UnixSeconds now) const {
  const ErrorQueue errors;
  const auto certificate = read_certificate(certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  const auto facts = describe(certificate->get());
  if (!facts) return std::unexpected(facts.error());
  const ChainPtr intermediates(sk_X509_new_null());
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (!intermediates || !context) return errors.failure(ENOMEM, kVerify, facts->serial);
  for (const X509Ptr& one : impl_->between) {
    if (sk_X509_push(intermediates.get(), one.get()) == 0) return errors.failure(ENOMEM, kVerify, facts->serial);
  }
  if (X509_STORE_CTX_init(context.get(), impl_->trusted.get(), certificate->get(), intermediates.get()) != 1 ||
      X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT) != 1) {
    return errors.failure(ENOMEM, kVerify, facts->serial);
  }
  // OpenSSL ends a certificate one second early, at notAfter itself: the dates are judged below.
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_NO_CHECK_TIME);
  if (X509_verify_cert(context.get()) != 1) {
    const char* reason = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
    return failure(EKEYREJECTED, kVerify, facts->serial,
                   "it was issued by '" + facts->issuer +
                       "' and does not pass for a client certificate of this gateway: " + reason);
  }
  if (facts->is_ca)
    return failure(EKEYREJECTED, kVerify, facts->serial, "it is the certificate of an authority, not of a client");
  return check_dates(X509_STORE_CTX_get0_chain(context.get()), now);
}

}  // namespace gw::pki
