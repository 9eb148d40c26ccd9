// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <sstream>
#include <stdexcept>

#include "ctl/profile_format.h"
#include "ctl/qr.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kSecret = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
constexpr const char* kGateway = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

class ProfileTest : public testing::Test {
 protected:
  ProfileTest() {
    profile_.client = "alice";
    profile_.gateway = "contoso";
    profile_.addresses = {"172.16.201.4/32", "fd6d:706e:6c61::4/128"};
    profile_.allowed_ips = {"10.1.0.0/16", "172.16.201.0/24", "fd6d:706e:6c61::/64"};
    profile_.dns = {"172.16.201.1", "fd6d:706e:6c61::1"};
    profile_.dns_domain = "vpn.internal";
    profile_.mtu = 1420;
    profile_.gateway_public_key = kGateway;
    profile_.endpoint = "vpn.contoso.example:51820";
    profile_.not_after = 1'800'000'000;
    profile_.key = SecretKey::parse(kSecret);
    const auto authority = pki::Authority::open(directory_ / "ca", "contoso", 1'790'000'000);
    const auto key = pki::PrivateKey::generate();
    const auto request = pki::parse_request(*pki::make_request(*key, "alice", pki::public_of(*profile_.key)));
    profile_.certificate_pem =
        authority->issue(*request, "alice", pki::random_uuid(), 1'790'000'000, profile_.not_after)->pem;
    profile_.chain_pem = authority->chain_pem();
  }
  [[nodiscard]] std::string text() const {
    const auto made = wg_quick(profile_);
    EXPECT_TRUE(made) << made.error().message();
    return made ? *made : std::string();
  }
  [[nodiscard]] std::string written() const {
    std::string path = directory_ / "alice.conf";
    const auto made = render(ProfileFormat::wg_quick, profile_, {});
    EXPECT_TRUE(made) << made.error().message();
    EXPECT_TRUE(write_file_atomically(path, made->front().content.text, 0600));
    return path;
  }

  test::TempDir directory_;
  Profile profile_;
};

/// What wg-quick hands to wg(8), without comments and empty lines.
std::string strip(const std::string& path) {
  const auto stripped = test::run({"wg-quick", "strip", path});
  EXPECT_TRUE(stripped.ok()) << stripped.err;
  std::istringstream lines(stripped.out);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != '#') out += line + "\n";
  }
  return out;
}

/// libnm's importer, the one behind `nmcli connection import type wireguard`, without its daemon.
class NetworkManager {
 public:
  NetworkManager() : library_(::dlopen("libnm.so.0", RTLD_NOW)) {}
  /// What libnm makes of the file: its DNS search list, number of addresses, and MTU; or why it refuses it.
  [[nodiscard]] std::string import(const std::string& path) const {
    void* error = nullptr;
    void* connection = symbol<void*(const char*, void**)>("nm_conn_wireguard_import")(path.c_str(), &error);
    if (connection == nullptr) return static_cast<Failure*>(error)->message;
    void* ip4 = symbol<void*(void*)>("nm_connection_get_setting_ip4_config")(connection);
    void* wireguard = symbol<void*(void*, const char*)>("nm_connection_get_setting_by_name")(connection, "wireguard");
    return std::string(symbol<const char*(void*, int)>("nm_setting_ip_config_get_dns_search")(ip4, 0)) + " " +
           std::to_string(symbol<unsigned(void*)>("nm_setting_ip_config_get_num_addresses")(ip4)) + " " +
           std::to_string(symbol<unsigned(void*)>("nm_setting_wireguard_get_peers_len")(wireguard)) + " " +
           std::to_string(symbol<unsigned(void*)>("nm_setting_wireguard_get_mtu")(wireguard));
  }

 private:
  struct Failure {  // GError
    unsigned domain;
    int code;
    const char* message;
  };
  template <class Function>
  [[nodiscard]] Function* symbol(const char* name) const {
    void* found = library_ != nullptr ? ::dlsym(library_, name) : nullptr;
    if (found == nullptr)
      throw std::runtime_error(std::string("libnm has no ") + name + "; is network-manager installed?");
    return reinterpret_cast<Function*>(found);
  }
  void* library_;  // stays: GLib cannot be unloaded
};

