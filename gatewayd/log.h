// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gw {

/// The log of the daemon: lines on stderr, with the <N> prefixes of sd-daemon(3) when that is the journal. Only the
/// composition root logs; everything below it returns what there is to tell.
class Log {
 public:
  Log();
  /// `message`: the MESSAGE_ID of what is told (control/message_id.h), for the journal; nullptr: it has none.
  void error(std::string_view text, const char* message = nullptr) const { tell('3', text, message); }
  void warning(std::string_view text, const char* message = nullptr) const { tell('4', text, message); }
  void notice(std::string_view text, const char* message = nullptr) const { tell('5', text, message); }
  void info(std::string_view text, const char* message = nullptr) const { tell('6', text, message); }
  /// "KEY=value" fields, MESSAGE among them: as they are where the journal listens, else the message as a line.
  void entry(const std::vector<std::string>& fields) const;

 private:
  void tell(char priority, std::string_view text, const char* message) const;
  [[nodiscard]] bool send(const std::vector<std::string>& fields) const;
  void write(char priority, std::string_view text) const;
  bool journal_ = false;
};

}  // namespace gw
