// SPDX-License-Identifier: Apache-2.0
// ctl/completion/gwconnect.bash and docs/gwconnect.md against the program itself.
#include <gmock/gmock.h>

#include <regex>
#include <set>
#include <string>

#include "gatewayd/base/file.h"
#include "tests/support/must.h"
#include "tests/support/process.h"

namespace gw::connect {
namespace {

using testing::HasSubstr;

const std::string kProgram = GW_BINARY_DIR "/gwconnect";

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

/// The commands, or the options, that `--help` lists; nothing for those that every command has.
std::set<std::string> told(const std::string& command) {
  gw::test::Arguments argv = {kProgram};
  if (!command.empty()) argv.push_back(command);
  argv.emplace_back("--help");
  const std::string help = gw::test::run(argv).out;
  auto out = all_matches(help, "\n  (?:-[a-zA-Z],)?(--[a-z-]+)");
  if (const size_t at = help.find("\nSubcommands:\n"); at != std::string::npos)
    out.merge(all_matches(help.substr(at), "\n  ([a-z]+) "));
  if (!command.empty()) out.erase("--help");
  return out;
}

std::set<std::string> completed(const std::string& command) {
  const std::string script =
      "source " GW_SOURCE_DIR "/ctl/completion/gwconnect.bash; printf '%s' \"${_gwconnect_words[$1]}\"";
  const std::string words = gw::test::run({"bash", "-c", script, "bash", command}).out;
  return all_matches(words, "([a-z-]+)");
}

TEST(ConnectCompletion, AndTheManualHoldEveryCommandAndOption) {
  const std::string manual = gw::test::must(read_file(GW_SOURCE_DIR "/docs/gwconnect.md"));
  EXPECT_EQ(completed("gwconnect"), told(""));
  const auto commands = all_matches(gw::test::run({kProgram, "--help"}).out, "\n  ([a-z]+) ");
  ASSERT_EQ(commands.size(), 7U);
  for (const std::string& command : commands) {
    EXPECT_EQ(completed(command), told(command)) << command;
    EXPECT_THAT(manual, HasSubstr("    gwconnect " + command));
    for (const std::string& option : told(command)) EXPECT_THAT(manual, HasSubstr(option)) << command;
  }
}

TEST(ConnectProgram, ToldNonsenseSaysSoAndExitsWithTwo) {
  for (const gw::test::Arguments& words :
       {gw::test::Arguments{}, {"dance"}, {"join"}, {"join", "x", "--name", "A B"}}) {
    gw::test::Arguments argv = {kProgram};
    argv.insert(argv.end(), words.begin(), words.end());
    const auto output = gw::test::run(argv);
    EXPECT_EQ(output.status, 2) << output.err;
    EXPECT_THAT(output.err, HasSubstr("--help"));
  }
}

}  // namespace
}  // namespace gw::connect
