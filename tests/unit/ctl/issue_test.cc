// SPDX-License-Identifier: Apache-2.0
// client add, rekey, export: keys, files, and what happens when something fails on the way.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "gatewayd/pki/pki.h"
#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";  // a secret of `wg genkey`

std::string private_key_in(const std::string& profile) {
  const size_t at = profile.find("PrivateKey = ");
  return at == std::string::npos ? "" : profile.substr(at + 13, 44);
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

TEST_F(Gwctl, ClientAddWritesAProfileWithTheKeyOfTheRequest) {
  gateway().answer("AddClient", {recorded("profile")});
  EXPECT_EQ(
      told({"client", "add", "alice", "--group", "developers", "--group", "ops", "--days", "30", "--tunnel", "full"})
          .substr(0, 100),
      "Client alice added: 172.16.201.3/32, fd6d:706e:6c61::3/128; the certificate ends in 364 days (2027-1");
  const json sent = arguments_of("AddClient")[0];
  EXPECT_EQ(sent["name"], "alice");
  EXPECT_EQ(sent["groups"], (json{"developers", "ops"}));
  EXPECT_EQ(sent["days"], 30);
  EXPECT_EQ(sent["tunnel"], "full");
  const auto request = pki::parse_request(sent["request_pem"].get<std::string>());
  ASSERT_TRUE(request) << request.error().message();
  const auto key = SecretKey::parse(private_key_in(content("alice.conf")));
  ASSERT_TRUE(key) << content("alice.conf");
  EXPECT_EQ(pki::public_of(*key), request->wireguard);
  EXPECT_EQ(request->name, "alice");
  EXPECT_EQ(mode_of(directory() / "alice.conf"), 0600U);
}

TEST_F(Gwctl, NoPrivateKeyIsSentToTheGateway) {
  gateway().answer("AddClient", {recorded("profile")});
  told({"client", "add", "alice", "--group", "developers", "--cert-out", "alice"});
  const std::string sent = arguments_of("AddClient").dump();
  EXPECT_THAT(sent, Not(HasSubstr("PRIVATE KEY")));
  EXPECT_THAT(sent, Not(HasSubstr(private_key_in(content("alice.conf")))));
}

TEST_F(Gwctl, ClientAddKeepsCertificateAndKeyWhenAsked) {
  gateway().answer("AddClient", {recorded("profile")});
  told({"client", "add", "alice", "--group", "developers", "--cert-out", "pair"});
  EXPECT_EQ(content("pair.crt"), recorded("profile")["certificate_pem"].get<std::string>() +
                                     recorded("profile")["chain_pem"].get<std::string>());
  EXPECT_TRUE(pki::PrivateKey::parse(content("pair.key")));
  EXPECT_EQ(mode_of(directory() / "pair.key"), 0600U);
}

TEST_F(Gwctl, ClientAddToTheStandardOutputPrintsTheProfileAlone) {
  gateway().answer("AddClient", {recorded("profile")});
  const std::string out = told({"client", "add", "alice", "--group", "developers", "--out", "-"});
  EXPECT_TRUE(SecretKey::parse(private_key_in(out))) << out;
  EXPECT_THAT(out, Not(HasSubstr("added")));
  EXPECT_TRUE(std::filesystem::is_empty(directory()));
}

TEST_F(Gwctl, ClientAddAsAQrCodeWritesNoFile) {
  gateway().answer("AddClient", {recorded("profile")});
  EXPECT_THAT(told({"client", "add", "alice", "--group", "developers", "--qr"}), HasSubstr("▀"));
  EXPECT_TRUE(std::filesystem::is_empty(directory()));
}

TEST_F(Gwctl, ClientAddAsJsonNamesThePathsAndHoldsNoKey) {
  gateway().answer("AddClient", {recorded("profile")});
  const json out = json::parse(told({"client", "add", "alice", "--group", "developers", "--json"}));
  EXPECT_EQ(out["profile_path"], "alice.conf");
  EXPECT_EQ(out["addresses"][0], "172.16.201.3/32");
  EXPECT_THAT(out.dump(), Not(HasSubstr(private_key_in(content("alice.conf")))));
}

TEST_F(Gwctl, AClientInNoGroupIsAddedWithAWarning) {
  gateway().answer("AddClient", {recorded("profile")});
  const auto output = gwctl({"client", "add", "alice"});
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.err, HasSubstr("in no group"));
}

TEST_F(Gwctl, NothingIsAskedOfTheGatewayWhenTheFileCannotBeWritten) {
  std::ofstream(directory() / "alice.conf") << "mine";
  std::filesystem::create_directory(directory() / "bob.conf");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"client", "add", "alice"}, "--out: 'alice.conf' exists; --force overwrites it"},
      {{"client", "add", "bob"}, "--out: 'bob.conf' is a directory"},
      {{"client", "add", "carol", "--out", "missing/carol.conf"},
       "--out: cannot write 'missing/carol.conf': No such file or directory"},
      {{"client", "add", "carol", "--out", "c.conf", "--cert-out", "missing/c"},
       "--cert-out: cannot write 'missing/c.key'"},
      {{"client", "add", "carol", "--out", "-", "--qr"}, "--out: - and --qr both want the standard output"},
      {{"client", "add", "carol", "--out", "-", "--json"}, "--out: - and --json both want the standard output"},
      {{"client", "rekey", "alice"}, "--out: 'alice.conf' exists"},
      {{"client", "renew", "alice", "--out", "alice.conf"}, "--out: 'alice.conf' exists"},
  };
  for (const auto& [arguments, expected] : cases) {
    const auto output = gwctl(arguments);
    EXPECT_EQ(output.status, 2) << expected;
    EXPECT_THAT(output.err, HasSubstr(expected));
  }
  EXPECT_TRUE(gateway().calls().empty());
  EXPECT_EQ(content("alice.conf"), "mine");
  EXPECT_FALSE(exists("c.conf"));
}

