// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "gatewayd/base/clock.h"
#include "gatewayd/pki/pki.h"
#include "gatewayd/pki/proof.h"

namespace gw::control {

/// What devices are asked to prove their WireGuard key with (pki/proof.h). One challenge for all who ask within a
/// minute: the proof covers the request, so nobody gains by another's, and nobody can fill a memory by asking. Its
/// secret is forgotten after the next one. One thread.
class Challenges {
 public:
  struct Asked {
    pki::Challenge challenge;
    uint32_t seconds = 0;  ///< a proof for it is taken so long at least
  };
  Result<Asked> current(UnixSeconds now);

  /// `proof`: "NONCE MAC" in base64, from outside. EINVAL: not of this form; EACCES: not by the holder of `wireguard`
  /// for this request; ETIMEDOUT: for a challenge that is over.
  Result<void> check(const std::string& proof, const PublicKey& wireguard, const std::string& request_der,
                     UnixSeconds now);

 private:
  struct One {
    pki::WireGuardKeys keys;
    pki::Challenge challenge;
    UnixSeconds made = 0;
  };
  std::optional<One> current_, before_;
};

}  // namespace gw::control
