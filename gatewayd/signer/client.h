// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gatewayd/pki/signer.h"
#include "gatewayd/signer/message.h"

namespace gw::signer {

/// Takes a question there and brings back what is "ok", or the error of the signer or of the way.
using Way = std::function<Result<Json>(const Json& question)>;

/// The way to the process that listens at a socket of this machine. Each question is a connection of its own, so that a
/// signer that was started anew is found again. Blocks for at most five seconds where it hangs, in all. Errors: of
/// connect(2), with what to do; of send_message, receive_message and result_of.
Result<Json> ask_at(const std::string& socket, const Json& question);

/// The process that holds the keys, wherever it is. Errors: those of the signer and of the way to it.
class Remote final : public pki::Signer {
 public:
  explicit Remote(Way way) : way_(std::move(way)) {}
  explicit Remote(std::string socket)
      : way_([socket = std::move(socket)](const Json& question) { return ask_at(socket, question); }) {}

  Result<pki::AuthorityView> view() override;
  Result<pki::AuthorityView> init(const std::string& name, UnixSeconds now) override;
  Result<pki::Certificate> issue(const pki::Request& request, const std::string& name, const std::string& device_uuid,
                                 UnixSeconds now, UnixSeconds not_after) override;
  Result<pki::Certificate> issue_server(const std::string& public_key_pem, const std::vector<std::string>& names,
                                        UnixSeconds now, UnixSeconds not_after) override;
  Result<std::string> make_crl(const std::vector<pki::RevokedCertificate>& revoked, uint64_t number, UnixSeconds now,
                               UnixSeconds next_update, const std::string& issuer) override;
  Result<pki::AuthorityView> rotate(const std::string& name, pki::Rotation what, UnixSeconds now) override;
  Result<std::string> request(const std::string& name) override;
  Result<pki::AuthorityView> import(const std::string& pems, bool cut_off, UnixSeconds now) override;

  /// The files of the authority, keys among them; none: there is no authority. The caller wipes them. EPERM: for root
  /// alone.
  Result<pki::NamedFiles> export_files();
  /// Hands such files in, to be put in place by `adopt`; none: takes them back. EPERM as above; EINVAL: they will not
  /// do.
  Result<void> stage(const pki::NamedFiles& files);
  /// Puts in place what was handed in, if anything was.
  Result<void> adopt();

 private:
  Result<std::string> ask_for_text(const Json& question);
  Result<pki::AuthorityView> ask_for_view(const Json& question);
  Result<pki::Certificate> ask_for_certificate(const Json& question);

  Way way_;
  std::vector<pki::AuthorityView> known_;  // the last view: at most one
};

}  // namespace gw::signer
