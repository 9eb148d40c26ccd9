// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/trust.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "ctl/connect/membership.h"
#include "gatewayd/pki/authority.h"
#include "gatewayd/pki/certificate.h"
#include "tests/support/must.h"
#include "tests/support/temp_dir.h"

namespace gw::connect {
namespace {

using gw::test::must;
using testing::HasSubstr;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86400;

/// A gateway's authority and a server of it, vpn.contoso.example and 5.5.5.1.
struct Gateway {
  gw::test::TempDir directory;
  pki::Authority authority = must(pki::Authority::open(directory / "ca", "contoso", kNow));

  std::string server(const std::vector<std::string>& names = {"vpn.contoso.example", "5.5.5.1"}) const {
    const auto request = must(
        pki::make_request(must(pki::PrivateKey::generate()), "x", must(pki::generate_wireguard_keys()).public_key));
    return must(authority.issue_server(must(pki::parse_request(request)).public_key_pem, names, kNow, kNow + 90 * kDay))
        .pem;
  }
  std::vector<pki::X509Ptr> chain(const std::string& leaf) const {
    return pki::read_certificates(leaf + authority.chain_pem());
  }
  Trust by_fingerprint(const std::string& host = "vpn.contoso.example") const {
    return {.host = host, .fingerprint = authority.root().sha256, .roots_pem = {}, .now = kNow};
  }
};

TEST(ConnectTrust, BelievesTheRootOfTheLinkAndRemembersItsAuthorities) {
  const Gateway gateway;
  const auto authorities = verify_server(gateway.chain(gateway.server()), gateway.by_fingerprint());
  ASSERT_TRUE(authorities) << authorities.error().message();
  EXPECT_EQ(authorities->roots_pem, gateway.authority.root().pem);
  EXPECT_EQ(authorities->issuing_pem, gateway.authority.issuing().pem);
  EXPECT_TRUE(verify_server(gateway.chain(gateway.server()), gateway.by_fingerprint("5.5.5.1")));
  const Trust later{
      .host = "vpn.contoso.example", .fingerprint = {}, .roots_pem = authorities->roots_pem, .now = kNow + kDay};
  EXPECT_TRUE(verify_server(gateway.chain(gateway.server()), later));
}

TEST(ConnectTrust, RefusesWhoeverElseStandsThere) {
  const Gateway gateway;
  const Gateway other;
  const auto refused = [&](const std::vector<pki::X509Ptr>& chain, const Trust& trust) {
    const auto result = verify_server(chain, trust);
    return result ? std::string("believed") : result.error().message();
  };
  EXPECT_THAT(refused(other.chain(other.server()), gateway.by_fingerprint()), HasSubstr("somebody stands in between"));
  // The right root is public: to bring it along proves nothing.
  EXPECT_THAT(
      refused(pki::read_certificates(other.server() + other.authority.chain_pem() + gateway.authority.root().pem),
              gateway.by_fingerprint()),
      HasSubstr("nothing was sent"));
  EXPECT_THAT(refused(gateway.chain(gateway.server({"evil.example"})), gateway.by_fingerprint()),
              HasSubstr("for another name"));
  EXPECT_THAT(refused(gateway.chain(gateway.server()), gateway.by_fingerprint("5.5.5.2")), HasSubstr("another name"));
  EXPECT_THAT(refused({}, gateway.by_fingerprint()), HasSubstr("no chain"));
  // The fingerprint of what is no root.
  Trust leaf = gateway.by_fingerprint();
  leaf.fingerprint = gateway.authority.issuing().sha256;
  EXPECT_THAT(refused(gateway.chain(gateway.server()), leaf), HasSubstr("somebody stands in between"));
  // A client's certificate is none of a server.
  const auto keys = must(pki::generate_wireguard_keys());
  const auto request = must(pki::parse_request(
      must(pki::make_request(must(pki::PrivateKey::generate()), "vpn.contoso.example", keys.public_key))));
  const auto client = must(gateway.authority.issue(request, "vpn", pki::random_uuid(), kNow, kNow + 30 * kDay)).pem;
  EXPECT_THAT(refused(gateway.chain(client), gateway.by_fingerprint("vpn")), HasSubstr("nothing was sent"));
}

TEST(ConnectTrust, SaysThatTheClockMayBeToBlame) {
  const Gateway gateway;
  Trust trust = gateway.by_fingerprint();
  trust.now = kNow - 3650 * kDay;
  const auto early = verify_server(gateway.chain(gateway.server()), trust);
  EXPECT_EQ(early.error().code, EKEYEXPIRED);
  EXPECT_THAT(early.error().message(), HasSubstr("is the clock right?"));
  trust.now = kNow + 91 * kDay;
  const auto late = verify_server(gateway.chain(gateway.server()), trust);
  EXPECT_EQ(late.error().code, EKEYEXPIRED);
  EXPECT_THAT(late.error().message(), HasSubstr("ended at 2027-04-15"));
}

TEST(ConnectTrust, TakesACertificateOnlyForItsOwnKeysAndFromItsAuthorities) {
  const Gateway gateway;
  const Authorities authorities{gateway.authority.root().pem, gateway.authority.issuing().pem};
  const auto identity = must(pki::PrivateKey::generate());
  const auto keys = must(pki::generate_wireguard_keys());
  const auto request = must(pki::parse_request(must(pki::make_request(identity, "alice", keys.public_key))));
  const auto pem = must(gateway.authority.issue(request, "alice", pki::random_uuid(), kNow, kNow + 30 * kDay)).pem;
  const auto own = verify_own(pem, authorities, identity, keys.public_key, kNow);
  ASSERT_TRUE(own) << own.error().message();
  EXPECT_EQ(own->name, "alice");
  EXPECT_FALSE(verify_own(pem, authorities, must(pki::PrivateKey::generate()), keys.public_key, kNow));
  EXPECT_FALSE(verify_own(pem, authorities, identity, PublicKey{}, kNow));
  EXPECT_FALSE(verify_own(gateway.server(), authorities, identity, keys.public_key, kNow));
  EXPECT_EQ(verify_own(pem, authorities, identity, keys.public_key, kNow + 31 * kDay).error().code, EKEYEXPIRED);
  const Gateway other;
  EXPECT_FALSE(
      verify_own(pem, {other.authority.root().pem, other.authority.issuing().pem}, identity, keys.public_key, kNow));
}

TEST(ConnectTrust, SortsAuthoritiesAndTakesNothingElse) {
  const Gateway gateway;
  const auto sorted = must(as_authorities(gateway.authority.chain_pem()));
  EXPECT_EQ(sorted.roots_pem, gateway.authority.root().pem);
  EXPECT_EQ(sorted.issuing_pem, gateway.authority.issuing().pem);
  EXPECT_FALSE(as_authorities(gateway.server() + gateway.authority.root().pem));
  EXPECT_FALSE(as_authorities(gateway.authority.issuing().pem));
  EXPECT_FALSE(as_authorities(""));
}

TEST(ConnectRenewal, IsDueAfterTwoThirdsOfALifeAndPossibleThirtyDaysAfterIt) {
  const Gateway gateway;
  const auto keys = must(pki::generate_wireguard_keys());
  const auto request =
      must(pki::parse_request(must(pki::make_request(must(pki::PrivateKey::generate()), "alice", keys.public_key))));
  const auto pem = must(gateway.authority.issue(request, "alice", pki::random_uuid(), kNow, kNow + 30 * kDay)).pem;
  EXPECT_GE(renewal_due(pem), kNow + 20 * kDay - 300);
  EXPECT_LE(renewal_due(pem), kNow + 22 * kDay);
  EXPECT_TRUE(is_renewable(pem, kNow + 60 * kDay));
  EXPECT_FALSE(is_renewable(pem, kNow + 60 * kDay + 1));
  EXPECT_FALSE(is_renewable("none", kNow));
  Network network;
  network.certificate_pem = pem;
  EXPECT_FALSE(is_due(network, kNow));
  EXPECT_TRUE(is_due(network, kNow + 22 * kDay));
  network.next_key = keys.public_key;  // the gateway may have taken it: that is settled at once
  EXPECT_TRUE(is_due(network, kNow));
}

}  // namespace
}  // namespace gw::connect
