// SPDX-License-Identifier: Apache-2.0
// A gateway moves to another machine, with its clients untouched.

#include <filesystem>
#include <fstream>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

constexpr const char* kRules = "rules:\n  - {name: all, action: allow, from: [group:developers], to: [subnet:web]}\n";

class Backup : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(std::string(kGroups) + kRules);
    lab_.start();
    lab_.enrol("alice", "developers");
    put("passphrase", "four words are enough\nnot this line\n");
    put("wrong", "four words are not\n");
    lab_.must_gwctl("backup " + backup() + " --passphrase-file " + lab_.directory() + "/passphrase");
  }
  void TearDown() override {
    if (HasFailure()) std::cerr << "gatewayd's log:\n" << lab_.log() << std::endl;
  }
  [[nodiscard]] std::string backup() const { return lab_.directory() + "/gateway.backup"; }
  void put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(lab_.directory() + "/" + name, text, 0600));
  }
  Output restore(const std::string& file, const std::string& options, const std::string& passphrase = "passphrase") {
    return lab_.gwctl("restore " + file + " --passphrase-file " + lab_.directory() + "/" + passphrase + " " + options);
  }
  /// The state, configuration and run directories of a machine where gatewayd has just been installed.
  void another_machine() {
    lab_.stop();
    for (const char* name : {"state", "run", "etc"}) std::filesystem::remove_all(lab_.directory() + "/" + name);
    std::filesystem::create_directories(lab_.config_directory() + "/gateway.d");
    lab_.configure("");
    lab_.start();
  }
  /// What the service manager does when gatewayd ends.
  void starts_anew() {
    ASSERT_TRUE(Lab::eventually([&] { return !lab_.running(); }));
    lab_.start();
  }
  [[nodiscard]] bool alice_is_in() {
    return Lab::eventually([&] { return try_ping(lab_.client("alice"), "10.1.1.10", kSilence) == Reach::open; },
                           std::chrono::seconds(20));
  }

  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Backup, MovesAGatewayWhoseClientsNoticeNothing) {
  const std::string authority = lab_.must_gwctl("ca show");
  another_machine();
  EXPECT_NE(try_ping(lab_.client("alice"), "10.1.1.10", kSilence), Reach::open);
  const Output done = restore(backup(), "--enable-clients");
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.out.find("with 1 client, as it was"), std::string::npos) << done.out;
  starts_anew();
  EXPECT_TRUE(alice_is_in());
  EXPECT_EQ(lab_.must_gwctl("ca show"), authority);
  EXPECT_NE(read_file(lab_.config_directory() + "/gateway.yaml").value_or("").find("developers"), std::string::npos);
  EXPECT_EQ(lab_.must_gwctl("status --health"), "The gateway is healthy.\n");
  EXPECT_NE(lab_.must_gwctl("status").find("as applied"), std::string::npos);
}

TEST_F(Backup, LetsNobodyInUntilSomebodyHasLooked) {
  another_machine();
  const Output done = restore(backup(), "");
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.out.find("does not know who was revoked"), std::string::npos) << done.out;
  starts_anew();
  EXPECT_NE(try_ping(lab_.client("alice"), "10.1.1.10", kSilence), Reach::open);
  lab_.must_gwctl("client set alice --enable");
  EXPECT_TRUE(alice_is_in());
}

TEST_F(Backup, IsRefusedWithTheReasonWhenItIsNotWhatItSaysAndChangesNothing) {
  const std::string whole = read_file(backup()).value();
  put("cut", whole.substr(0, whole.size() / 2));
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
  put("flipped", flipped);
  const std::tuple<std::string, const char*, const char*> cases[] = {
      {backup(), "wrong", "the passphrase is wrong"},
      {lab_.directory() + "/cut", "passphrase", "cut short"},
      {lab_.directory() + "/flipped", "passphrase", "has been changed"},
      {backup(), "passphrase", "this gateway has 1 client of its own"}};
  for (const auto& [file, passphrase, reason] : cases) {
    const Output refused = restore(file, "", passphrase);
    EXPECT_EQ(refused.status, 1);
    EXPECT_NE(refused.err.find(reason), std::string::npos) << refused.err;
  }
  EXPECT_TRUE(lab_.running());
  EXPECT_TRUE(alice_is_in());
  EXPECT_FALSE(std::filesystem::exists(lab_.state_directory() + "/restore"));
}

TEST_F(Backup, ReplacesWhatIsThereButBringsNoRevokedClientBack) {
  lab_.enrol("bob", "developers");
  lab_.must_gwctl("client revoke alice --reason keyCompromise");
  const Output done = restore(backup(), "--replace --enable-clients");
  ASSERT_EQ(done.status, 0) << done.err;
  starts_anew();
  EXPECT_EQ(lab_.gwctl("client show bob").status, 1);
  EXPECT_NE(lab_.must_gwctl("client show alice").find("revoked"), std::string::npos);
  EXPECT_NE(try_ping(lab_.client("alice"), "10.1.1.10", kSilence), Reach::open);
  EXPECT_NE(try_ping(lab_.client("bob"), "10.1.1.10", kSilence), Reach::open);
}

}  // namespace
}  // namespace gw::test
