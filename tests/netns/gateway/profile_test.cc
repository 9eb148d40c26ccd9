// SPDX-License-Identifier: Apache-2.0
// The profiles and certificates that gwctl hands out, taken by the programs that people use.
#include <filesystem>

#include "gatewayd/base/file.h"
#include "tests/netns/gateway/lab_fixture.h"

namespace gw::test {
namespace {

/// Runs NetworkManager with a bus, a configuration and a state of its own, imports the profile and shows it.
constexpr const char* kImport = R"sh(
set -eu
directory=$1 profile=$2
for place in /run/NetworkManager /var/lib/NetworkManager /etc/NetworkManager; do
  mkdir -p $place && mount -t tmpfs tmpfs $place
done
mkdir -p /etc/NetworkManager/system-connections
printf '[main]\nplugins=keyfile\nauth-polkit=false\ndns=none\n[device]\nmatch-device=*\nmanaged=0\n' >/etc/NetworkManager/NetworkManager.conf
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$directory/bus
NetworkManager --no-daemon --log-level=WARN 2>"$directory/nm.log" &
manager=$!
trap 'kill $manager; wait $manager || true' EXIT
tries=0
case $profile in
  *.nmconnection)
    install -m 600 "$profile" /etc/NetworkManager/system-connections/
    take() { nmcli connection reload && nmcli connection show alice >/dev/null; } ;;
  *) take() { nmcli connection import type wireguard file "$profile"; } ;;
esac
until take; do
  tries=$((tries + 1)); [ $tries -lt 100 ] || exit 1
  sleep 0.1
done
# It is known by name a moment before its secrets are.
until [ -n "$(nmcli -g wireguard.private-key -s connection show alice)" ]; do
  tries=$((tries + 1)); [ $tries -lt 100 ] || exit 1
  sleep 0.1
done
nmcli -g ipv4.addresses,ipv6.addresses,wireguard.mtu,wireguard.private-key,ipv4.dns,ipv4.dns-search -s connection show alice
)sh";

class Profile : public testing::Test {
 protected:
  void SetUp() override {
    lab_.configure(kGroups);
    lab_.start();
  }
  std::string file(const std::string& name) { return lab_.directory() + "/" + name; }
  Lab lab_{GW_BINARY_DIR};
};

TEST_F(Profile, IsImportedByNetworkManagerUnchanged) {
  lab_.must_gwctl("client add alice --group developers --out " + file("alice.conf"));
  const std::string profile = read_file(file("alice.conf")).value();
  const size_t at = profile.find("PrivateKey = ") + 13;
  const Output shown =
      lab_.gateway().run({"unshare", "-m", "sh", "-c", kImport, "sh", lab_.directory(), file("alice.conf")});
  ASSERT_TRUE(shown.ok()) << shown.out << shown.err << read_file(file("nm.log")).value_or("");
  EXPECT_NE(shown.out.find(lab_.address("alice", 4) + "/32"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find(profile.substr(at, 44)), std::string::npos) << shown.out;
}

TEST_F(Profile, IsReadByNetworkManagerInItsOwnFormatWithSplitDns) {
  lab_.write_file("gateway.d/dns.yaml", "vpn: {dns: {domain: vpn.internal, forward: [10.1.1.53]}}\n");
  lab_.must_gwctl("apply");
  const std::string path = file("alice.nmconnection");
  lab_.must_gwctl("client add alice --group developers --format networkmanager --out " + path);
  const std::string profile = read_file(path).value();
  const size_t at = profile.find("private-key=") + 12;
  const Output shown = lab_.gateway().run({"unshare", "-m", "sh", "-c", kImport, "sh", lab_.directory(), path});
  ASSERT_TRUE(shown.ok()) << shown.out << shown.err << read_file(file("nm.log")).value_or("") << profile;
  for (const std::string& part : {lab_.address("alice", 4) + "/32", profile.substr(at, 44),
                                  std::string("\n172.16.201.1\n"), std::string("vpn.internal")})
    EXPECT_NE(shown.out.find(part), std::string::npos) << part << "\n" << shown.out;
}

TEST_F(Profile, IsPrivateAndIsNeverOverwrittenUnasked) {
  lab_.must_gwctl("client add alice --out " + file("alice.conf"));
  EXPECT_EQ(std::filesystem::status(file("alice.conf")).permissions(), std::filesystem::perms(0600));
  const std::string before = read_file(file("alice.conf")).value();
  const Output again = lab_.gwctl("client add bob --out " + file("alice.conf"));
  EXPECT_NE(again.status, 0);
  EXPECT_EQ(read_file(file("alice.conf")).value(), before);
  EXPECT_EQ(lab_.gwctl("client show bob").status, 1);  // refused before anything was issued
}

TEST_F(Profile, CertificatesAreValidX509UnderTheGatewaysOwnAuthority) {
  lab_.must_gwctl("client add alice --out " + file("alice.conf"));
  const std::string state = lab_.state_directory();
  const auto serial = lab_.must_gwctl("cert list --json");
  const std::string pem = lab_.must_gwctl("client show alice --json");
  ASSERT_NE(serial.find("alice"), std::string::npos);
  write_file_atomically(file("profile.pem"), read_file(file("alice.conf")).value(), 0600).value();
  const Output verified = lab_.gateway().run(
      {"sh", "-c",
       "sed -n 's/^# \\{0,1\\}//; /BEGIN CERT/,/END CERT/p' " + file("profile.pem") + " | awk '/BEGIN/{n++} n==1' >" +
           file("alice.crt") + " && openssl verify -x509_strict -purpose sslclient -CAfile " + state +
           "/ca/root.crt -untrusted " + state + "/ca/issuing.crt " + file("alice.crt")});
  EXPECT_TRUE(verified.ok()) << verified.out << verified.err << read_file(file("alice.conf")).value();
}

TEST_F(Profile, ARenewedClientNeedsNothingNewARekeyedOneDoes) {
  Host& alice = lab_.enrol("alice", "developers");
  lab_.must_gwctl("client renew alice --days 30");
  EXPECT_EQ(try_ping(alice, "172.16.201.1"), Reach::open);
  lab_.must_gwctl("client rekey alice --out " + file("new.conf"));
  EXPECT_EQ(try_ping(alice, "172.16.201.1", kSilence), Reach::silent);
  alice.must("wg-quick down " + file("alice.conf"));
  std::filesystem::rename(file("new.conf"), file("alice.conf"));
  lab_.up("alice");
  EXPECT_EQ(try_ping(alice, "172.16.201.1"), Reach::open);
}

}  // namespace
}  // namespace gw::test
