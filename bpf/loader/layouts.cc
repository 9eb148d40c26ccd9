// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "bpf/loader/dataplane.h"

namespace gw::bpf {

Result<std::vector<std::string>> remove_other_layouts(const std::string& pin_directory) {
  namespace fs = std::filesystem;
  const fs::path ours(pin_directory);
  std::vector<fs::path> others;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(ours.parent_path(), error)) {
    if (entry.path() != ours && entry.path().filename().string().starts_with("abi-")) others.push_back(entry.path());
  }
  if (error) return failure(error.value(), "read directory", ours.parent_path().string());
  std::vector<std::string> gone;
  for (const fs::path& other : others) {
    fs::remove_all(other, error);
    if (error) return failure(error.value(), "remove directory", other.string());
    gone.push_back(other.string());
  }
  return gone;
}

}  // namespace gw::bpf
