// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/result.h"

namespace gw::bpf {

/// Collects what libbpf would print on this thread, the verifier's log included, while it lives; libbpf is silent from
/// the first one on. Do not nest.
class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  /// The last `lines` lines: where libbpf and the verifier say what was wrong.
  [[nodiscard]] std::string tail(size_t lines) const;
  [[nodiscard]] bool contains(std::string_view text) const { return text_.find(text) != std::string::npos; }

 private:
  std::string text_;
};

/// The capabilities out of CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON that this thread lacks, as a list; empty when it has
/// all.
std::string missing_capabilities();

}  // namespace gw::bpf
