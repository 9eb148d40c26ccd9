// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "gatewayd/backup/switch.h"
#include "gatewayd/control/trust_map.h"
#include "tests/support/organisation.h"
#include "tests/support/process.h"
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BackupTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    ASSERT_TRUE(write_file_atomically(state() + "/wireguard.key",
                                      value_of(pki::generate_wireguard_keys()).secret.reveal_base64() + "\n", 0600));
    write(kUsual);
    start();
  }
  [[nodiscard]] std::string state() const { return directory_ / "state"; }
  /// All of it, as gwctl reads it.
  std::string back_up() {
    const auto started = value_of(gateway_->begin_backup("uid 0"));
    std::string out;
    while (out.size() < started.size) out += value_of(gateway_->read_backup(started.id, out.size()));
    return out;
  }
  Result<control::RestoreResult> restore(const std::string& tar, control::RestoreOptions options = {}) {
    const auto id = value_of(gateway_->begin_restore("uid 0"));
    for (size_t at = 0; at < tar.size(); at += 100000) {
      if (auto done = gateway_->write_restore(id, tar.substr(at, 100000)); !done) return std::unexpected(done.error());
    }
    return gateway_->restore(id, options, "uid 0");
  }
  /// What the daemon does at its next start.
  void start_anew() {
    gateway_.reset();
    registry_.reset();
    ASSERT_TRUE(backup::finish_configuration(state(), directory_ / "etc"));
    ASSERT_TRUE(backup::finish_state(state(), true));
    start();
  }
  static std::string with(const std::string& tar, const std::string& name, const std::string& content) {
    auto files = value_of(backup::read_tar(tar));
    std::erase_if(files, [&](const backup::File& file) { return file.name == name; });
    if (!content.empty()) files.emplace_back(name, content);
    return value_of(backup::write_tar(files, 0));
  }
  /// As somebody does it to an unpacked backup.
  std::string with_sql(const std::string& tar, const std::string& statements) {
    const std::string path = directory_ / "edit.db";
    std::filesystem::remove(path);
    const auto files = value_of(backup::read_tar(tar));
    EXPECT_TRUE(write_file_atomically(path, *backup::find(files, "state/registry.db"), 0600));
    const auto done = run({"sqlite3", "-bail", path, statements});
    EXPECT_TRUE(done.ok()) << done.err;
    return with(tar, "state/registry.db", value_of(read_file(path)));
  }
};

TEST_F(BackupTest, HoldsWhatAnAdministratorLooksFor) {
  ASSERT_TRUE(add("alice", {"ops"}));
  std::vector<std::string> names;
  for (const auto& file : value_of(backup::read_tar(back_up()))) names.push_back(file.name);
  std::ranges::sort(names);
  EXPECT_THAT(names, ElementsAre("applied/gateway.yaml", "backup.json", "config/gateway.yaml", "state/ca/issuing.crt",
                                 "state/ca/root.crt", "state/registry.db", "state/wireguard.key"))
      << "the authority's keys are not gatewayd's to hand out";
  EXPECT_THAT(log_, Contains("a backup with all secrets of the gateway was made by uid 0"));
  EXPECT_FALSE(std::filesystem::exists(state() + "/registry.db.backup"));
  EXPECT_THAT(refusal(gateway_->read_backup(1, 0)), HasSubstr("begin another")) << "it is forgotten once it is read";
}

TEST_F(BackupTest, ComesBackWithItsClientsDisabledUnlessTheyAreWanted) {
  ASSERT_TRUE(add("alice", {"ops"}));
  ASSERT_TRUE(add("bob"));
  const std::string tar = back_up();
  const auto result = value_of(restore(tar, {.replace = true}));
  EXPECT_EQ(result.clients, 2U);
  EXPECT_EQ(result.gateway, "contoso");
  EXPECT_EQ(result.created, clock_.at);
  EXPECT_THAT(result.disabled, ElementsAre("alice", "bob"));
  start_anew();
  EXPECT_TRUE(value_of(registry_->client("alice")).disabled);
  EXPECT_FALSE(has_peer(last_key_));
  EXPECT_TRUE(value_of(restore(tar, {.replace = true, .enable_clients = true})).disabled.empty());
  start_anew();
  EXPECT_TRUE(has_peer(last_key_));
}

