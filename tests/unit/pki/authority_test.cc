// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <filesystem>
#include <map>

#include "tests/support/killed.h"
#include "tests/unit/pki/fixture.h"

namespace gw::pki {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class AuthorityFilesTest : public AuthorityTest {
 protected:
  using Files = std::map<std::string, std::string>;

  /// Every file under the test's directory with its content.
  [[nodiscard]] Files files() const {
    Files out;
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
      if (entry.is_regular_file()) out[entry.path()] = value_of(read_file(entry.path()));
    }
    return out;
  }
  /// The sentence with which the directory is refused; the files stay as they are.
  [[nodiscard]] std::string refused() const {
    const Files before = files();
    const auto opened = Authority::open(directory_ / "ca", "contoso", kNow);
    EXPECT_EQ(files(), before);
    if (opened) return "accepted";
    EXPECT_EQ(opened.error().code, EUCLEAN);
    return opened.error().message();
  }
  [[nodiscard]] mode_t mode(const std::string& name) const {
    struct stat facts{};
    EXPECT_EQ(::stat((directory_ / name).c_str(), &facts), 0) << name;
    return facts.st_mode & 07777U;
  }
};

TEST_F(AuthorityFilesTest, AreMadeOnceAndOpenedEverAfter) {
  const Authority first = open();
  const Files made = files();
  const Authority again = value_of(Authority::open(directory_ / "ca", "renamed", kNow + kYear));
  EXPECT_EQ(again.root().sha256, first.root().sha256);
  EXPECT_EQ(again.issuing().sha256, first.issuing().sha256);
  EXPECT_EQ(again.chain_pem(), first.issuing().pem + first.root().pem);
  EXPECT_EQ(files(), made);
  EXPECT_TRUE(again.verify(issue(first).pem, kNow));
}

TEST_F(AuthorityFilesTest, AreMadeInADirectoryThatExistsButIsEmpty) {
  fs::create_directory(directory_ / "ca");
  EXPECT_TRUE(open().issuing().is_ca);
}

TEST_F(AuthorityFilesTest, AreForTheOwnerAlone) {
  const Authority authority = open();
  EXPECT_EQ(mode("ca"), 0700U);
  EXPECT_EQ(mode("ca/root.key"), 0600U);
  EXPECT_EQ(mode("ca/issuing.key"), 0600U);
}

TEST_F(AuthorityFilesTest, ThatOthersCouldReadAreClosed) {
  {
    const Authority authority = open();
  }
  ASSERT_EQ(::chmod((directory_ / "ca/issuing.key").c_str(), 0644), 0);
  ASSERT_EQ(::chmod((directory_ / "ca/root.key").c_str(), 0640), 0);
  const Authority authority = open();
  EXPECT_EQ(mode("ca/root.key"), 0600U);
  EXPECT_EQ(mode("ca/issuing.key"), 0600U);
}

TEST_F(AuthorityFilesTest, DoWithoutTheRootKey) {
  const std::string issuing = open().issuing().sha256;
  fs::remove(directory_ / "ca/root.key");
  const Authority authority = open();
  EXPECT_EQ(authority.issuing().sha256, issuing);
  EXPECT_TRUE(authority.verify(issue(authority).pem, kNow));
}

TEST_F(AuthorityFilesTest, ThatAreMissingAreNamedAndNeverMadeAnew) {
  {
    const Authority authority = open();
  }
  fs::remove(directory_ / "ca/issuing.key");
  EXPECT_THAT(refused(), AllOf(HasSubstr("issuing.key missing"), HasSubstr("restore from the backup")));
  fs::remove(directory_ / "ca/root.crt");
  EXPECT_THAT(refused(), HasSubstr("root.crt and issuing.key missing"));
}

TEST_F(AuthorityFilesTest, ThatDoNotFitEachOtherAreTold) {
  {
    const Authority authority = open(), other = open("other");
  }
  const auto exchanged = [&](const std::string& name) {
    fs::rename(directory_ / "ca/" + name, directory_ / "kept");
    fs::copy_file(directory_ / "other/" + name, directory_ / "ca/" + name);
    std::string sentence = refused();
    fs::rename(directory_ / "kept", directory_ / "ca/" + name);
    return sentence;
  };
  EXPECT_THAT(exchanged("issuing.key"), HasSubstr("issuing.key does not fit issuing.crt"));
  EXPECT_THAT(exchanged("root.key"), HasSubstr("root.key does not fit root.crt"));
  fs::remove(directory_ / "ca/root.key");
  EXPECT_THAT(exchanged("root.crt"), HasSubstr("issuing.crt is not signed by root.crt"));
}

TEST_F(AuthorityFilesTest, ThatAreDamagedAreTold) {
  const std::string leaf = issue(open()).pem;
  const std::string key = value_of(read_file(directory_ / "ca/issuing.key"));
  file("ca/issuing.key", key.substr(0, key.size() / 2));
  EXPECT_THAT(refused(), HasSubstr("issuing.key is damaged"));
  file("ca/issuing.key", "");
  EXPECT_THAT(refused(), HasSubstr("issuing.key is damaged"));
  file("ca/issuing.crt", leaf);
  EXPECT_THAT(refused(), HasSubstr("issuing.crt is not the certificate of an authority"));
  file("ca/issuing.crt", "nonsense");
  EXPECT_THAT(refused(), HasSubstr("issuing.crt is damaged"));
}

TEST_F(AuthorityFilesTest, CannotLieWhereAFileIs) {
  const std::string path = file("ca", "");
  const auto opened = Authority::open(path, "contoso", kNow);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ENOTDIR);
}

TEST_F(AuthorityFilesTest, NeedAGatewayNameThatFitsACertificate) {
  EXPECT_THAT(refusal(Authority::open(directory_ / "ca", "", kNow)), HasSubstr("no name"));
  EXPECT_THAT(refusal(Authority::open(directory_ / "ca", std::string(65, 'x'), kNow)),
              HasSubstr("at most 64 characters"));
  EXPECT_TRUE(files().empty());
}

TEST_F(AuthorityFilesTest, AreWholeOrAbsentAfterACrashAnywhere) {
  const std::string ca = directory_ / "ca";
  int whole = 0;
  const int killed = test::kill_at_every_system_call(
      [&] { fs::remove_all(ca); }, [&] { (void)Authority::open(ca, "contoso", kNow); },
      [&] {
        if (!fs::exists(ca)) return;
        ++whole;
        const Authority authority = value_of(Authority::open(ca, "contoso", kNow));
        ASSERT_EQ(std::distance(fs::directory_iterator(ca), fs::directory_iterator()), 4);
      });
  EXPECT_GT(killed, 30);  // four files written, synced and renamed
  EXPECT_GT(whole, 1);    // also killed after it was done
  const Authority authority = value_of(Authority::open(ca, "contoso", kNow));
  EXPECT_EQ(files().size(), 4U);  // nothing is left of the crashed
}

}  // namespace
}  // namespace gw::pki
