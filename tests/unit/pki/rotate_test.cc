// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "tests/support/killed.h"
#include "tests/unit/pki/fixture.h"

/// New certificates of the authority, while what was issued under the old ones stays good.
namespace gw::pki {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr UnixSeconds kLater = kNow + 30 * 86400;
constexpr const char* kServer = "vpn.contoso.example";

class Rotating : public AuthorityTest {
 protected:
  [[nodiscard]] std::string ca() const { return directory_ / "ca"; }
  [[nodiscard]] Authority rotate(Rotation what) const {
    return value_of(Authority::rotate(ca(), "contoso", what, kLater));
  }
  [[nodiscard]] std::string server(const Authority& authority) const {
    const auto key = value_of(parse_server_request(value_of(make_server_request(key_))));
    return value_of(authority.issue_server(key, {kServer}, kLater, kLater + kYear)).pem;
  }
  /// What openssl says of a server's certificate to somebody who trusts `root` alone and is sent `chain`.
  [[nodiscard]] std::string judged(const std::string& root, const std::string& chain, const std::string& leaf) const {
    return said({"openssl", "verify", "-x509_strict", "-attime", std::to_string(kLater + 60), "-purpose", "sslserver",
                 "-verify_hostname", kServer, "-CAfile", file("root.pem", root), "-untrusted", file("chain.pem", chain),
                 file("leaf.pem", leaf)});
  }
  static std::string said(const test::Arguments& arguments) {
    const auto done = test::run(arguments);
    return done.out + done.err;
  }
  /// Runs openssl, which has to succeed.
  static void openssl(test::Arguments arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const auto done = test::run(arguments);
    ASSERT_TRUE(done.ok()) << done.err;
  }
  /// An offline root made by openssl, which signs the request; its certificate first, then the root's.
  [[nodiscard]] std::string offline(const std::string& request, const std::string& extensions) const {
    const std::string key = directory_ / "offline.key", root = directory_ / "offline.crt";
    if (!fs::exists(root)) {
      openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout", key, "-out",
               root, "-subj", "/O=Contoso/CN=Contoso Offline Root", "-days", "9000", "-addext",
               "keyUsage=critical,keyCertSign,cRLSign"});
    }
    const std::string out = directory_ / "signed.crt";
    openssl({"x509", "-req", "-in", file("request.csr", request), "-CA", root, "-CAkey", key, "-days", "3650", "-out",
             out, "-extfile", file("extensions", extensions)});
    return value_of(read_file(out)) + value_of(read_file(root));
  }
  static constexpr const char* kGood =
      "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
      "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n";
};

/// For certificates that openssl dates by the clock.
UnixSeconds real_now() { return ::time(nullptr) + 60; }

TEST_F(Rotating, OfTheIntermediateLeavesNobodyOut) {
  const Authority old = open();
  const Certificate before = issue(old);
  const Authority fresh = rotate(Rotation::issuing);
  EXPECT_EQ(fresh.root().sha256, old.root().sha256);
  EXPECT_NE(fresh.issuing().sha256, old.issuing().sha256);
  EXPECT_EQ(fresh.issuing().name, "gatewayd issuing CA 2");
  EXPECT_TRUE(fresh.verify(before.pem, kLater));
  const Certificate after = value_of(fresh.issue(request(), "alice", kUuid, kLater, kLater + kYear));
  EXPECT_TRUE(fresh.verify(after.pem, kLater));
  EXPECT_THAT(after.issuer, HasSubstr("issuing CA 2"));
  EXPECT_FALSE(old.verify(after.pem, kLater));  // who has not heard of it would not take it
  EXPECT_THAT(judged(old.root().pem, fresh.view().server_chain_pem(), server(fresh)), HasSubstr("leaf.pem: OK"));
}

