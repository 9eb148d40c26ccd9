// SPDX-License-Identifier: Apache-2.0
#include "ctl/passphrase.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/pki.h"

namespace gw::ctl {
namespace {

constexpr size_t kShortest = 12;
constexpr size_t kLongest = 1024;

/// Does not show what is typed, until the end of its life.
class Unseen {
 public:
  explicit Unseen(int terminal) : terminal_(terminal), changed_(::tcgetattr(terminal, &before_) == 0) {
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    if (changed_) ::tcsetattr(terminal_, TCSAFLUSH, &quiet);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() {
    if (changed_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }

 private:
  int terminal_;
  termios before_{};
  bool changed_;
};

Outcome<std::string> ask_once(int terminal, const std::string& question) {
  if (::write(terminal, question.data(), question.size()) < 0) return refused(Error{errno, "ask at", "/dev/tty", ""});
  const Unseen unseen(terminal);
  std::string line;
  line.reserve(kLongest + 1);  // no copy stays behind
  for (;;) {
    char c = 0;
    const ssize_t n = ::read(terminal, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || c == '\n') return line;
    if (line.size() < kLongest + 1) line += c;
  }
}

Outcome<std::string> from_file(const std::string& file) {
  auto text = read_file(file, size_t{64} << 10U);
  if (!text) return usage("--passphrase-file", text.error().message());
  std::string line = text->substr(0, text->find('\n'));
  pki::wipe(*text);
  return line;
}

Outcome<std::string> from_terminal(const std::string& what, bool twice) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal.valid()) return usage("--passphrase-file", "is needed where there is no terminal to ask at");
  for (;;) {
    auto first = ask_once(terminal.get(), "Passphrase of " + what + ": ");
    if (!first || !twice) return first;
    auto second = ask_once(terminal.get(), "Once more: ");
    if (!second) return second;
    const bool same = *first == *second;
    pki::wipe(*second);
    if (same) return first;
    pki::wipe(*first);
    constexpr std::string_view kAgain = "They are not the same.\n";
    if (::write(terminal.get(), kAgain.data(), kAgain.size()) < 0) return refused("the terminal is gone");
  }
}

}  // namespace

Outcome<std::string> ask_passphrase(const std::string& file, const std::string& what, bool twice) {
  auto passphrase = file.empty() ? from_terminal(what, twice) : from_file(file);
  if (!passphrase) return passphrase;
  const size_t size = passphrase->size();
  if (size != 0 && size <= kLongest && (!twice || size >= kShortest)) return passphrase;
  pki::wipe(*passphrase);
  if (size == 0) return refused("the passphrase is empty");
  return refused(size > kLongest ? "the passphrase is longer than 1024 bytes"
                                 : "the passphrase is too short: whoever finds the file may try for years, so take 12 "
                                   "characters or more, such as four or five words");
}

}  // namespace gw::ctl
