// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/edit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gatewayd/base/file.h"
#include "tests/unit/config/diagnostics_case.h"

namespace gw::config {
namespace {

using ::testing::HasSubstr;

const Files kFiles{{"gateway.yaml", kBase + "groups: {hand: }\n"
                                            "subnets: {web: {prefixes: [10.1.1.0/24], interface: eth1}}\n"
                                            "rules:\n- {name: all, action: deny, from: any, to: any}\n"},
                   {"gateway.d/95-later.yaml", "# later\n"}};

std::string drop_in(const Files& files) {
  for (const File& file : files) {
    if (file.name == kDropIn) return file.text;
  }
  return "none";
}

template <class T>
T good(Result<T> result) {
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return result ? std::move(*result) : T{};
}

template <class T>
Error bad(const Result<T>& result) {
  EXPECT_FALSE(result);
  return result ? Error{} : result.error();
}

Rule rule(const std::string& name, const char* from, const char* to) {
  Rule out;
  out.name = name;
  out.action = Action::allow;
  out.from = {*parse_selector(from)};
  out.to = {*parse_selector(to)};
  out.service_names = {"tcp/443", "ping"};
  return out;
}

Group group(const std::string& description) {
  Group out;
  out.description = description;
  return out;
}

TEST(Edit, AddsToANewDropInBetweenTheOthers) {
  const Files files = good(add_group(kFiles, "dev", group("people who ship")));
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0], kFiles[0]);
  EXPECT_EQ(files[1].name, kDropIn);
  EXPECT_EQ(files[2], kFiles[1]);
  EXPECT_EQ(load(files).config.groups.at("dev").description, "people who ship");
}

TEST(Edit, WritesEveryKindOfThingSoThatItLoadsAgain) {
  Subnet subnet;
  subnet.prefixes = {*Prefix::parse("10.1.2.0/24"), *Prefix::parse("fd00:2::/64")};
  subnet.interface = "eth1";
  subnet.vlan = 20;
  subnet.address = {*IpAddress::parse("10.1.2.1")};
  subnet.description = "numbers: \"all\"";
  Site site;
  site.public_key = *PublicKey::parse("4mLPyYEjbrJVIL8PmIK0TiL7kCGFc7rDsYVFMlv/YgI=");
  site.endpoint = Endpoint{"2001:db8::7", 51820};
  site.prefixes = {*Prefix::parse("192.168.50.0/24")};
  site.keepalive = 25;
  Files files = good(add_subnet(kFiles, "data", subnet));
  files = good(add_site(files, "home", site));
  files = good(add_rule(files, rule("one", "site:home", "subnet:data"), "all", std::nullopt));
  Config config = load(files).config;
  subnet.origin = config.subnets.at("data").origin;
  site.origin = config.sites.at("home").origin;
  EXPECT_EQ(config.subnets.at("data"), subnet);
  EXPECT_EQ(config.sites.at("home"), site);
  EXPECT_EQ(config.rules.at(0).name, "one");
  EXPECT_EQ(config.rules.at(0).service_names, (std::vector<std::string>{"tcp/443", "ping"}));
  EXPECT_THAT(drop_in(files), HasSubstr("  - {name: one, action: allow, from: [site:home], to: [subnet:data], "
                                        "services: [tcp/443, ping], before: all}\n"));
}

TEST(Edit, KeepsWhatElseTheDropInHoldsAndTheWayBackIsTheSameText) {
  Files files = kFiles;
  const std::string text = "# mine\nvpn:\n  mtu: 1400\ngroups:\n  # why\n  ops: {tunnel: full}\n";
  files.insert(files.begin() + 1, {kDropIn, text});
  const Files added = good(add_group(files, "dev", {}));
  EXPECT_EQ(drop_in(added), "# mine\nvpn:\n  mtu: 1400\ngroups:\n  # why\n  ops: {tunnel: full}\n  dev: {}\n");
  EXPECT_EQ(good(remove_group(added, "dev")), files);
}

TEST(Edit, LeavesNoEmptySectionBehind) {
  const Files added = good(add_group(kFiles, "dev", {}));
  EXPECT_EQ(drop_in(good(remove_group(added, "dev"))), drop_in(added).substr(0, drop_in(added).find('\n') + 1));
}

TEST(Edit, RefusesANameThatIsTaken) {
  const Error error = bad(add_group(kFiles, "hand", {}));
  EXPECT_EQ(error.code, EEXIST);
  EXPECT_THAT(error.detail, HasSubstr("gateway.yaml:3:10"));
  EXPECT_EQ(bad(add_rule(kFiles, rule("all", "vpn", "internet"), {}, {})).code, EEXIST);
}

TEST(Edit, RefusesToTouchAHandWrittenFile) {
  const Error error = bad(remove_group(kFiles, "hand"));
  EXPECT_EQ(error.code, EPERM);
  EXPECT_THAT(error.message(), HasSubstr("gateway.yaml:3:10, which is edited by hand; remove it there"));
}

