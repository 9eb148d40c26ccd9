// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/log.h"

#include <sys/stat.h>
#include <sys/uio.h>
// The place in this file is not what a verdict is about.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace gw {
namespace {

// JOURNAL_STREAM names the device and inode of the stream that the service manager made (systemd.exec(5)).
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat info{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &info) != 0) return false;
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

// Names and file contents come from outside: none of their control characters reaches a terminal or makes a second
// line.
std::string printable(std::string_view line) {
  std::string out;
  for (const char c : line) out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  return out;
}

}  // namespace

Log::Log() : journal_(stderr_is_journal()) {}

bool Log::send(const std::vector<std::string>& fields) const {
  if (!journal_) return false;
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (const std::string& field : fields) parts.push_back({const_cast<char*>(field.data()), field.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

void Log::tell(char priority, std::string_view text, const char* message) const {
  if (message != nullptr &&
      send({"MESSAGE=" + std::string(text), std::string("MESSAGE_ID=") + message, std::string("PRIORITY=") + priority}))
    return;
  write(priority, text);
}

void Log::entry(const std::vector<std::string>& fields) const {
  if (send(fields)) return;
  constexpr std::string_view kMessage = "MESSAGE=";
  for (const std::string& field : fields) {
    if (field.starts_with(kMessage)) return write('5', std::string_view(field).substr(kMessage.size()));
  }
}

void Log::write(char priority, std::string_view text) const {
  std::string out;
  while (true) {
    const size_t end = text.find('\n');
    if (journal_) out += std::string("<") + priority + ">";
    out += (journal_ ? "" : "gatewayd: ") + printable(text.substr(0, end)) + "\n";
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  std::fwrite(out.data(), 1, out.size(), stderr);
}

}  // namespace gw