TEST_F(ProfileTest, IsWhatWgQuickStripsToAWorkingConfiguration) {
  EXPECT_EQ(
      strip(written()),
      std::string("[Interface]\nPrivateKey = ") + kSecret + "\n[Peer]\nPublicKey = " + kGateway +
          "\nEndpoint = vpn.contoso.example:51820\nAllowedIPs = 10.1.0.0/16, 172.16.201.0/24, fd6d:706e:6c61::/64\n"
          "PersistentKeepalive = 25\n");
}

TEST_F(ProfileTest, IsImportedByNetworkManagerUnchanged) {
  const NetworkManager manager;
  EXPECT_EQ(manager.import(written()), "vpn.internal 1 1 1420");
}

TEST_F(ProfileTest, TellsAddressesNameServersAndMtu) {
  EXPECT_THAT(text(),
              AllOf(HasSubstr("\nAddress = 172.16.201.4/32, fd6d:706e:6c61::4/128\n"),
                    HasSubstr("\nDNS = 172.16.201.1, fd6d:706e:6c61::1, vpn.internal\n"), HasSubstr("\nMTU = 1420\n")));
}

TEST_F(ProfileTest, LeavesOutWhatTheGatewayDoesNotSay) {
  profile_.dns.clear();
  profile_.mtu = 0;
  EXPECT_THAT(text(), AllOf(Not(HasSubstr("DNS =")), Not(HasSubstr("MTU ="))));
  EXPECT_THAT(strip(written()), HasSubstr("PersistentKeepalive"));
}

TEST_F(ProfileTest, CarriesExpiryAndCertificatesAsComments) {
  const std::string made = text();
  EXPECT_THAT(made, StartsWith("# Client alice of gateway contoso. Valid until 2027-01-15 08:00:00 UTC.\n"));
  std::string certificates;
  for (size_t at = made.find("# -----BEGIN"); at < made.size();) {
    const size_t end = made.find('\n', at);
    certificates += made.substr(at + 2, end - at - 1);
    at = end + 1;
  }
  EXPECT_EQ(certificates, profile_.certificate_pem + profile_.chain_pem);
}

TEST_F(ProfileTest, MarksTheGapWhenTheKeyIsElsewhereAndDoesNotLoadBefore) {
  profile_.key.reset();
  EXPECT_THAT(text(), HasSubstr("\nPrivateKey = THE-PRIVATE-KEY-OF-THIS-DEVICE\n"));
  EXPECT_THAT(NetworkManager().import(written()), HasSubstr("PrivateKey"));
  std::string filled = text();
  const std::string gap = "THE-PRIVATE-KEY-OF-THIS-DEVICE";
  filled.replace(filled.find(gap), gap.size(), kSecret);
  ASSERT_TRUE(write_file_atomically(directory_ / "alice.conf", filled, 0600));
  EXPECT_EQ(NetworkManager().import(directory_ / "alice.conf"), "vpn.internal 1 1 1420");
}

TEST_F(ProfileTest, IsWrittenForTheOwnerAloneAndReplacesAnOlderOne) {
  ASSERT_TRUE(write_file_atomically(directory_ / "alice.conf", "old", 0644));
  const std::string path = written();
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(*read_file(path), text());
}