TEST_F(BackupTest, BringsNothingBackThatIsKnownToBeRevoked) {
  ASSERT_TRUE(add("alice"));
  const PublicKey alice = last_key_;
  const std::string tar = back_up();
  ASSERT_TRUE(add("late"));
  ASSERT_TRUE(gateway_->revoke_client("alice", "keyCompromise", "uid 0"));
  ASSERT_TRUE(gateway_->crls_der());
  const uint64_t number = value_of(registry_->next_crl_number());
  clock_.at += 3600;
  ASSERT_TRUE(restore(tar, {.replace = true, .enable_clients = true}));
  start_anew();
  EXPECT_FALSE(has_peer(alice));
  EXPECT_NE(value_of(registry_->client("alice")).revoked_at, 0);
  EXPECT_FALSE(registry_->client("late"));
  for (const auto& certificate : value_of(registry_->certificates()))
    EXPECT_NE(certificate.revoked_at, 0) << certificate.client;
  EXPECT_EQ(value_of(registry_->certificates()).size(), 2U) << "that of a client that is gone is still on the list";
  EXPECT_GT(value_of(registry_->next_crl_number()), number + 1000);
  EXPECT_GE(registry_->time_floor(), clock_.at);
}

TEST_F(BackupTest, OfAnyAgeVoidsTokens) {
  const std::string tar = with_sql(back_up(),
                                   "INSERT INTO token (hash, name, description, days, uses, expires, created, "
                                   "who) VALUES (zeroblob(32), '', '', 30, 1, 4102444800, 1, 'uid 0')");
  ASSERT_TRUE(restore(tar));
  EXPECT_EQ(run({"sqlite3", state() + "/restore/state/registry.db", "SELECT count(*) FROM token"}).out, "0\n");
}

// --- organisations ---

class BackupOfTrustsTest : public BackupTest {
 protected:
  void SetUp() override {
    BackupTest::SetUp();
    write_whole(kEnrolling);
    ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  }
  Result<control::TrustStatus> trust(const std::string& name, const Organisation& whose,
                                     const std::vector<std::string>& maps, bool replace = false) {
    control::NewTrust wanted;
    wanted.name = name;
    wanted.authorities_pem = value_of(read_file(whose.root())) + value_of(read_file(whose.issuing()));
    wanted.maps = maps;
    wanted.replace = replace;
    return gateway_->add_trust(wanted, "uid 0");
  }
  /// "NAME PATTERN=GROUP,GROUP …" of each.
  std::vector<std::string> trusts() {
    std::vector<std::string> out;
    for (const registry::Trust& one : value_of(registry_->trusts())) {
      out.push_back(one.name);
      for (const registry::TrustMap& map : one.maps) out.back() += " " + control::map_text(map);
    }
    return out;
  }

  Organisation one_{directory_ / "one", "One"};
  Organisation other_{directory_ / "other", "Other"};
};

TEST_F(BackupOfTrustsTest, LetsNobodyEnrolByThemUnlessClientsAreWantedAndSaysSo) {
  ASSERT_TRUE(trust("one", one_, {"dns:*=ops", "*=developers"}));
  const std::string tar = back_up();
  const auto result = value_of(restore(tar));
  EXPECT_THAT(result.notes, ElementsAre(AllOf(HasSubstr("Trust one lets nobody enrol"),
                                              HasSubstr("Its maps were dns:*=ops; *=developers."))));
  start_anew();
  EXPECT_THAT(trusts(), ElementsAre("one"));
  EXPECT_THAT(value_of(gateway_->status()).warnings, Contains(HasSubstr("trust one came out of a backup")));
  ASSERT_TRUE(trust("one", one_, {"*=ops"}, true)) << "as the note says";
  EXPECT_THAT(value_of(gateway_->status()).warnings, ::testing::Not(Contains(HasSubstr("trust one"))));
}

TEST_F(BackupOfTrustsTest, ComesBackWithThemOnAnotherWord) {
  ASSERT_TRUE(trust("one", one_, {"dns:*=ops"}));
  const std::string tar = back_up();
  ASSERT_TRUE(restore(tar));
  start_anew();
  EXPECT_TRUE(value_of(restore(tar, {.replace = true, .enable_clients = true})).notes.empty());
  start_anew();
  EXPECT_THAT(trusts(), ElementsAre("one dns:*=ops"));
}

TEST_F(BackupOfTrustsTest, BringsNoneBackThatWasRemovedHere) {
  ASSERT_TRUE(trust("one", one_, {"dns:*=ops"}));
  ASSERT_TRUE(trust("other", other_, {"*=ops"}));
  const std::string tar = back_up();
  ASSERT_TRUE(gateway_->remove_trust("one", false, "uid 0"));
  const auto result = value_of(restore(tar, {.replace = true, .enable_clients = true}));
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("Trust one was removed here after the backup was made")));
  start_anew();
  EXPECT_THAT(trusts(), ElementsAre("other *=ops"));
}