TEST_F(Gwctl, ForceOverwritesAFile) {
  std::ofstream(directory() / "alice.conf") << "mine";
  gateway().answer("RekeyClient", {recorded("profile")});
  told({"client", "rekey", "alice", "--force"});
  EXPECT_TRUE(SecretKey::parse(private_key_in(content("alice.conf"))));
}

TEST_F(Gwctl, ARefusedClientLeavesNoFile) {
  gateway().refuse("AddClient", "org.gatewayd.Error.AlreadyExists", "add client alice: the name is taken since 2 days");
  const auto output = gwctl({"client", "add", "alice", "--group", "developers"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.err, "gwctl: add client alice: the name is taken since 2 days\n");
  EXPECT_TRUE(std::filesystem::is_empty(directory()));
}

TEST_F(Gwctl, AProfileThatCannotBeMadeAfterTheIssueSaysHowToRecover) {
  json facts = recorded("profile");
  facts["endpoint"] =
      "vpn.contoso.example:51820\nPostUp = reboot";  // a gateway that cannot be trusted with the profile
  gateway().answer("AddClient", {facts});
  const auto output = gwctl({"client", "add", "alice", "--group", "developers"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("The gateway has issued the certificate"));
  EXPECT_THAT(output.err, HasSubstr("gwctl client rekey alice"));
  EXPECT_FALSE(exists("alice.conf"));
}

TEST_F(Gwctl, AGatewayThatDiesWhileItIssuesLeavesTheOutcomeOpenAndSaysSo) {
  gateway().crash_on("AddClient");
  const auto output = gwctl({"client", "add", "alice", "--group", "developers"});
  EXPECT_EQ(output.status, 3);
  EXPECT_THAT(output.err, HasSubstr("It may have been done all the same: 'gwctl client show alice' tells"));
}

TEST_F(Gwctl, ExportWithoutTheKeyLeavesAMarkedGap) {
  gateway().answer("ExportClient", {recorded("profile")});
  EXPECT_THAT(told({"client", "export", "alice"}), HasSubstr("It lacks the private key"));
  EXPECT_FALSE(SecretKey::parse(private_key_in(content("alice.conf"))));
}

TEST_F(Gwctl, ExportTakesTheKeyFromAKeyFileOrAnOldProfile) {
  const auto key = SecretKey::parse(kKey);
  gateway().answer("GetClient", {json{{"wireguard", pki::public_of(*key).str()}}});
  gateway().answer("ExportClient", {recorded("profile")});
  std::ofstream(directory() / "key") << kKey << "\n";
  std::ofstream(directory() / "old.conf") << "[Interface]\nPrivateKey = " << kKey << "\nAddress = 10.0.0.1\n";
  for (const std::string file : {"key", "old.conf"}) {
    told({"client", "export", "alice", "--key", file, "--out", "new.conf", "--force"});
    EXPECT_EQ(private_key_in(content("new.conf")), kKey) << file;
  }
}

TEST_F(Gwctl, ExportRefusesTheKeyOfAnother) {
  gateway().answer("GetClient", {json{{"wireguard", "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="}}});
  std::ofstream(directory() / "key") << kKey;
  const auto output = gwctl({"client", "export", "alice", "--key", "key"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("the key in 'key' is not that of client alice"));
  EXPECT_THAT(output.err, Not(HasSubstr(kKey)));
  EXPECT_FALSE(exists("alice.conf"));
}

TEST_F(Gwctl, ExportRefusesAFileThatHoldsNoKey) {
  std::ofstream(directory() / "key") << "PrivateKey";
  const auto output = gwctl({"client", "export", "alice", "--key", "key"});
  EXPECT_EQ(output.status, 2);
  EXPECT_THAT(output.err, StartsWith("gwctl: --key: 'key' holds no WireGuard private key"));
}

TEST_F(Gwctl, RenewTellsTheNewEndAndWritesTheCertificateWhenAsked) {
  gateway().answer("RenewClient",
                   {json{{"pem", "PEM\n"}, {"serial", "4f2a"}, {"not_after", recorded("profile")["not_after"]}}});
  EXPECT_THAT(told({"client", "renew", "alice", "--days", "365", "--out", "alice.crt"}),
              HasSubstr("it ends in 364 days"));
  EXPECT_EQ(arguments_of("RenewClient"), (json::array({"alice", 365})));
  EXPECT_EQ(content("alice.crt"), "PEM\n");
}

}  // namespace
}  // namespace gw::ctl::test
