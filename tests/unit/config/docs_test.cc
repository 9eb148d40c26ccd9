// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gatewayd/base/file.h"
#include "gatewayd/config/load.h"
#include "gatewayd/config/selector.h"

namespace gw::config {
namespace {

constexpr const char* kPage = GW_SOURCE_DIR "/docs/gateway.yaml.md";

std::string page() {
  const auto text = read_file(kPage);
  EXPECT_TRUE(text) << text.error().message();
  return text.value_or("");
}

/// The ```yaml blocks of a page.
std::vector<std::string> yaml_blocks(const std::string& text) {
  const std::string open = "```yaml\n";
  std::vector<std::string> out;
  for (size_t at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
    at += open.size();
    const size_t end = text.find("```", at);
    out.push_back(text.substr(at, end - at));
  }
  return out;
}

TEST(Reference, ExamplesLoadWithoutADiagnostic) {
  const auto blocks = yaml_blocks(page());
  ASSERT_EQ(blocks.size(), 2U);
  for (const std::string& block : blocks) {
    for (const Diagnostic& diagnostic : load({{"gateway.yaml", block}}).diagnostics)
      ADD_FAILURE() << diagnostic.str() << "\n" << block;
  }
}

TEST(Reference, NamesEveryBuiltInService) {
  const std::string text = page();
  for (const auto& [name, services] : built_in_services())
    EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
}

/// "unknown key …; known are a, b, c" tells the schema: ask each section for its keys.
std::vector<std::string> keys_of(const std::string& yaml) {
  std::vector<std::string> out;
  for (const Diagnostic& diagnostic : load({{"gateway.yaml", yaml}}).diagnostics) {
    const std::string marker = "known are ";
    const size_t at = diagnostic.text.find(marker);
    if (at == std::string::npos) continue;
    std::string list = diagnostic.text.substr(at + marker.size()) + ", ";
    for (size_t comma = list.find(", "); comma != std::string::npos; comma = list.find(", ")) {
      out.push_back(list.substr(0, comma));
      list.erase(0, comma + 2);
    }
  }
  return out;
}

TEST(Reference, NamesEveryKey) {
  const std::string text = page();
  const std::pair<const char*, const char*> sections[] = {
      {"gateway: {qqqqqqqq: }", "gateway."},
      {"gateway: {public: {qqqqqqqq: }}", "gateway.public."},
      {"vpn: {qqqqqqqq: }", "vpn."},
      {"vpn: {dns: {qqqqqqqq: }}", "vpn.dns."},
      {"network: {qqqqqqqq: }", "network."},
      {"subnets: {a: {qqqqqqqq: }}", "subnets.NAME."},
      {"groups: {a: {qqqqqqqq: }}", "groups.NAME."},
      {"sites: {a: {qqqqqqqq: }}", "sites.NAME."},
      {"metrics: {qqqqqqqq: }", "metrics."},
      {"nat: [{qqqqqqqq: }]", "nat[]."},
      {"rules: [{qqqqqqqq: }]", ""},
  };
  for (const auto& [yaml, prefix] : sections) {
    const auto keys = keys_of(yaml);
    EXPECT_FALSE(keys.empty()) << yaml;
    for (const std::string& key : keys)
      EXPECT_NE(text.find("`" + std::string(prefix) + key), std::string::npos) << prefix << key;
  }
}

}  // namespace
}  // namespace gw::config