TEST(Edit, NamesTheNearestWhenThereIsNone) {
  const Error error = bad(remove_group(kFiles, "hnad"));
  EXPECT_EQ(error.code, ENOENT);
  EXPECT_THAT(error.detail, HasSubstr("did you mean 'hand'?"));
  EXPECT_EQ(bad(remove_rule(kFiles, "x")).code, ENOENT);
  EXPECT_EQ(bad(remove_subnet(kFiles, "x")).code, ENOENT);
  EXPECT_EQ(bad(remove_site(kFiles, "x")).code, ENOENT);
}

TEST(Edit, RefusesToRemoveWhatARuleNames) {
  Files files = good(add_group(kFiles, "dev", {}));
  files = good(add_rule(files, rule("one", "group:dev", "subnet:web"), "all", {}));
  const Error error = bad(remove_group(files, "dev"));
  EXPECT_EQ(error.code, EBUSY);
  EXPECT_THAT(error.detail, HasSubstr("rule 'one' at gateway.d/90-gwctl.yaml:5:5"));
  EXPECT_EQ(bad(remove_subnet(files, "web")).code, EBUSY);
  files = good(remove_rule(files, "one"));
  good(remove_group(files, "dev"));
}

TEST(Edit, RefusesToRemoveTheRuleAnotherStandsBeside) {
  Files files = good(add_rule(kFiles, rule("one", "vpn", "subnet:web"), "all", {}));
  files = good(add_rule(files, rule("two", "vpn", "gateway"), {}, "one"));
  const Error error = bad(remove_rule(files, "one"));
  EXPECT_EQ(error.code, EINVAL);
  EXPECT_THAT(error.detail, HasSubstr("unknown rule 'one'"));
}

TEST(Edit, RefusesWhatWouldNotLoadAndSaysWhy) {
  const Error shadowed = bad(add_rule(kFiles, rule("late", "vpn", "internet"), {}, {}));
  EXPECT_EQ(shadowed.code, EINVAL);
  EXPECT_THAT(shadowed.detail, HasSubstr("rule 'late' never matches"));
  EXPECT_THAT(bad(add_rule(kFiles, rule("x", "group:nobody", "internet"), "all", {})).detail,
              HasSubstr("unknown group 'nobody'"));
  EXPECT_THAT(bad(add_group(kFiles, "no_good", {})).detail, HasSubstr("bad group name 'no_good'"));
  EXPECT_THAT(bad(add_subnet(kFiles, "empty", {})).detail, HasSubstr("no prefix"));
}

TEST(Edit, RefusesFilesThatAreWrongAlready) {
  const Error error = bad(add_group({{"gateway.yaml", "x: y\n"}}, "dev", {}));
  EXPECT_EQ(error.code, EINVAL);
  EXPECT_THAT(error.detail, HasSubstr("gateway.yaml:1:1: error: unknown key 'x'"));
}

TEST(Edit, RefusesToRemoveABuiltInRule) { EXPECT_EQ(bad(remove_rule(kFiles, "builtin-gateway-icmp")).code, EPERM); }

class Directory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "gw-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((std::filesystem::path(path_) / name).parent_path());
    ASSERT_TRUE(write_file_atomically(path_ + "/" + name, text, 0644));
  }

  std::string path_;
};

TEST_F(Directory, IsReadInOrderOfNames) {
  put("gateway.yaml", "a");
  put("gateway.d/20.yaml", "c");
  put("gateway.d/10.yaml", "b");
  put("gateway.d/30.yaml.bak", "no");
  put("gateway.d/.40.yaml", "no");
  EXPECT_EQ(good(read_files(path_)),
            (Files{{"gateway.yaml", "a"}, {"gateway.d/10.yaml", "b"}, {"gateway.d/20.yaml", "c"}}));
}

TEST_F(Directory, NeedsGatewayYamlAndNoDropIns) {
  EXPECT_EQ(bad(read_files(path_)).code, ENOENT);
  put("gateway.yaml", "a");
  EXPECT_EQ(good(read_files(path_)).size(), 1U);
}

TEST_F(Directory, GetsTheDropInAndNothingElse) {
  put("gateway.yaml", "on disk");
  const Files files = good(add_group(kFiles, "dev", {}));
  ASSERT_TRUE(write_drop_in(path_, files));
  EXPECT_EQ(good(read_file(path_ + "/" + kDropIn)), drop_in(files));
  EXPECT_EQ(good(read_file(path_ + "/gateway.yaml")), "on disk");
  struct stat status{};
  ASSERT_EQ(::stat((path_ + "/" + kDropIn).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  EXPECT_EQ(bad(write_drop_in(path_, kFiles)).code, ENOENT);
}

}  // namespace
}  // namespace gw::config
