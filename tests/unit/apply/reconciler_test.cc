// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/apply/reconciler.h"

#include <filesystem>

#include "gatewayd/base/file.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/reconciler_contract.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

/// The kernel in memory as a stage of the contract.
class FakeStage {
 public:
  FakeKernel& kernel() { return kernel_; }
  void restart() {}
  [[nodiscard]] const std::string& run_directory() const { return directory_.path(); }

  void by_hand(const Edit& edit) {
    auto& state = kernel_.state;
    switch (edit.kind) {
      case Edit::Kind::delete_address: {
        const size_t slash = edit.object.find('/');
        kernel_.delete_address({edit.device, *IpAddress::parse(edit.object.substr(0, slash)),
                                static_cast<uint8_t>(std::stoi(edit.object.substr(slash + 1)))});
        break;
      }
      case Edit::Kind::remove_peer:
        state.wireguard.peers.erase(PublicKey::parse(edit.object).value());
        break;
      case Edit::Kind::detach:
        std::erase_if(state.attachments,
                      [&](const plan::Attachment& attachment) { return attachment.device == edit.device; });
        break;
      case Edit::Kind::flush_firewall:
        state.firewall = {};
        break;
      case Edit::Kind::drop_rule:
        state.firewall.fingerprint = "edited";
        break;
      case Edit::Kind::set_sysctl:
        kernel_.sysctls[edit.object] = edit.value;
        break;
      case Edit::Kind::delete_route:
        std::erase_if(state.routes, [&](const plan::Route& route) { return route.dst == Prefix::parse(edit.object); });
        break;
      case Edit::Kind::delete_link:
        kernel_.delete_link(edit.device);
        break;
      case Edit::Kind::link_down:
        kernel_.set_down(edit.device);
        break;
    }
  }

 private:
  TempDir directory_;
  FakeKernel kernel_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Fake, ReconcilerContract, FakeStage);

class ReconcilerTest : public testing::Test {
 protected:
  apply::Reconciler open() {
    return apply::Reconciler::open(stage_.kernel(), SecretKey::parse(kContractKey).value(), stage_.run_directory())
        .value();
  }
  apply::Reconciler with_intent() {
    apply::Reconciler reconciler = open();
    reconciler.set_intent(contract_intent());
    return reconciler;
  }

  FakeStage stage_;
  FakeKernel& kernel_ = stage_.kernel();
};

TEST_F(ReconcilerTest, DoesNothingWithoutAnIntent) {
  apply::Reconciler reconciler = open();
  EXPECT_TRUE(reconciler.converge().clean());
  EXPECT_TRUE(reconciler.remove_client(1).clean());
  EXPECT_EQ(kernel_.observations, 0U);
  EXPECT_THAT(kernel_.done, testing::IsEmpty());
}

TEST_F(ReconcilerTest, SaysWhatIsLeftAndWhy) {
  kernel_.host.erase("eth1");
  auto reconciler = with_intent();
  const auto report = reconciler.converge();
  ASSERT_THAT(report.errors, testing::SizeIs(1));
  EXPECT_EQ(report.errors[0].object, "eth1");
  EXPECT_THAT(report.leftover, testing::Contains("+ program policy ingress on eth1"));
  EXPECT_FALSE(report.clean());
  EXPECT_EQ(reconciler.last().leftover, report.leftover);
}

TEST_F(ReconcilerTest, TriesAFailedOperationOnceARun) {
  kernel_.refuse["+ route 10.1.9.0/24"] = {EEXIST, "add route", "10.1.9.0/24", ""};
  auto reconciler = with_intent();
  EXPECT_THAT(reconciler.converge().errors, testing::SizeIs(1));
  EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
}

TEST_F(ReconcilerTest, CountsWhatItCouldNotDoBeforeAsNoRepair) {
  kernel_.host.erase("eth1");
  auto reconciler = with_intent();
  reconciler.converge();
  kernel_.host["eth1"] = {};
  const auto report = reconciler.converge();
  EXPECT_TRUE(report.clean());
  EXPECT_THAT(report.done, testing::Contains("+ program policy ingress on eth1"));
  EXPECT_THAT(report.repairs, testing::IsEmpty());
}

TEST_F(ReconcilerTest, KeepsTheKernelAsItIsWhenItCannotBeRead) {
  class Blind final : public apply::Kernel {
   public:
    explicit Blind(FakeKernel& kernel) : kernel_(kernel) {}
    Result<plan::Observed> observe(const plan::KernelState&) override {
      return failure(EINTR, "read addresses", "", "interrupted");
    }
    Result<void> execute(const plan::Operation& op, const plan::Desired& desired, const SecretKey& key) override {
      return kernel_.execute(op, desired, key);
    }
    Result<apply::Facts> facts() override { return kernel_.facts(); }
    Result<std::map<PublicKey, apply::PeerState>> peers(const std::string& device) override {
      return kernel_.peers(device);
    }
    std::string wireguard_implementation() const override { return "blind"; }
    Result<uint64_t> generation() override { return 0; }
    Result<void> sync_clock(int64_t) override { return {}; }
    Result<apply::Counter> rule_counter(uint32_t) override { return apply::Counter(); }
    Result<apply::Counter> client_counter(uint32_t) override { return apply::Counter(); }
    Result<void> clear_client_counter(uint32_t) override { return {}; }
    Result<std::vector<uint64_t>> drop_counters() override { return {}; }
    Result<apply::FlowPage> flows(uint64_t, uint32_t) override { return apply::FlowPage(); }
    Result<uint64_t> count_flows() override { return 0; }
    Result<bool> erase_flow(const gw_flow_key&) override { return false; }
    Result<std::vector<uint64_t>> untold_events() override { return {}; }
    Result<gw_explanation> explain(const gw_tuple&, const std::string&) override { return gw_explanation(); }

   private:
    FakeKernel& kernel_;
  } blind(kernel_);
  auto reconciler = apply::Reconciler::open(blind, SecretKey(), stage_.run_directory()).value();
  reconciler.set_intent(contract_intent());
  EXPECT_EQ(reconciler.converge().errors.at(0).code, EINTR);
  EXPECT_THAT(kernel_.done, testing::IsEmpty());
}

