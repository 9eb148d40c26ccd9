// SPDX-License-Identifier: Apache-2.0
// ctl/completion/gwctl.bash and docs/gwctl.md against the program itself.
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "gatewayd/base/file.h"
#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;

std::set<std::string> all_matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> out;
  for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) out.insert((*at)[1]);
  return out;
}

/// The help of every command that does something, by its words: "client add".
std::map<std::string, std::string> all_help() {
  std::map<std::string, std::string> out;
  std::vector<std::vector<std::string>> open = {{}};
  while (!open.empty()) {
    std::vector<std::string> words = open.back();
    open.pop_back();
    std::vector<std::string> command = {GW_BINARY_DIR "/gwctl"};
    command.insert(command.end(), words.begin(), words.end());
    command.emplace_back("--help");
    const std::string help = gw::test::run(command).out;
    const size_t at = help.find("\nSubcommands:\n");
    if (at == std::string::npos) {
      std::string name;
      for (const auto& word : words) name += (name.empty() ? "" : " ") + word;
      out[name] = help;
      continue;
    }
    for (const auto& word : all_matches(help.substr(at), "\n  ([a-z]+) ")) {
      open.push_back(words);
      open.back().push_back(word);
    }
  }
  return out;
}

/// Options stand at the beginning of a line of help; its sentences may name others.
std::set<std::string> options_in(const std::string& help) {
  return all_matches(help, "\n  (?:-[a-zA-Z],)?(--[a-z-]+)");
}

/// What bash offers behind `line`.
std::set<std::string> completions(const std::string& line, const std::string& address) {
  const std::string script =
      "source " GW_SOURCE_DIR
      "/ctl/completion/gwctl.bash; read -ra COMP_WORDS <<<\"$1\"; [[ $1 == *' ' ]] && COMP_WORDS+=(''); "
      "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); compopt() { :; }; _gwctl; printf '%s\\n' \"${COMPREPLY[@]}\"";
  const std::string path = std::string("PATH=") + GW_BINARY_DIR + ":/usr/bin:/bin";
  const auto output =
      gw::test::run({"env", path, "DBUS_SYSTEM_BUS_ADDRESS=" + address, "bash", "-c", script, "bash", line});
  EXPECT_EQ(output.err, "");
  return all_matches(output.out, "([^\n]+)\n");
}

TEST(Help, IsThereForEveryCommandOfTheContract) {
  const auto help = all_help();
  EXPECT_EQ(help.size(), 54U);
  for (const auto* command : {"status", "client add", "rule remove", "cert crl", "ca show", "explain"}) {
    EXPECT_TRUE(help.contains(command)) << command;
  }
}

TEST_F(Gwctl, CompletionOffersEveryOptionOfEveryCommandAndNoOther) {
  for (const auto& [command, help] : all_help()) {
    auto expected = options_in(help);
    expected.insert({"--json", "--host", "--help"});
    EXPECT_EQ(completions("gwctl " + command + " --", bus().address()), expected) << command;
  }
}

TEST_F(Gwctl, CompletionOffersTheNamesThatTheGatewayKnows) {
  gateway().answer("ListClients", {recorded("clients")});
  gateway().answer("ListGroups", {json::array({json{{"name", "developers"}}})});
  EXPECT_EQ(completions("gwctl client revoke ", bus().address()),
            (std::set<std::string>{"--reason", "alice", "bob", "carol"}));
  EXPECT_EQ(completions("gwctl client revoke b", bus().address()), std::set<std::string>{"bob"});
  EXPECT_EQ(completions("gwctl client set bob --add-group ", bus().address()), std::set<std::string>{"developers"});
  EXPECT_EQ(completions("gwctl rule add r --action ", bus().address()),
            (std::set<std::string>{"allow", "deny", "reject"}));
}

TEST_F(Gwctl, CompletionIsQuietWithoutAGateway) {
  gateway_goes();
  EXPECT_EQ(completions("gwctl client show ", bus().address()), std::set<std::string>{});
}

TEST(Manual, ShowsEveryCommandAndEveryOption) {
  const auto manual = read_file(GW_SOURCE_DIR "/docs/gwctl.md");
  ASSERT_TRUE(manual) << manual.error().message();
  for (const auto& [command, help] : all_help()) {
    EXPECT_THAT(*manual, HasSubstr("gwctl " + command));
    for (const auto& option : options_in(help)) {
      EXPECT_THAT(*manual, HasSubstr(option)) << "of " << command;
    }
  }
}

}  // namespace
}  // namespace gw::ctl::test
