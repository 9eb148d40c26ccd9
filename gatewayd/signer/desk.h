// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "gatewayd/pki/signer.h"
#include "gatewayd/signer/message.h"

namespace gw::signer {

/// Who is served at the desk of the keys, and with what. Signatures in the profile of DESIGN §8 and nothing else: no
/// question brings an extension, a usage or a name of an issuer along. The keys themselves only root gets, for a
/// backup. One thread.
class Desk {
 public:
  explicit Desk(std::string directory) : directory_(std::move(directory)), signer_(directory_) {}

  /// The answer to one question of `caller`, of whom the socket's mode has let in root and gatewayd's user. A question
  /// that is none, whatever it is, gets EBADMSG.
  Json answer(const Json& question, uid_t caller);

 private:
  Result<Json> act(const Json& question, uid_t caller);
  Result<Json> sign(const std::string& what, const Json& question);
  Result<Json> sign_list(const Json& question, UnixSeconds now, UnixSeconds end);
  Result<Json> change(const std::string& what, const Json& question);
  Result<Json> move(const std::string& what, const Json& question);

  std::string directory_;
  pki::LocalSigner signer_;
};

}  // namespace gw::signer
