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
  void error(std::string_view text) const { write('3', text); }
  void warning(std::string_view text) const { write('4', text); }
  void notice(std::string_view text) const { write('5', text); }
  void info(std::string_view text) const { write('6', text); }
  /// "KEY=value" fields, MESSAGE among them: as they are where the journal listens, else the message as a line.
  void entry(const std::vector<std::string>& fields) const;

 private:
  void write(char priority, std::string_view text) const;
  bool journal_ = false;
};

}  // namespace gw
