// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StartTest : public GatewayTest {};

TEST_F(StartTest, AppliesTheFilesTheFirstTime) {
  write(kUsual);
  start();
  const auto status = value_of(gateway_->status());
  EXPECT_EQ(status.gateway, "contoso");
  EXPECT_EQ(status.applied_sequence, 1U);
  EXPECT_TRUE(status.confirmed);
  EXPECT_FALSE(status.files_differ);
  EXPECT_EQ(status.last_error, "");
  EXPECT_TRUE(kernel_.exists("wg0"));
  EXPECT_EQ(kernel_.state.wireguard.public_key, public_key_);
  EXPECT_TRUE(read_file(directory_ / "state/ca/issuing.crt"));
}

TEST_F(StartTest, RunsWithoutAnIntentAndTellsAllDiagnosticsWhenTheFirstFilesDoNotLoad) {
  write("groups: {a: {descripion: x}}\nsubnets: {web: {interface: eth1}}\n");
  start();
  EXPECT_FALSE(kernel_.exists("wg0"));
  EXPECT_THAT(kernel_.done, IsEmpty());
  const auto status = value_of(gateway_->status());
  EXPECT_THAT(status.last_error, HasSubstr("descripion"));
  EXPECT_THAT(status.last_error, HasSubstr("prefixes"));
  EXPECT_EQ(status.applied_sequence, 0U);
  EXPECT_THAT(refusal(add("alice")), HasSubstr("no configuration is in force"));
}

TEST_F(StartTest, RunsWithoutAnIntentWhenThereAreNoFiles) {
  start();
  EXPECT_THAT(value_of(gateway_->status()).last_error, HasSubstr("gateway.yaml"));
  write(kUsual);
  EXPECT_TRUE(gateway_->apply(0, "uid 0")) << "once they are there they can be applied";
  EXPECT_TRUE(kernel_.exists("wg0"));
  EXPECT_EQ(value_of(gateway_->status()).last_error, "");
}

TEST_F(StartTest, IsIllWhenItDoesNotUnderstandWhatAnotherVersionApplied) {
  start();
  EXPECT_THAT(value_of(gateway_->status()).ill, IsEmpty()) << "nothing was ever asked of it";
  write(kUsual);
  ASSERT_TRUE(gateway_->apply(0, "uid 0"));
  const std::string path = directory_ / "state/intents/0000000001.json";
  std::string text = value_of(read_file(path));
  text.replace(text.find("description"), 11, "newer-words");
  ASSERT_TRUE(write_file_atomically(path, text, 0600));
  restart();
  EXPECT_THAT(value_of(gateway_->status()).ill, Contains(HasSubstr("newer-words")));
}

TEST_F(StartTest, UsesWhatWasConfirmedAndNotFilesThatWereEditedSince) {
  write(kUsual);
  start();
  write("subnets:\n  other: {prefixes: [10.1.7.0/24], interface: eth1}\n");
  restart();
  EXPECT_TRUE(reconciler_->intent()->config.subnets.contains("web"));
  EXPECT_FALSE(reconciler_->intent()->config.subnets.contains("other"));
  EXPECT_TRUE(value_of(gateway_->summary()).files_differ);
  EXPECT_TRUE(reports_.back().done.empty()) << "a restart changes nothing in the kernel";
}

TEST_F(StartTest, GoesBackFromAnApplyThatACrashLeftUnconfirmed) {
  write(kUsual);
  start();
  write("");
  ASSERT_TRUE(gateway_->apply(60, "uid 0"));
  ASSERT_TRUE(reconciler_->intent()->config.rules.size() == 1);
  restart();
  EXPECT_EQ(reconciler_->intent()->config.subnets.size(), 1U);
  const auto status = value_of(gateway_->status());
  EXPECT_EQ(status.applied_sequence, 1U);
  EXPECT_TRUE(status.confirmed);
  EXPECT_THAT(log_, Contains(HasSubstr("apply 2 was not confirmed before the restart")));
}

TEST_F(StartTest, KeepsClientsOutWhoseAccessEndedMeanwhile) {
  write(kUsual);
  start();
  ASSERT_TRUE(add("alice", {}, 1));
  const PublicKey alice = last_key_;
  ASSERT_TRUE(add("bob", {}, 2));
  clock_.at += kDay + 1;
  restart();
  EXPECT_FALSE(has_peer(alice));
  EXPECT_TRUE(has_peer(last_key_));
}

TEST_F(StartTest, DoesNotBelieveAClockBehindWhatWasSeenBefore) {
  write(kUsual);
  start();
  ASSERT_TRUE(add("alice", {}, 1));
  clock_.at += 2 * kDay;
  gateway_->tick();
  clock_.at = 1;  // a machine without a clock boots in 1970
  restart();
  EXPECT_FALSE(has_peer(last_key_));
}

TEST_F(StartTest, MakesNoCertificatesByAClockThatIsPlainlyWrong) {
  clock_.at = 1000;
  write(kUsual);
  gateway_.reset();
  registry_ = value_of(registry::Registry::open(directory_ / "state/registry.db"));
  intents_ = value_of(apply::IntentStore::open(directory_ / "state/intents"));
  reconciler_ = value_of(apply::Reconciler::open(kernel_, SecretKey(), directory_ / "run"));
  gateway_.emplace(parts(), options(), control::GatewayController::Listener{});
  EXPECT_EQ(refusal(gateway_->start()), "accepted") << "traffic does not wait for the clock";
  EXPECT_THAT(refusal(add("alice")), HasSubstr("the clock is wrong"));
  clock_.at = 1'800'000'000;
  EXPECT_EQ(refusal(add("alice")), "accepted");
}

TEST_F(StartTest, TellsThatTheAuthorityIsDamaged) {
  write(kUsual);
  start();
  ASSERT_TRUE(write_file_atomically(directory_ / "state/ca/issuing.crt", "rubbish", 0644));
  gateway_.emplace(parts(), control::GatewayController::Options{directory_ / "etc", "1.2.3", public_key_},
                   control::GatewayController::Listener{});
  const auto started = gateway_->start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, EUCLEAN);
}

}  // namespace
}  // namespace gw::test