TEST_F(ReconcilerTest, FollowsAnAddressOfTheHost) {
  auto reconciler = with_intent();
  reconciler.converge();
  kernel_.host["eth0"].push_back(*IpAddress::parse("198.51.100.77"));
  const auto report = reconciler.converge();
  EXPECT_THAT(report.done, testing::ElementsAre("~ policy: host 198.51.100.77 (gateway)"));
  EXPECT_THAT(report.repairs, testing::IsEmpty());
}

TEST_F(ReconcilerTest, ForgetsAnAddressThatItTakesAwayInTheSameRun) {
  auto reconciler = with_intent();
  reconciler.converge();
  plan::Intent intent = contract_intent();
  intent.config.subnets.at("web").address.clear();
  reconciler.set_intent(intent);
  EXPECT_TRUE(reconciler.converge().clean());
  EXPECT_FALSE(kernel_.state.policy.hosts.contains(*IpAddress::parse("10.1.1.1")));
  EXPECT_THAT(reconciler.converge().done, testing::IsEmpty());
}

TEST_F(ReconcilerTest, AddsAClientWithoutReadingAnyOther) {
  auto reconciler = with_intent();
  reconciler.converge();
  const size_t observations = kernel_.observations;
  EXPECT_TRUE(reconciler.put_client(contract_client(3, "carol", kCarolKey, {"staff"})).clean());
  EXPECT_TRUE(reconciler.remove_client(3).clean());
  EXPECT_EQ(kernel_.observations, observations);
}

TEST_F(ReconcilerTest, RevokesThePeerEvenWhenAHostEntryCannotBeErased) {
  auto reconciler = with_intent();
  reconciler.converge();
  kernel_.refuse["- policy: host 172.16.201.4"] = {EIO, "erase host", "172.16.201.4", ""};
  const auto report = reconciler.remove_client(1);
  EXPECT_THAT(report.errors, testing::SizeIs(1));
  EXPECT_FALSE(kernel_.state.wireguard.peers.contains(PublicKey::parse(kAliceKey).value()));
  kernel_.refuse.clear();
  EXPECT_THAT(reconciler.converge().done, testing::Contains("- policy: host 172.16.201.4"));
}

TEST_F(ReconcilerTest, TakesARevocationBetweenTwoIntentsToTheNext) {
  auto reconciler = with_intent();
  reconciler.converge();
  reconciler.remove_client(1);
  EXPECT_TRUE(reconciler.converge().clean());
  EXPECT_FALSE(kernel_.state.policy.hosts.contains(*IpAddress::parse("172.16.201.4")));
}

TEST_F(ReconcilerTest, KeepsRuleIdsOverARestart) {
  auto reconciler = with_intent();
  reconciler.converge();
  const uint32_t id = reconciler.rule_id("staff-web");
  apply::Reconciler next = open();
  EXPECT_EQ(next.rule_name(id), "staff-web");
}

TEST_F(ReconcilerTest, WritesTheIdsOnlyWhenTheyChange) {
  auto reconciler = with_intent();
  reconciler.converge();
  const std::string file = stage_.run_directory() + "/policy-ids.json";
  ASSERT_TRUE(std::filesystem::remove(file));
  reconciler.converge();
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(ReconcilerTest, BeginsIdsAnewWhenTheirFileIsDamaged) {
  ASSERT_TRUE(write_file_atomically(stage_.run_directory() + "/policy-ids.json", "{\"rules\": 7", 0600));
  auto reconciler = with_intent();
  EXPECT_TRUE(reconciler.converge().clean());
  EXPECT_EQ(open().rule_name(reconciler.rule_id("dev-web")), "dev-web");
}

TEST_F(ReconcilerTest, MendsWhatTheKernelTookAlong) {
  auto reconciler = with_intent();
  reconciler.converge();
  // The kernel made our address a secondary of this one, which is ours by its mark and not wanted.
  kernel_.state.addresses.insert({"eth1", *IpAddress::parse("10.1.1.77"), 24});
  const auto report = reconciler.converge();
  EXPECT_TRUE(report.clean());
  EXPECT_TRUE(kernel_.state.addresses.contains({"eth1", *IpAddress::parse("10.1.1.1"), 24}));
}

}  // namespace
}  // namespace gw::test
