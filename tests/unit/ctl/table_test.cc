// SPDX-License-Identifier: Apache-2.0
#include "ctl/table.h"

#include <gtest/gtest.h>

#include "ctl/facts.h"

namespace gw::ctl {
namespace {

Table two_rows() {
  Table table({{"NAME", false, true}, {"BYTES", true}, {"STATE"}});
  table.add({"alice", "1.5 KiB", {"online", Tone::good}});
  table.add({"a-longer-name", "0 B", "offline"});
  return table;
}

TEST(Tables, AlignColumnsAndEndLinesAtTheirText) {
  EXPECT_EQ(two_rows().render(Style{}),
            "NAME             BYTES  STATE\n"
            "alice          1.5 KiB  online\n"
            "a-longer-name      0 B  offline\n");
}

TEST(Tables, HaveColoursOnlyWhenTheStyleHas) {
  const auto plain = two_rows().render(Style{});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->find('\033'), std::string::npos);
  const auto coloured = two_rows().render(Style{true, 0});
  ASSERT_TRUE(coloured);
  EXPECT_NE(coloured->find("\033[32monline"), std::string::npos) << *coloured;
}

TEST(Tables, CutTheColumnThatShrinksOnANarrowTerminal) {
  const auto text = two_rows().render(Style{false, 26});
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find("a-longer-name"), std::string::npos) << *text;
  EXPECT_NE(text->find("1.5 KiB"), std::string::npos) << *text;
}

TEST(Tables, ShowControlCharactersInTheirContentsAsText) {
  Table table({{"NAME"}});
  table.add({"evil\033[2Jname"});
  const auto text = table.render(Style{});
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find('\033'), std::string::npos);
  EXPECT_NE(text->find("evil"), std::string::npos);
}

TEST(FactLists, PadTheNamesToTheLongest) {
  Facts facts;
  facts.add("state", "online", Tone::good);
  facts.add("description", "two\nlines");
  EXPECT_EQ(facts.render(Style{}), "state        online\ndescription  two?lines\n");
}

}  // namespace
}  // namespace gw::ctl