TEST_F(ProfileTest, LetsNoFactBecomeALineOfItsOwn) {
  const std::string evil = "x\nPostUp = touch /tmp/owned";
  const std::vector<std::pair<const char*, std::function<void(Profile&)>>> attacks = {
      {"client", [&](Profile& p) { p.client = evil; }},
      {"gateway", [&](Profile& p) { p.gateway = "contoso\r" + evil; }},
      {"address", [&](Profile& p) { p.addresses[0] += "\n" + evil; }},
      {"allowed", [&](Profile& p) { p.allowed_ips[0] += "\n" + evil; }},
      {"dns", [&](Profile& p) { p.dns[0] += "\n" + evil; }},
      {"domain", [&](Profile& p) { p.dns_domain += "\n" + evil; }},
      {"key", [&](Profile& p) { p.gateway_public_key += "\n" + evil; }},
      {"endpoint", [&](Profile& p) { p.endpoint += "\n" + evil; }},
      {"endpoint host", [&](Profile& p) { p.endpoint = evil + ":51820"; }},
      {"certificate", [&](Profile& p) { p.certificate_pem += "\r" + evil; }},
      {"chain", [&](Profile& p) { p.chain_pem += std::string("\0", 1) + evil; }},
  };
  for (const auto& [name, attack] : attacks) {
    Profile attacked = profile_;
    attack(attacked);
    const auto made = wg_quick(attacked);
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, EINVAL) << name;
    EXPECT_FALSE(wg_quick_compact(attacked)) << name;
  }
  profile_.certificate_pem += evil + "\n";  // a line break in a certificate is a line of comment
  EXPECT_THAT(strip(written()), Not(HasSubstr("owned")));
  EXPECT_THAT(text(), HasSubstr("\n# PostUp = touch /tmp/owned\n"));
}

TEST_F(ProfileTest, RefusesFactsThatAreNone) {
  const std::vector<std::function<void(Profile&)>> faults = {[](Profile& p) { p.addresses.clear(); },
                                                             [](Profile& p) { p.addresses = {"172.16.201.4"}; },
                                                             [](Profile& p) { p.addresses = {"172.16.201/3"}; },
                                                             [](Profile& p) { p.addresses = {"10.0.0.1/33"}; },
                                                             [](Profile& p) { p.allowed_ips.clear(); },
                                                             [](Profile& p) { p.allowed_ips = {"10.1.0.1/16"}; },
                                                             [](Profile& p) { p.dns = {"resolver"}; },
                                                             [](Profile& p) { p.gateway_public_key = "x"; },
                                                             [](Profile& p) { p.endpoint = "host"; },
                                                             [](Profile& p) { p.endpoint = "host:"; },
                                                             [](Profile& p) { p.endpoint = "2001:db8::1:51820"; },
                                                             [](Profile& p) { p.endpoint = "ho st:1"; },
                                                             [](Profile& p) { p.mtu = 10; },
                                                             [](Profile& p) { p.dns_domain = "a..b"; }};
  for (size_t i = 0; i < faults.size(); ++i) {
    Profile faulty = profile_;
    faults[i](faulty);
    EXPECT_FALSE(wg_quick(faulty)) << i;
  }
  profile_.endpoint = "[2001:db8::1]:51820";
  profile_.addresses = {"172.16.201.4/24"};
  EXPECT_TRUE(wg_quick(profile_));
}

TEST_F(ProfileTest, ForACodeHasWhatTheTunnelNeedsAndFitsATerminal) {
  const auto compact = wg_quick_compact(profile_);
  ASSERT_TRUE(compact);
  EXPECT_THAT(*compact, AllOf(StartsWith("[Interface]\nPrivateKey = " + std::string(kSecret)), Not(HasSubstr("#"))));
  ASSERT_TRUE(write_file_atomically(directory_ / "qr.conf", *compact, 0600));
  EXPECT_EQ(strip(directory_ / "qr.conf"), strip(written()));
  const auto code = terminal_qr(*compact);
  ASSERT_TRUE(code);
  EXPECT_LE(std::ranges::count(*code, '\n'), 40);
  profile_.key.reset();
  EXPECT_FALSE(wg_quick_compact(profile_));
}

TEST(ProfilePath, IsTheNameOfAnInterface) {
  for (const char* good : {"alice.conf", "/tmp/a-b_c=d+e.f.conf", "123456789012345.conf"})
    EXPECT_TRUE(check_profile_path(good, ".conf")) << good;
  for (const char* bad : {"alice", ".conf", "/tmp/", "1234567890123456.conf", "al ice.conf", "alice.txt", ""}) {
    const auto checked = check_profile_path(bad, ".conf");
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, EINVAL);
    EXPECT_THAT(checked.error().detail, HasSubstr("1 to 15"));
  }
}

}  // namespace
}  // namespace gw::ctl