TEST_F(Rotating, OfTheRootIsBelievedByWhoKnowsTheOldOneAlone) {
  const Authority first = open();
  const Certificate before = issue(first);
  const Authority second = rotate(Rotation::root);
  EXPECT_NE(second.root().sha256, first.root().sha256);
  EXPECT_TRUE(second.verify(before.pem, kLater));
  const Authority third = rotate(Rotation::root);
  EXPECT_EQ(third.root().name, "gatewayd root CA 3");
  EXPECT_TRUE(third.verify(before.pem, kLater));
  const std::string leaf = server(third), chain = third.view().server_chain_pem();
  for (const Authority* trusted : {&first, &second, &third})
    EXPECT_THAT(judged(trusted->root().pem, chain, leaf), HasSubstr("leaf.pem: OK")) << trusted->root().name;
  // Without the cross certificates the first root's friends are lost.
  EXPECT_THAT(judged(first.root().pem, third.chain_pem(), leaf), HasSubstr("error"));
  EXPECT_EQ(third.view().issuers().size(), 3U);
  EXPECT_TRUE(value_of(Authority::load(ca())).verify(before.pem, kLater));
}

TEST_F(Rotating, KeepsTheListsOfEarlierIssuers) {
  const Authority old = open();
  const Certificate before = issue(old);
  const Authority fresh = rotate(Rotation::root);
  const std::string der = value_of(
      fresh.make_crl({{before.serial, kLater, "superseded"}}, 7, kLater, kLater + 86400, old.issuing().sha256));
  const std::string judged = said({"openssl", "crl", "-inform", "DER", "-in", file("list.der", der), "-CAfile",
                                   file("issuer.pem", old.issuing().pem), "-noout", "-issuer"});
  EXPECT_THAT(judged, AllOf(HasSubstr("verify OK"), HasSubstr("gatewayd issuing CA")));
  EXPECT_EQ(fresh.make_crl({}, 8, kLater, kLater + 86400, "00").error().code, ENOENT);
}

TEST_F(Rotating, ForgetsWhatHasEnded) {
  {
    const Authority first = open();
  }
  const UnixSeconds in_11_years = kNow + 11 * kYear;
  const Authority later = value_of(Authority::rotate(ca(), "contoso", Rotation::issuing, in_11_years));
  EXPECT_EQ(later.view().earlier().size(), 1U);
  const Authority again = value_of(Authority::rotate(ca(), "contoso", Rotation::issuing, in_11_years + 86400));
  EXPECT_EQ(again.view().earlier().size(), 1U);
  EXPECT_EQ(again.issuing().name, "gatewayd issuing CA 3");
}

TEST_F(Rotating, NeedsTheKeyOfTheRoot) {
  const std::string issuing = open().issuing().sha256;
  fs::remove(directory_ / "ca/root.key");
  const auto refused = Authority::rotate(ca(), "contoso", Rotation::issuing, kLater);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ENOKEY);
  EXPECT_THAT(refusal(refused), HasSubstr("gwctl ca request"));
  EXPECT_EQ(open().issuing().sha256, issuing);
}

TEST_F(Rotating, IsWholeOrNotDoneAfterACrashAnywhere) {
  const std::string before = open().root().sha256;
  fs::copy(ca(), directory_ / "kept");
  int fresh = 0, old = 0;
  const int killed = test::kill_at_every_system_call(
      [&] {
        fs::remove_all(ca());
        fs::copy(directory_ / "kept", ca());
      },
      [&] { (void)Authority::rotate(ca(), "contoso", Rotation::root, kLater); },
      [&] {
        const Authority now = open();
        ++(now.root().sha256 == before ? old : fresh);
        ASSERT_FALSE(fs::exists(ca() + ".new"));
      });
  EXPECT_GT(killed, 30);
  EXPECT_GT(old, 1);
  EXPECT_GT(fresh, 1);
}

