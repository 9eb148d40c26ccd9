// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "gatewayd/base/result.h"

namespace gw::apply {

/// Which device is about to be made and is not marked as ours yet: a note in the run directory, which goes when the
/// devices go. After a crash between making and marking the device is known by it, and is no stranger.
class LinkJournal {
 public:
  explicit LinkJournal(std::string run_directory) : path_(std::move(run_directory) + "/link-being-made") {}

  Result<void> begin(const std::string& device);
  [[nodiscard]] bool was_beginning(const std::string& device) const;
  Result<void> end();

 private:
  std::string path_;
};

}  // namespace gw::apply
