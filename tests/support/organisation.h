// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace gw::test {

/// The public key infrastructure of an organisation, made by openssl(1): a root, an issuing authority below it, and the
/// certificates that it gave its machines and people. Throws when openssl(1) refuses. Each call takes a process or two.
class Organisation {
 public:
  /// Files go to `directory`, which is made. `keys`: what `openssl genpkey` takes.
  explicit Organisation(std::string directory, const std::string& name = "Contoso",
                        const std::vector<std::string>& keys = {"-algorithm", "EC", "-pkeyopt",
                                                                "ec_paramgen_curve:P-384"});

  struct Wanted {
    std::string subject = "/O=Contoso/CN=device";
    std::string names = {};                ///< subjectAltName as x509v3_config(5) has it; empty: none
    std::string usage = "clientAuth";      ///< extendedKeyUsage; empty: none
    std::string from = "20200101000000Z";  ///< as openssl-ca(1)
    std::string to = "20400101000000Z";
    std::string by = "issuing";            ///< which of its authorities signs
    std::string more = {};                 ///< more extensions, a line each as x509v3_config(5)
    std::string constraints = "CA:FALSE";  ///< basicConstraints
    std::string key_usage = "digitalSignature";
    std::vector<std::string> keys = {};     ///< as the constructor's; empty: those
    std::vector<std::string> signing = {};  ///< more words to openssl-ca(1)
  };
  struct Issued {
    std::string certificate;  ///< path: the certificate, then its authority's
    std::string alone;        ///< path: without that
    std::string key;          ///< path
  };
  /// `id` names the files.
  [[nodiscard]] Issued issue(const std::string& id, const Wanted& wanted) const;
  /// An authority, `id`, which may be the `by` of others. Of `wanted` it takes `by`, `more`, `keys`, `signing` and the
  /// dates, and what stands for `constraints`.
  void add_authority(const std::string& id, Wanted wanted, const std::string& constraints = "critical,CA:TRUE");
  void revoke(const std::string& id, const std::string& by = "issuing") const;
  /// A list of the authority `by`, PEM, good for `hours`; `more`: more words to openssl-ca(1), among them "-crlexts"
  /// with "users" or "authorities", whom alone it is then about (RFC 5280 §5.2.5), or "delta" (§5.2.4).
  [[nodiscard]] std::string crl(int hours, const std::string& by = "issuing",
                                const std::vector<std::string>& more = {}) const;

  [[nodiscard]] std::string path(const std::string& file) const { return directory_ + "/" + file; }
  [[nodiscard]] std::string root() const { return path("root.crt"); }        ///< path
  [[nodiscard]] std::string issuing() const { return path("issuing.crt"); }  ///< path

 private:
  void make_books(const std::string& authority) const;
  void make_key(const std::string& id, const std::vector<std::string>& keys) const;
  void request(const std::string& id, const std::string& subject) const;
  void sign(const std::string& authority, const std::string& id, const std::string& extensions, const std::string& from,
            const std::string& to, const std::vector<std::string>& more = {}) const;

  std::string directory_;
  std::vector<std::string> authorities_;
  std::vector<std::string> keys_;
};

}  // namespace gw::test
