// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/base/result.h"

#include <cstring>

namespace gw {

std::string Error::message() const {
  std::string text = operation;
  if (!object.empty()) text += " " + object;
  text += ": ";
  text += strerrordesc_np(code) != nullptr ? strerrordesc_np(code) : "unknown error";
  if (const char* name = strerrorname_np(code)) text += std::string(" (") + name + ")";
  if (!detail.empty()) text += ": " + detail;
  return text;
}

}  // namespace gw