TEST_F(Rotating, TakesAnIntermediateOfARootThatIsKeptElsewhereAndIsItsFirst) {
  const std::string request = value_of(Authority::request(ca(), "contoso"));
  EXPECT_EQ(value_of(Authority::request(ca(), "contoso")), request);  // until it is answered
  EXPECT_EQ(Authority::open(ca(), "contoso", real_now()).error().code, EINPROGRESS);
  const Authority made = value_of(Authority::import(ca(), offline(request, kGood), false, real_now()));
  EXPECT_THAT(made.root().subject, HasSubstr("Contoso Offline Root"));
  EXPECT_FALSE(made.view().certificates().has_root_key);
  EXPECT_EQ(made.view().certificates().request, "");
  const Certificate leaf = value_of(made.issue(this->request(), "alice", kUuid, real_now(), real_now() + 86400));
  EXPECT_TRUE(value_of(Authority::open(ca(), "contoso", real_now())).verify(leaf.pem, real_now()));
}

TEST_F(Rotating, ToAnotherRootIsSignedByTheOneBefore) {
  const Authority own = value_of(Authority::open(ca(), "contoso", real_now() - 3600));
  const Certificate before = value_of(own.issue(request(), "alice", kUuid, real_now(), real_now() + 86400));
  const std::string answer = offline(value_of(Authority::request(ca(), "contoso")), kGood);
  EXPECT_EQ(Authority::open(ca(), "contoso", real_now()).value().root().sha256, own.root().sha256);  // goes on
  const Authority made = value_of(Authority::import(ca(), answer, false, real_now()));
  EXPECT_TRUE(made.verify(before.pem, real_now()));
  const Certificate after = value_of(made.issue(request(), "alice", kUuid, real_now(), real_now() + 86400));
  const std::string judged = said({"openssl", "verify", "-CAfile", file("root.pem", own.root().pem), "-untrusted",
                                   file("chain.pem", made.view().server_chain_pem()), "-attime",
                                   std::to_string(real_now()), file("leaf.pem", after.pem)});
  EXPECT_THAT(judged, HasSubstr("leaf.pem: OK"));
}

TEST_F(Rotating, ToAnotherRootWithoutTheKeyOfThePresentCutsClientsOff) {
  {
    const Authority own = value_of(Authority::open(ca(), "contoso", real_now() - 3600));
  }
  fs::remove(directory_ / "ca/root.key");
  const std::string answer = offline(value_of(Authority::request(ca(), "contoso")), kGood);
  const auto refused = Authority::import(ca(), answer, false, real_now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EKEYREJECTED);
  EXPECT_THAT(refusal(refused), HasSubstr("--cut-off"));
  EXPECT_TRUE(Authority::import(ca(), answer, true, real_now()));
}

TEST_F(Rotating, RefusesWhatWasNotAskedFor) {
  {
    const Authority own = value_of(Authority::open(ca(), "contoso", real_now() - 3600));
  }
  EXPECT_EQ(Authority::import(ca(), "x", false, real_now()).error().code, ENOENT);
  const std::string request = value_of(Authority::request(ca(), "contoso"));
  const auto imported = [&](const std::string& pems) {
    return refusal(Authority::import(ca(), pems, false, real_now()));
  };
  EXPECT_THAT(imported("nonsense"), HasSubstr("no certificate in PEM"));
  const std::string good = offline(request, kGood);
  EXPECT_THAT(imported(value_of(read_file(directory_ / "offline.crt"))), HasSubstr("none of its certificates"));
  EXPECT_THAT(imported(good.substr(0, good.find("-----END CERTIFICATE-----\n") + 26)),
              HasSubstr("not signed by the root"));
  EXPECT_THAT(imported(offline(request, "basicConstraints=critical,CA:FALSE\n")),
              HasSubstr("may not sign certificates"));
  EXPECT_THAT(imported(offline(request,
                               "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n"
                               "subjectKeyIdentifier=hash\n")),
              HasSubstr("pathlen:0"));
  EXPECT_THAT(refusal(Authority::import(ca(), good, false, real_now() + 11 * kYear)), HasSubstr("it is valid from"));
  EXPECT_TRUE(Authority::import(ca(), good, false, real_now()));  // the request was not used up by all that
}

}  // namespace
}  // namespace gw::pki
