// SPDX-License-Identifier: Apache-2.0
// Certificates of an organisation's own authority: whom they let through, with openssl-verify(1) as the judge of each
// chain.
#include "gatewayd/pki/foreign.h"

#include <cerrno>

#include "tests/support/organisation.h"
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

using test::Organisation;
using testing::HasSubstr;
using Wanted = Organisation::Wanted;
using Words = std::vector<std::string>;

Words rsa() { return {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}; }
Words short_rsa() { return {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"}; }
Words short_curve() { return {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime192v1"}; }
Words pss() { return {"-sigopt", "rsa_padding_mode:pss"}; }

std::string text_of(const std::string& path) { return value_of(read_file(path)); }

class ForeignTest : public testing::Test {
 protected:
  /// The certificate of that name, of the authority that `wanted` names; shown with it and all between it and a root.
  Shown show(const std::string& id, const Wanted& wanted, const std::vector<std::string>& between = {"issuing"}) {
    Shown out{.certificate_pem = text_of(contoso_.issue(id, wanted).alone), .chain_pem = {}};
    for (const std::string& one : between) out.chain_pem += text_of(contoso_.path(one + ".crt"));
    return out;
  }
  [[nodiscard]] static Anchors anchors_of(const Organisation& organisation) {
    return value_of(parse_anchors(text_of(organisation.root())));
  }
  [[nodiscard]] Anchors both() const {
    return value_of(parse_anchors(text_of(contoso_.root()) + text_of(contoso_.issuing())));
  }
  /// "" or why not.
  static std::string judge(const Shown& shown, const Anchors& anchors, const std::string& lists = {},
                           UnixSeconds now = kNow) {
    const auto holder = verify_foreign(shown, anchors, lists, now);
    return holder ? "" : holder.error().message();
  }
  /// What openssl(1) says of the same, without revocation lists.
  [[nodiscard]] bool openssl_takes(const Shown& shown, const Anchors& anchors, UnixSeconds now = kNow) const {
    const auto at = [&](const std::string& name, const std::string& pem) {
      const std::string path = directory_ / name;
      if (!write_file_atomically(path, pem, 0600)) throw std::runtime_error(path);
      return path;
    };
    return test::run({"openssl", "verify", "-no-CApath", "-no-CAstore", "-purpose", "sslclient", "-auth_level", "2",
                      "-verify_depth", "6", "-attime", std::to_string(now), "-CAfile", at("anchors", anchors.pem()),
                      "-untrusted", at("chain", shown.chain_pem), at("shown", shown.certificate_pem)})
        .ok();
  }
  /// Both agree, and the reason is ours.
  void expect(const Shown& shown, const std::string& refusal, const Anchors& anchors, UnixSeconds now = kNow) const {
    const std::string found = judge(shown, anchors, {}, now);
    EXPECT_EQ(found.empty(), openssl_takes(shown, anchors, now)) << found;
    EXPECT_EQ(found.empty(), refusal.empty()) << found;
    EXPECT_THAT(found, HasSubstr(refusal));
  }

  test::TempDir directory_{"/dev/shm"};
  Organisation contoso_{directory_ / "contoso"};
  Anchors root_ = anchors_of(contoso_);
};

TEST_F(ForeignTest, TakesAClientsCertificateAndNoOther) {
  struct Case {
    const char* what;
    Wanted wanted;
    const char* refusal;
  };
  const Case cases[] = {
      {"usual", {}, ""},
      {"any purpose", {.usage = ""}, ""},
      {"both purposes", {.usage = "serverAuth,clientAuth"}, ""},
      {"a server's", {.usage = "serverAuth"}, "purpose"},
      {"a signer's of code", {.usage = "codeSigning"}, "purpose"},
      {"for encryption alone", {.key_usage = "keyEncipherment"}, "purpose"},
      {"ended", {.to = "20270114000000Z"}, "has expired"},
      {"not yet", {.from = "20270116000000Z"}, "not yet valid"},
      {"a critical extension", {.more = "1.2.3.4=critical,ASN1:NULL"}, "unhandled critical extension"},
      {"another extension", {.more = "1.2.3.4=ASN1:NULL"}, ""},
      {"RSA", {.keys = rsa()}, ""},
      {"Ed25519", {.keys = {"-algorithm", "ED25519"}}, ""},
      {"a short RSA key", {.keys = short_rsa()}, "key too weak"},
      {"a short curve", {.keys = short_curve()}, "key too weak"},
      {"signed with SHA-1", {.signing = {"-md", "sha1"}}, "digest algorithm too weak"},
      {"signed with SHA-512", {.signing = {"-md", "sha512"}}, ""},
  };
  int n = 0;
  for (const Case& one : cases) {
    SCOPED_TRACE(one.what);
    expect(show("c" + std::to_string(++n), one.wanted), one.refusal, root_);
  }
}

TEST_F(ForeignTest, TellsAnEndFromWhatIsWrong) {
  EXPECT_EQ(verify_foreign(show("a", {.to = "20270114000000Z"}), root_, {}, kNow).error().code, EKEYEXPIRED);
  EXPECT_EQ(verify_foreign(show("b", {.usage = "serverAuth"}), root_, {}, kNow).error().code, EKEYREJECTED);
  EXPECT_EQ(verify_foreign({.certificate_pem = "x", .chain_pem = {}}, root_, {}, kNow).error().code, EINVAL);
}

TEST_F(ForeignTest, TakesRsaAndPssOfAnRsaAuthority) {
  const Organisation fabrikam(directory_ / "fabrikam", "Fabrikam", rsa());
  const auto shown = [&](const std::string& id, const Wanted& wanted) {
    return Shown{text_of(fabrikam.issue(id, wanted).alone), text_of(fabrikam.issuing())};
  };
  expect(shown("plain", {}), "", anchors_of(fabrikam));
  expect(shown("pss", {.signing = pss()}), "", anchors_of(fabrikam));
  Words old = pss();
  old.insert(old.end(), {"-md", "sha1"});
  expect(shown("old", {.signing = old}), "too weak", anchors_of(fabrikam));
}

TEST_F(ForeignTest, FindsAWayOverAuthoritiesThatAreShownOrGiven) {
  Shown shown = show("web", {});
  expect(shown, "", root_);
  const auto holder = value_of(verify_foreign(shown, root_, {}, kNow));
  EXPECT_EQ(holder.certificate.subject, "O=Contoso,CN=device");
  const std::string chain = shown.chain_pem;
  shown.chain_pem.clear();
  expect(shown, "unable to get local issuer", root_);
  EXPECT_EQ(judge(shown, both()), "") << "the operator gave it";
  shown.chain_pem = std::string(70000, 'x');
  EXPECT_THAT(judge(shown, root_), HasSubstr("longer than 64 KiB"));
  shown.chain_pem = "nonsense\n" + chain;
  expect(shown, "", root_);
}

TEST_F(ForeignTest, AnIssuingAuthorityThatWasGivenIsNoRoot) {
  const Organisation fabrikam(directory_ / "fabrikam", "Fabrikam");
  const Anchors mixed = value_of(parse_anchors(text_of(fabrikam.root()) + text_of(contoso_.issuing())));
  EXPECT_EQ(mixed.issuing.size(), 1U);
  EXPECT_THAT(judge(show("web", {}), mixed), HasSubstr("unable to get"));
}

TEST_F(ForeignTest, HoldsAuthoritiesToWhatTheyMayIssue) {
  contoso_.add_authority("last", {}, "critical,CA:TRUE,pathlen:0");
  expect(show("direct", {.by = "last"}, {"last", "issuing"}), "", root_);
  contoso_.add_authority("below", {.by = "last"});
  expect(show("deep", {.by = "below"}, {"below", "last", "issuing"}), "path length constraint exceeded", root_);
  contoso_.add_authority("none", {}, "CA:FALSE");
  expect(show("child", {.by = "none"}, {"none", "issuing"}), "invalid CA certificate", root_);
  contoso_.add_authority("servers", {.more = "extendedKeyUsage=serverAuth\n"});
  expect(show("client", {.by = "servers"}, {"servers", "issuing"}), "purpose", root_);
  contoso_.add_authority("past", {.to = "20270101000000Z"});
  expect(show("orphan", {.by = "past"}, {"past", "issuing"}), "has expired (an authority of it)", root_);
  contoso_.add_authority("weak", {.keys = short_rsa()});
  expect(show("small", {.by = "weak"}, {"weak", "issuing"}), "key too weak (an authority of it)", root_);
  contoso_.add_authority("old", {.signing = {"-md", "sha1"}});
  expect(show("broken", {.by = "old"}, {"old", "issuing"}), "too weak (an authority of it)", root_);
}

TEST_F(ForeignTest, HoldsAuthoritiesToTheirNames) {
  contoso_.add_authority("lab",
                         {.more = "nameConstraints=critical,permitted;DNS:lab.example,permitted;email:lab.example"});
  int n = 0;
  const auto named = [&](const std::string& names, const std::string& subject = "/O=Contoso/CN=device") {
    return show("n" + std::to_string(++n), {.subject = subject, .names = names, .by = "lab"}, {"lab", "issuing"});
  };
  expect(named("DNS:web.lab.example"), "", root_);
  expect(named("DNS:web.prod.example"), "permitted subtree violation", root_);
  expect(named("DNS:web.lab.example,DNS:web.prod.example"), "permitted subtree violation", root_);
  expect(named("email:alice@lab.example"), "", root_);
  expect(named("email:alice@prod.example"), "permitted subtree violation", root_);
  expect(named("", "/O=Contoso/CN=web.prod.example"), "permitted subtree violation", root_);
}

TEST_F(ForeignTest, FollowsSixAuthoritiesAndNoMore) {
  std::vector<std::string> between = {"issuing"};
  for (int i = 2; i <= 7; ++i) {
    const std::string id = "a" + std::to_string(i);
    contoso_.add_authority(id, {.by = between.front()});
    between.insert(between.begin(), id);
    if (i >= 6) expect(show("of-" + id, {.by = id}, between), i == 6 ? "" : "chain too long", root_);
  }
}

TEST_F(ForeignTest, LetsNobodyInWithAnAuthoritysOwnCertificate) {
  EXPECT_THAT(
      judge(show("ca", {.constraints = "critical,CA:TRUE", .key_usage = "digitalSignature,keyCertSign"}), root_),
      HasSubstr("the certificate of an authority"));
  EXPECT_NE(judge({text_of(contoso_.issuing()), {}}, root_), "");
  EXPECT_NE(judge({text_of(contoso_.root()), {}}, root_), "");
}

TEST_F(ForeignTest, KnowsStrangersOfTheSameName) {
  const Organisation other(directory_ / "other", "Contoso");
  const Shown shown{text_of(other.issue("web", {}).alone), text_of(other.issuing())};
  expect(shown, "unable to get local issuer", root_);
  EXPECT_NE(judge({shown.certificate_pem, text_of(contoso_.issuing())}, root_), "");
}

// --- revocation lists ---

TEST_F(ForeignTest, WhatAListNamesIsRefusedAndNothingElse) {
  const Shown good = show("good", {});
  const Shown bad = show("bad", {});
  contoso_.revoke("bad");
  const std::string list = value_of(parse_crls(contoso_.crl(24), both())).pem;
  EXPECT_EQ(verify_foreign(bad, root_, list, kNow).error().code, EKEYREVOKED);
  EXPECT_THAT(judge(bad, root_, list), HasSubstr("certificate revoked, issued by"));
  EXPECT_EQ(judge(good, root_, list), "");
  EXPECT_EQ(judge(bad, root_), "") << "without the list";
}

TEST_F(ForeignTest, AListThatIsLateOrEarlyLocksNobodyOutAndStillCounts) {
  const Shown good = show("good", {});
  const Shown bad = show("bad", {});
  contoso_.revoke("bad");
  for (const auto& [from, to] :
       {std::pair("20260101000000Z", "20260201000000Z"), std::pair("20280101000000Z", "20280201000000Z")}) {
    const std::string list = contoso_.crl(1, "issuing", {"-crl_lastupdate", from, "-crl_nextupdate", to});
    EXPECT_EQ(judge(good, both(), list), "") << from;
    EXPECT_THAT(judge(bad, both(), list), HasSubstr("certificate revoked")) << from;
  }
}

TEST_F(ForeignTest, AListOfOneAuthorityAsksForNoneOfAnother) {
  const std::string of_root = contoso_.crl(1000000, "root");
  const Shown shown = show("web", {});
  EXPECT_EQ(judge(shown, both(), of_root), "");
  contoso_.revoke("issuing", "root");
  EXPECT_THAT(judge(shown, both(), contoso_.crl(1000000, "root")), HasSubstr("revoked (an authority of it)"));
}

TEST_F(ForeignTest, AListAboutSomeLocksOutNoOthers) {
  const Shown good = show("good", {});
  const Shown bad = show("bad", {});
  contoso_.revoke("bad");
  for (const std::string by : {"root", "issuing"}) {
    for (const std::string scope : {"users", "authorities"}) {
      const std::string list = contoso_.crl(1000000, by, {"-crlexts", scope});
      EXPECT_EQ(judge(good, both(), list), "") << by << " of " << scope;
      EXPECT_EQ(judge(bad, both(), list).empty(), by == "root") << by << " of " << scope;
    }
  }
}

TEST_F(ForeignTest, ADeltaTakesNothingOffTheListThatItFollows) {
  const Shown first = show("first", {});
  const Shown second = show("second", {});
  contoso_.revoke("first");
  const std::string base = contoso_.crl(1000000);
  // A delta that tells of the second alone, as if the first were long known.
  ASSERT_TRUE(write_file_atomically(contoso_.path("issuing.index"), "", 0600));
  contoso_.revoke("second");
  const std::string delta = contoso_.crl(1000000, "issuing", {"-crlexts", "delta"});
  for (const std::string& lists : {base + delta, delta + base}) {
    EXPECT_THAT(judge(first, both(), lists), HasSubstr("certificate revoked"));
    EXPECT_THAT(judge(second, both(), lists), HasSubstr("certificate revoked"));
    EXPECT_EQ(judge(show("third", {}), both(), lists), "");
  }
}

TEST_F(ForeignTest, AListOfAnAuthorityThatIsNotThereIsPassedOver) {
  const Organisation other(directory_ / "other", "Contoso");  // the same names and serial numbers
  const Shown shown = show("web", {});
  std::ignore = other.issue("web", {});
  other.revoke("web");
  EXPECT_EQ(judge(shown, both(), other.crl(1000000)), "");
  contoso_.revoke("web");
  const std::string own = contoso_.crl(1000000);
  EXPECT_NE(judge(shown, both(), other.crl(1000000) + own), "");
  EXPECT_NE(judge(shown, root_, own), "") << "its authority was shown, though not given";
}

TEST_F(ForeignTest, TakesInListsOfItsOwnAuthoritiesAlone) {
  const std::string list = contoso_.crl(24);
  const auto taken = value_of(parse_crls(list + contoso_.crl(48, "root"), both()));
  const std::string der = directory_ / "crl.der";
  ASSERT_TRUE(test::run({"openssl", "crl", "-in", contoso_.path("issuing.crl"), "-outform", "DER", "-out", der}).ok());
  const auto one = value_of(parse_crls(text_of(der), both()));
  EXPECT_EQ(one.next_update, taken.next_update) << "the first end of both";
  EXPECT_EQ(value_of(crls_as_pem(text_of(der))), one.pem);
  EXPECT_THAT(refusal(parse_crls(list, root_)), HasSubstr("put that certificate behind the root"));
  const Organisation other(directory_ / "other", "Contoso");
  EXPECT_THAT(refusal(parse_crls(other.crl(24), both())), HasSubstr("its signature does not fit"));
  EXPECT_EQ(parse_crls(other.crl(24), both()).error().code, EKEYREJECTED);
  for (const std::string& bad : {std::string(), std::string("x"), text_of(contoso_.root()), one.pem.substr(0, 90)})
    EXPECT_EQ(parse_crls(bad, both()).error().code, EINVAL) << bad;
  std::string many;
  for (int i = 0; i < 17; ++i) many += list;
  EXPECT_THAT(refusal(parse_crls(many, both())), HasSubstr("more than 16"));
  EXPECT_THAT(refusal(parse_crls(std::string((size_t{1} << 20U) + 1, 'x'), both())), HasSubstr("1 MiB"));
}

// --- authorities, and what certificates say ---

TEST_F(ForeignTest, TellsRootsFromOthersAndTakesNoWeakOnes) {
  const std::string root = text_of(contoso_.root());
  const Anchors anchors = value_of(parse_anchors(text_of(contoso_.issuing()) + root));
  ASSERT_EQ(anchors.roots.size(), 1U);
  EXPECT_EQ(anchors.roots.front().subject, "O=Contoso,CN=Contoso root");
  EXPECT_EQ(anchors.issuing.size(), 1U);
  EXPECT_EQ(anchors.pem(), anchors.roots.front().pem + anchors.issuing.front().pem);
  const Organisation weak(directory_ / "weak", "Weak", short_rsa());
  EXPECT_THAT(refusal(parse_anchors(text_of(weak.root()))), HasSubstr("its key is too weak"));
  EXPECT_THAT(refusal(parse_anchors(root + text_of(weak.root()))), HasSubstr("its key is too weak"));
  EXPECT_THAT(refusal(parse_anchors(root + root)), HasSubstr("twice"));
  EXPECT_THAT(refusal(parse_anchors(text_of(contoso_.issuing()))), HasSubstr("give that root"));
  EXPECT_THAT(refusal(parse_anchors(text_of(contoso_.issue("web", {}).alone))), HasSubstr("it is no authority"));
  EXPECT_THAT(refusal(parse_anchors(std::string(300000, 'x'))), HasSubstr("256 KiB"));
  std::string many;
  for (int i = 0; i < 17; ++i) many += root;
  EXPECT_THAT(refusal(parse_anchors(many)), HasSubstr("more than 16"));
}

TEST_F(ForeignTest, ReadsEveryNameThatMattersInItsOrder) {
  using enum Claim::Kind;
  const auto shown =
      show("alice", {.subject = "/DC=example/OU=One/OU=Two/CN=Users/CN=Ünal",
                     .names = "URI:spiffe://a/b,DNS:a.example,IP:10.0.0.1,email:a@b.example,DNS:b.example,"
                              "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:Bob@b.example,otherName:1.2.3;UTF8:x"});
  const std::vector<Claim> wanted = {{uri, "spiffe://a/b"}, {dns, "a.example"},     {email, "a@b.example"},
                                     {dns, "b.example"},    {upn, "Bob@b.example"}, {common_name, "Users"},
                                     {common_name, "Ünal"}, {unit, "One"},          {unit, "Two"}};
  EXPECT_EQ(value_of(verify_foreign(shown, root_, {}, kNow)).claims, wanted);
}

TEST_F(ForeignTest, ReadsNoCertificateByHalves) {
  // An IA5String with a NUL, "a\0b"; an extension that is no list of names.
  const auto raw = [&](const std::string& id, const std::string& der) {
    return show(id, {.more = "subjectAltName=DER:" + der});
  };
  EXPECT_THAT(judge(raw("nul", "30:05:82:03:61:00:62"), root_), HasSubstr("control characters"));
  EXPECT_THAT(judge(raw("line", "30:05:82:03:61:0a:62"), root_), HasSubstr("control characters"));
  EXPECT_NE(judge(raw("damaged", "30:05:82:09:61:00:62"), root_), "");
}

TEST_F(ForeignTest, TellsAReasonOfPrintableTextAlone) {
  const std::string found = judge(show("odd", {.subject = "/O=Contoso/CN=a\nb\x1b[2Jü", .usage = "serverAuth"}), root_);
  EXPECT_THAT(found, HasSubstr("purpose"));
  for (const char c : found) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << found;
}

}  // namespace
}  // namespace gw::pki
