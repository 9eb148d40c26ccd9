// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: an open authority with its OpenSSL handles.

#include "gatewayd/pki/certificate.h"
#include "gatewayd/pki/openssl.h"
#include "gatewayd/pki/pki.h"

namespace gw::pki {

struct Authority::Impl {
  X509Ptr root;
  X509Ptr issuing;
  PrivateKey issuing_key;
  Certificate root_facts;
  Certificate issuing_facts;
  StorePtr trusted;  ///< the root alone
};

}  // namespace gw::pki
