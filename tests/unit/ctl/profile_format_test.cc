// SPDX-License-Identifier: Apache-2.0
// The formats of profiles, read by other programs: python's configparser, plistlib and zipfile, openssl.
#include "ctl/profile_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";

class ProfileFormatTest : public testing::Test {
 protected:
  ProfileFormatTest() : key_(*pki::PrivateKey::generate()) {
    profile_.client = "alice";
    profile_.gateway = "contoso & <sons>";
    profile_.addresses = {"172.16.201.4/32", "fd6d:706e:6c61::4/128"};
    profile_.allowed_ips = {"10.1.0.0/16", "fd6d:706e:6c61::/64"};
    profile_.dns = {"10.1.1.53"};
    profile_.dns_domain = "vpn.internal";
    profile_.mtu = 1420;
    profile_.gateway_public_key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    profile_.endpoint = "vpn.contoso.example:51820";
    profile_.not_after = 1'800'000'000;
    profile_.key = SecretKey::parse(kSecret);
    const auto authority = pki::Authority::open(directory_ / "ca", "contoso", 1'790'000'000);
    const auto request = pki::parse_request(*pki::make_request(key_, "alice", pki::public_of(*profile_.key)));
    profile_.certificate_pem =
        authority->issue(*request, "alice", pki::random_uuid(), 1'790'000'000, profile_.not_after)->pem;
    profile_.chain_pem = authority->chain_pem();
  }

  [[nodiscard]] std::string file(ProfileFormat format, size_t index = 0) const {
    const auto files = render(format, profile_, {key_.reveal_pem(), "k7wq-secret"});
    EXPECT_TRUE(files) << files.error().message();
    return files ? files->at(index).content.text : "";
  }

  /// Writes `text` to a file and gives its path to a program.
  std::string told_by(const std::string& text, const test::Arguments& program) const {
    const std::string path = directory_ / "file";
    EXPECT_TRUE(write_file_atomically(path, text, 0600));
    test::Arguments command = program;
    command.push_back(path);
    const auto output = test::run(command);
    EXPECT_TRUE(output.ok()) << output.err;
    return output.out;
  }

  test::TempDir directory_;
  pki::PrivateKey key_;
  Profile profile_;
};

TEST_F(ProfileFormatTest, OfNetworkManagerSplitsNamesAndRoutes) {
  const std::string text = file(ProfileFormat::networkmanager);
  const std::string read = told_by(text, {"python3", "-c", R"(
import configparser, sys
c = configparser.ConfigParser(delimiters=("=",), interpolation=None)
c.read(sys.argv[1])
print(c["connection"]["interface-name"], c["wireguard"]["private-key"], c["ipv4"]["address1"], c["ipv4"]["dns"],
      c["ipv4"]["dns-search"], c["ipv6"]["address1"], c["ipv6"]["method"],
      c["wireguard-peer.xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="]["allowed-ips"])
)"});
  EXPECT_EQ(read, "alice " + std::string(kSecret) +
                      " 172.16.201.4/32 10.1.1.53; vpn.internal; fd6d:706e:6c61::4/128 manual "
                      "10.1.0.0/16;fd6d:706e:6c61::/64;\n");
  EXPECT_EQ(text, file(ProfileFormat::networkmanager)) << "the same UUID again: an import replaces the old one";
}

TEST_F(ProfileFormatTest, OfAFullTunnelAsksTheGatewaysServersForEverything) {
  EXPECT_THAT(file(ProfileFormat::networkd, 1), AllOf(HasSubstr("DNSDefaultRoute=no"), Not(HasSubstr("~."))));
  EXPECT_THAT(file(ProfileFormat::networkd), AllOf(HasSubstr("RouteTable=main"), Not(HasSubstr("FirewallMark"))));
  profile_.allowed_ips = {"0.0.0.0/0", "::/0"};
  EXPECT_THAT(file(ProfileFormat::networkmanager), HasSubstr("dns-search=vpn.internal;~.;"));
  EXPECT_THAT(file(ProfileFormat::networkd), AllOf(HasSubstr("RouteTable=51820"), HasSubstr("FirewallMark=51820")));
  EXPECT_THAT(file(ProfileFormat::networkd, 1),
              AllOf(HasSubstr("Domains=vpn.internal ~."), HasSubstr("DNSDefaultRoute=yes"),
                    HasSubstr("FirewallMark=51820\nInvertRule=yes\nTable=51820")));
}

TEST_F(ProfileFormatTest, OfNetworkdIsTwoFilesOfOneInterface) {
  profile_.interface = "a-name-of-a-file";
  EXPECT_THAT(file(ProfileFormat::networkd),
              AllOf(HasSubstr("Name=a-name-of-a-fil\n"), HasSubstr("PrivateKey=" + std::string(kSecret))));
  EXPECT_THAT(file(ProfileFormat::networkd, 1),
              AllOf(HasSubstr("Name=a-name-of-a-fil\n"), HasSubstr("Address=fd6d:706e:6c61::4/128\n"),
                    Not(HasSubstr(kSecret))));
}

TEST_F(ProfileFormatTest, OfAppleHoldsTheProfileOfWgQuick) {
  const std::string read = told_by(file(ProfileFormat::mobileconfig), {"python3", "-c", R"(
import plistlib, sys
p = plistlib.load(open(sys.argv[1], "rb"))
vpn = p["PayloadContent"][0]
print(p["PayloadType"], vpn["PayloadType"], vpn["VPNSubType"], vpn["VPN"]["RemoteAddress"], vpn["UserDefinedName"])
print(vpn["VendorConfig"]["WgQuickConfig"], end="")
)"});
  EXPECT_EQ(read,
            "Configuration com.apple.vpn.managed com.wireguard.ios vpn.contoso.example:51820 contoso & <sons> "
            "(alice)\n" +
                *wg_quick_compact(profile_));
}

TEST_F(ProfileFormatTest, OfABundleIsAZipOfAllThatTheClientNeeds) {
  const std::string unpacked = directory_ / "unpacked";
  told_by(file(ProfileFormat::bundle),
          {"python3", "-c", "import sys, zipfile; zipfile.ZipFile(sys.argv[2]).extractall(sys.argv[1])", unpacked});
  const std::string folder = unpacked + "/alice/";
  EXPECT_EQ(read_file(folder + "alice.conf").value_or(""), *wg_quick(profile_));
  EXPECT_THAT(read_file(folder + "README.txt").value_or(""), HasSubstr("'alice'"));
  const auto verified = test::run({"openssl", "verify", "-x509_strict", "-attime", "1790000100", "-CAfile",
                                   folder + "ca.crt", "-untrusted", folder + "ca.crt", folder + "alice.crt"});
  EXPECT_TRUE(verified.ok()) << verified.out << verified.err;
  const test::Arguments open = {"openssl", "pkcs12", "-in", folder + "alice.p12", "-nodes", "-passin"};
  const auto with = [&](const std::string& passphrase) {
    test::Arguments command = open;
    command.push_back("pass:" + passphrase);
    return test::run(command);
  };
  const auto opened = with("k7wq-secret");
  EXPECT_THAT(opened.out, AllOf(HasSubstr("BEGIN PRIVATE KEY"), HasSubstr("friendlyName: alice")));
  EXPECT_FALSE(with("another").ok());
  EXPECT_EQ(read_file(folder + "alice.key").value_or(""), key_.reveal_pem());
}

TEST_F(ProfileFormatTest, WithoutTheCertificatesKeyABundleHasNone) {
  const auto files = render(ProfileFormat::bundle, profile_, {});
  ASSERT_TRUE(files);
  EXPECT_THAT(files->front().content.text, AllOf(HasSubstr("alice.conf"), Not(HasSubstr("alice.p12"))));
}

TEST_F(ProfileFormatTest, IsMadeOfGoodFactsOnly) {
  profile_.endpoint = "x\nPostUp = touch /tmp/owned";
  for (const std::string& name : format_names()) EXPECT_FALSE(render(format_of(name), profile_, {})) << name;
}

TEST(Passphrase, IsAnotherEachTime) {
  std::set<std::string> all;
  for (int i = 0; i < 100; ++i) all.insert(make_passphrase());
  EXPECT_EQ(all.size(), 100U);
  EXPECT_EQ(all.begin()->size(), 23U);
}

}  // namespace
}  // namespace gw::ctl
