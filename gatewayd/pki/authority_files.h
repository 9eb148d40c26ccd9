// SPDX-License-Identifier: Apache-2.0
#pragma once

// Internal to pki: the directory that keeps an authority.

#include <optional>
#include <string>

#include "gatewayd/base/result.h"

namespace gw::pki {

/// The texts of an authority's four files; the keys are zeroed at the end.
struct AuthorityFiles {
  std::string root_certificate;
  std::string root_key;  ///< empty: taken off the gateway
  std::string issuing_certificate;
  std::string issuing_key;

  AuthorityFiles() = default;
  AuthorityFiles(AuthorityFiles&&) = default;
  AuthorityFiles& operator=(AuthorityFiles&&) = default;
  ~AuthorityFiles();
};

/// What `directory` holds, or nullopt when there is none or an empty one. Keys that others could read are set to 0600.
/// EUCLEAN: part of an authority is missing; the detail names the files.
Result<std::optional<AuthorityFiles>> load_authority(const std::string& directory);

/// Makes `directory` with the four files, all or nothing: written aside, synced, renamed. ENOTEMPTY: it holds something
/// already.
Result<void> store_authority(const std::string& directory, const AuthorityFiles& files);

/// The directory that an authority's is made in.
std::string parent_of(const std::string& directory);

}  // namespace gw::pki
