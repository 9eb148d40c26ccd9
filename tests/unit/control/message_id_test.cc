// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/control/message_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "gatewayd/base/file.h"

namespace gw {
namespace {

std::set<std::string> found_in(const std::string& file, const char* pattern) {
  const std::string text = read_file(std::string(GW_SOURCE_DIR) + "/" + file).value();
  const std::regex wanted(pattern);
  std::set<std::string> out;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), wanted); at != std::sregex_iterator(); ++at)
    EXPECT_TRUE(out.insert((*at)[1]).second) << (*at)[1] << " is twice in " << file;
  return out;
}

TEST(MessageId, EachHasAnEntryInTheCatalogAndNoneIsThereTwice) {
  const auto ids = found_in("gatewayd/control/message_id.h", "\"([0-9a-f]{32})\"");
  EXPECT_TRUE(ids.contains(control::message_id::kServing));
  EXPECT_EQ(found_in("image/systemd/gatewayd.catalog", "-- ([0-9a-f]{32})\n"), ids);
}

}  // namespace
}  // namespace gw
