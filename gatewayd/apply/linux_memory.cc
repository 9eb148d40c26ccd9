// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/linux_memory.h"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "gatewayd/base/file.h"

namespace gw::apply {
namespace {

constexpr char kFrameFile[] = "/frame.json";
constexpr char kLinkFile[] = "/link-being-made";

}  // namespace

std::optional<LinuxMemory::Frame> LinuxMemory::frame() const {
  const auto text = read_file(directory_ + kFrameFile);
  if (!text) return std::nullopt;
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto member = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return Frame{.fingerprint = member("fingerprint"), .live = member("live")};
}

Result<void> LinuxMemory::remember_frame(const Frame& frame) {
  const nlohmann::json json = {{"fingerprint", frame.fingerprint}, {"live", frame.live}};
  return write_file_atomically(directory_ + kFrameFile, json.dump() + "\n", 0600);
}

Result<void> LinuxMemory::begin_link(const std::string& device) {
  return write_file_atomically(directory_ + kLinkFile, device, 0600);
}

bool LinuxMemory::was_beginning(const std::string& device) const { return read_file(directory_ + kLinkFile) == device; }

Result<void> LinuxMemory::end_link() {
  const std::string path = directory_ + kLinkFile;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return failure(errno, "remove", path);
  return {};
}

}  // namespace gw::apply
