// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "gatewayd/base/result.h"

namespace gw::apply {

/// The two things about our kernel objects that the kernel cannot tell. They lie in the run directory, which goes when
/// the objects go.
class LinuxMemory {
 public:
  explicit LinuxMemory(std::string run_directory) : directory_(std::move(run_directory)) {}

  /// The frame that was loaded, and the hash of the live table just after: nft prints a table otherwise than it was
  /// written, so only a table can be compared with a table.
  struct Frame {
    std::string fingerprint;
    std::string live;
  };
  /// nullopt when there is none, or when it cannot be understood: the frame is loaded again then, which harms nothing.
  [[nodiscard]] std::optional<Frame> frame() const;
  Result<void> remember_frame(const Frame& frame);

  /// A device is about to be made and is not marked as ours yet. After a crash in between it is known by this.
  Result<void> begin_link(const std::string& device);
  [[nodiscard]] bool was_beginning(const std::string& device) const;
  Result<void> end_link();

 private:
  std::string directory_;
};

}  // namespace gw::apply
