// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "gatewayd/pki/pki.h"

namespace gw::ctl {

/// Zeroes a text when it goes out of scope.
struct Secret {
  std::string text;
  Secret() = default;
  explicit Secret(std::string value) : text(std::move(value)) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept { text.swap(other.text); }
  Secret& operator=(Secret&&) = delete;
  ~Secret() { pki::wipe(text); }
};

}  // namespace gw::ctl