TEST_F(BackupOfTrustsTest, LeavesThemWhatTheyHaveHereByNow) {
  ASSERT_TRUE(trust("one", one_, {"dns:*=ops"}));
  const std::string tar = back_up();
  ASSERT_TRUE(trust("one", other_, {"dns:*=developers"}, true));
  std::ignore = other_.issue("bad", {});
  other_.revoke("bad");
  ASSERT_TRUE(gateway_->set_trust_crl("one", other_.crl(1000000), "uid 0"));
  const auto before = value_of(registry_->trusts());
  const auto result = value_of(restore(tar, {.replace = true, .enable_clients = true}));
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("Trust one was changed here")));
  start_anew();
  const auto after = value_of(registry_->trusts());
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after.front().authorities_pem, before.front().authorities_pem);
  EXPECT_EQ(after.front().crl_pem, before.front().crl_pem);
  EXPECT_EQ(after.front().maps, before.front().maps);
}

TEST_F(BackupOfTrustsTest, OfAnotherGatewayComeBackOnAWordAlone) {
  ASSERT_TRUE(trust("one", one_, {"dns:*=ops"}));
  const auto authority = value_of(pki::Authority::open(directory_ / "elsewhere", "contoso", clock_.at));
  const std::string tar = with(back_up(), "state/ca/root.crt", authority.root().pem);
  ASSERT_TRUE(gateway_->remove_trust("one", false, "uid 0"));
  ASSERT_TRUE(restore(tar, {.enable_clients = true}));
  start_anew();
  EXPECT_THAT(trusts(), ElementsAre("one dns:*=ops")) << "what was removed here is no news of that gateway";
}

// --- what is refused ---

TEST_F(BackupTest, NeedsAWordWhereThereAreClients) {
  ASSERT_TRUE(add("alice"));
  EXPECT_THAT(refusal(restore(back_up())), HasSubstr("has 1 client of its own, which would be gone"));
  EXPECT_FALSE(backup::is_pending(state()));
  EXPECT_THAT(log_, ::testing::Not(Contains(HasSubstr("starting anew"))));
}

TEST_F(BackupTest, ThatIsNoneIsRefusedWithTheReasonAndLeavesNothing) {
  const std::string tar = back_up();
  const std::string facts = *backup::find(value_of(backup::read_tar(tar)), "backup.json");
  std::string newer = facts;
  newer.replace(newer.find("\"format\": 1"), 11, "\"format\": 2");
  const std::pair<std::string, const char*> cases[] = {
      {"", "cut short"},
      {with(tar, "backup.json", ""), "backup.json is missing"},
      {with(tar, "backup.json", "{}"), "backup.json: "},
      {with(tar, "backup.json", newer), "install that version first"},
      {with(tar, "state/wireguard.key", ""), "state/wireguard.key is missing"},
      {with(tar, "state/wireguard.key", "nonsense"), "it holds no key"},
      {with(tar, "state/gateway.sh", "x"), "does not belong there"},
      {with(tar, "state/registry.db", "nonsense"), "not a database"},
      {with(tar, "applied/gateway.yaml", "gatewy: {}"), "its configuration does not load here"},
      {with_sql(tar, "PRAGMA user_version = 99"), "only one that knows schema 99"}};
  for (const auto& [damaged, reason] : cases) {
    EXPECT_THAT(refusal(restore(damaged)), HasSubstr(reason));
    EXPECT_FALSE(backup::is_pending(state()));
    EXPECT_FALSE(std::filesystem::exists(backup::staging_directory(state())));
  }
  EXPECT_TRUE(restore(tar));
}

TEST_F(BackupTest, KeepsTheNumbersOfIntentsRising) {
  const std::string tar = back_up();
  write("");
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  const uint64_t before = value_of(gateway_->status()).applied_sequence;
  ASSERT_TRUE(restore(tar));
  start_anew();
  const auto status = value_of(gateway_->status());
  EXPECT_EQ(status.applied_sequence, before + 1);
  EXPECT_TRUE(status.confirmed);
  EXPECT_FALSE(status.files_differ) << "the files have come back too";
  EXPECT_TRUE(reconciler_->intent()->config.groups.contains("ops"));
}

TEST_F(BackupTest, SaysThatItsFilesWereBeingEdited) {
  const std::string tar = with(back_up(), "config/gateway.yaml", "half a");
  EXPECT_THAT(value_of(restore(tar)).notes, ElementsAre(HasSubstr("were being edited")));
}

}  // namespace
}  // namespace gw::test
