// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/profile.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "tests/unit/connect/sample.h"

namespace gw::connect {
namespace {

using Json = nlohmann::json;

Json sample() { return Json::parse(profile_json(test::sample_profile())); }

TEST(ConnectProfile, IsReadAsItWasWritten) {
  const auto read = parse_profile(sample().dump());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, test::sample_profile());
}

TEST(ConnectProfile, MayHoldFieldsThatAreNotKnownAndRepeatPrefixes) {
  Json json = sample();
  json["tomorrow"] = {1, 2};
  json["allowed_ips"].push_back("10.1.0.0/16");
  EXPECT_EQ(*parse_profile(json.dump()), test::sample_profile());
}

TEST(ConnectProfile, IsRefusedWithTheFieldThatWillNotDo) {
  const std::pair<const char*, Json> bad[] = {
      {"client", "Alice Smith"},
      {"client", "-alice"},
      {"addresses", Json::array()},
      {"addresses", "172.16.201.4/32"},
      {"addresses", {"172.16.201.4/33"}},
      {"addresses", {"172.16.201.4/0"}},
      {"allowed_ips", {"10.1.0.1/16"}},
      {"allowed_ips", Json::array()},
      {"allowed_ips", {1}},
      {"tunnel", "half"},
      {"dns", {"ns.example"}},
      {"dns_domain", "vpn internal"},
      {"dns_domain", "~."},
      {"mtu", 1279},
      {"mtu", -1},
      {"mtu", 1.5},
      {"mtu", 18446744073709551615U},
      {"gateway_name", "con\ntoso"},
      {"gateway_public_key", "short"},
      {"gateway_public_key", PublicKey{}.str()},
      {"endpoint", "vpn.contoso.example"},
      {"endpoint", "vpn.contoso.example:0"},
      {"endpoint", "$(id):1"},
      {"not_after", "tomorrow"},
      {"not_after", Json()},
  };
  for (const auto& [field, value] : bad) {
    Json json = sample();
    json[field] = value;
    const auto read = parse_profile(json.dump());
    ASSERT_FALSE(read) << field << " " << value;
    EXPECT_EQ(read.error().code, EBADMSG);
    EXPECT_NE(read.error().detail.find(std::string("field ") + field + " "), std::string::npos)
        << read.error().message();
    json.erase(field);
    EXPECT_FALSE(parse_profile(json.dump())) << "without " << field;
  }
  for (const char* text : {"", "[]", "{", "null", "{}"}) EXPECT_FALSE(parse_profile(text)) << text;
}

TEST(ConnectProfile, HoldsNoMoreThanAnEndpointShouldApply) {
  Json json = sample();
  for (int i = 0; i < 4096; ++i) json["allowed_ips"].push_back("10.1.0.0/16");
  EXPECT_FALSE(parse_profile(json.dump()));
  EXPECT_FALSE(parse_profile(sample().dump() + std::string(300'000, ' ')));
}

}  // namespace
}  // namespace gw::connect
