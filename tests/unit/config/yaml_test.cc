// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/yaml.h"

#include <gtest/gtest.h>

#include <string>

#include "gatewayd/config/emit.h"

namespace gw::config {
namespace {

std::string error_of(const std::string& text) {
  const auto tree = parse_yaml(text, 0);
  return tree ? "" : tree.error().text;
}

TEST(Yaml, KeepsRepeatedKeysWithTheirPlaces) {
  const auto tree = parse_yaml("a: 1\nb:\n  - x\na: {c: ~}\n", 7);
  ASSERT_TRUE(tree);
  ASSERT_EQ(tree->entries.size(), 3U);
  EXPECT_EQ(tree->entries[0].key.scalar, "a");
  EXPECT_EQ(tree->entries[2].key.scalar, "a");
  EXPECT_EQ(tree->entries[2].key.mark, (Mark{7, 4, 1}));
  EXPECT_EQ(tree->entries[1].value.items[0].mark, (Mark{7, 3, 5}));
  EXPECT_TRUE(tree->entries[2].value.entries[0].value.is(YamlNode::Kind::null));
}

TEST(Yaml, CountsColumnsInBytes) { EXPECT_EQ(parse_yaml("{é: a, b: c}", 0)->entries[1].key.mark.column, 9U); }

TEST(Yaml, KeepsAQuotedWordThatLooksLikeNothing) {
  EXPECT_TRUE(parse_yaml("\"null\"", 0)->is(YamlNode::Kind::scalar));
  EXPECT_TRUE(parse_yaml("null", 0)->is(YamlNode::Kind::null));
}

TEST(Yaml, RefusesAliasesThatMultiply) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int n = 1; n < 10; ++n) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_NE(error_of(bomb).find("aliases counted at full length"), std::string::npos);
}

TEST(Yaml, CountsAliasesAtFullLength) {
  std::string text = "a: &a [x";
  for (int i = 0; i < 999; ++i) text += ", x";
  text += "]\nb: [*a";
  for (int i = 0; i < 1'100; ++i) text += ", *a";
  EXPECT_NE(error_of(text + "]\n").find("aliases counted at full length"), std::string::npos);
}

TEST(Yaml, RefusesControlCharactersWrittenAsEscapes) {
  EXPECT_NE(error_of("a: \"\\e[31m\"\n").find("control character"), std::string::npos);
  EXPECT_NE(error_of("a: \"\\0\"\n").find("control character"), std::string::npos);
  EXPECT_EQ(error_of("a: \"two\\nlines\"\n"), "");
}

TEST(Yaml, RefusesWhatIsTooDeepAlsoThroughAliases) {
  EXPECT_EQ(error_of(std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']')), "");
  EXPECT_NE(error_of(std::string(kMaxDepth + 1, '[') + std::string(kMaxDepth + 1, ']')).find("nested"),
            std::string::npos);
  EXPECT_NE(error_of(std::string(100'000, '[')).find("nested"), std::string::npos);
  EXPECT_NE(error_of("a: &a " + std::string(20, '[') + std::string(20, ']') + "\nb: [[[[[[*a]]]]]]\n").find("nested"),
            std::string::npos);
}

TEST(Yaml, RefusesAFileThatIsTooLarge) {
  EXPECT_NE(error_of("#" + std::string(kMaxFileBytes, 'x')).find("at most"), std::string::npos);
}

TEST(Yaml, RefusesAQuoteThatRunsToTheEnd) {
  EXPECT_EQ(error_of("a: \"x\\\"\n"), "this quote is never closed");
  EXPECT_EQ(error_of("a: 'it\n"), "this quote is never closed");
  EXPECT_EQ(error_of("a: \"x\\\"\"\n"), "");
  EXPECT_EQ(error_of("a: 'it''s'\n"), "");
  EXPECT_EQ(error_of("a: it's\n"), "");
}

TEST(Emit, ComesBackAsTheSameText) {
  const std::string text =
      "# About this file.\n"
      "groups:\n"
      "  # who ships\n"
      "  dev: {description: \"say \\\"hi\\\", 5 > 3: #1\", interconnect: true}\n"
      "  ops: null\n"
      "rules:\n"
      "  - {name: a, action: allow, from: [group:dev, \"fd00::/8\"], to: [10.1.0.0/16], services: [tcp/443]}\n"
      "  # beside it\n"
      "  - {name: b}\n"
      "nat: []\n"
      "# the end\n";
  EXPECT_EQ(emit(*parse_yaml(text, 0), text), text);
}

TEST(Emit, MovesCommentsBesideAThingAboveIt) {
  const std::string text =
      "groups:   # all of them\n  dev:   # who ships\n    description: |\n      two\n      lines\n  \"null\": 'it''s # "
      "no comment'\n";
  EXPECT_EQ(emit(*parse_yaml(text, 0), text),
            "# all of them\ngroups:\n  # who ships\n  dev: {description: \"two\\nlines\\n\"}\n  \"null\": \"it's # no "
            "comment\"\n");
}

}  // namespace
}  // namespace gw::config
