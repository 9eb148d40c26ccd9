// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/pki/claims.h"

#include <algorithm>
#include <cerrno>

#include "gatewayd/pki/certificate.h"

namespace gw::pki {
namespace {

constexpr const char* kRead = "read certificate";

Result<std::string> text_in(const ASN1_STRING* value) {
  unsigned char* raw = nullptr;
  const int size = ASN1_STRING_to_UTF8(&raw, value);
  const BufferPtr owner(raw);
  if (size < 0) return failure(EINVAL, kRead, {}, "a name in it is not text");
  std::string text(raw, raw + size);
  const bool control = std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (control) return failure(EINVAL, kRead, {}, "a name in it holds control characters");
  return text;
}

/// The value of a user principal name: a UTF8String; null for any other name.
const ASN1_STRING* principal_of(const OTHERNAME* name) {
  if (OBJ_obj2nid(name->type_id) != NID_ms_upn || name->value->type != V_ASN1_UTF8STRING) return nullptr;
  return name->value->value.utf8string;
}

struct Found {
  Claim::Kind kind;
  const ASN1_STRING* value;  ///< null: of a kind that nothing is made of
};

Found found_in(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_DNS:
      return {Claim::Kind::dns, name->d.dNSName};
    case GEN_EMAIL:
      return {Claim::Kind::email, name->d.rfc822Name};
    case GEN_URI:
      return {Claim::Kind::uri, name->d.uniformResourceIdentifier};
    case GEN_OTHERNAME:
      return {Claim::Kind::upn, principal_of(name->d.otherName)};
    default:
      return {Claim::Kind::dns, nullptr};
  }
}

Result<void> add_alternatives(X509* certificate, std::vector<Claim>& out) {
  int critical = 0;
  const GeneralNamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr)));
  // -1: there is none; anything else without names is damaged, or there twice.
  if (!names && critical != -1) return failure(EINVAL, kRead, {}, "its subject alternative name cannot be read");
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const Found found = found_in(sk_GENERAL_NAME_value(names.get(), i));
    if (found.value == nullptr) continue;
    auto text = text_in(found.value);
    if (!text) return std::unexpected(text.error());
    out.push_back({found.kind, std::move(*text)});
  }
  return {};
}

Result<void> add_subject(X509* certificate, int nid, Claim::Kind kind, std::vector<Claim>& out) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, nid, at)) >= 0;) {
    auto text = text_in(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (!text) return std::unexpected(text.error());
    out.push_back({kind, std::move(*text)});
  }
  return {};
}

}  // namespace

Result<std::vector<Claim>> claims_of(X509* certificate) {
  const ErrorQueue errors;
  std::vector<Claim> out;
  if (auto done = add_alternatives(certificate, out); !done) return std::unexpected(done.error());
  constexpr std::pair<int, Claim::Kind> kSubject[] = {{NID_commonName, Claim::Kind::common_name},
                                                      {NID_organizationName, Claim::Kind::organisation},
                                                      {NID_organizationalUnitName, Claim::Kind::unit}};
  for (const auto& [nid, kind] : kSubject) {
    if (auto done = add_subject(certificate, nid, kind, out); !done) return std::unexpected(done.error());
  }
  return out;
}

}  // namespace gw::pki
