// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gatewayd/control/controller.h"
#include "gatewayd/control/watchers.h"

namespace gw::test {

/// Remembers what it was asked and answers what a test has set. An `error` makes every use case fail with it.
class FakeController final : public control::Controller {
 public:
  std::vector<std::string> asked;  ///< "apply 60 by uid 0"
  std::optional<Error> error;
  control::Status status_answer;
  control::Summary summary_answer;
  control::PlanResult plan_answer;
  config::Config config_answer;
  std::vector<control::RuleStatus> rules_answer;
  std::vector<control::ClientStatus> clients_answer;
  std::vector<registry::Block> blocks_answer;
  control::ProfileFacts profile_answer;
  registry::Certificate certificate_answer;
  control::Explanation explanation_answer;
  control::FlowList flows_answer;
  control::TokenHandout handout_answer;
  std::vector<registry::Token> tokens_answer;
  control::EnrolmentFacts facts_answer;
  control::TrustStatus trust_answer;
  control::Watchers watchers;
  // As they came in.
  control::FlowFilter flow_filter;
  control::WatchFilter watch_filter;
  config::Subnet subnet;
  config::Site site;
  std::vector<control::SiteStatus> sites_answer;
  config::Group group;
  config::Rule rule;
  std::optional<std::string> before, after;
  control::NewBlock new_block;
  control::NewClient new_client;
  control::NewToken new_token;
  control::NewTrust new_trust;
  control::ClientChange change;
  std::function<void()> changed;

  Result<control::Status> status() override { return answer("status", status_answer); }
  Result<control::Summary> summary() override { return answer("summary", summary_answer); }
  Result<control::PlanResult> plan() override { return answer("plan", plan_answer); }
  Result<control::ApplyResult> apply(uint32_t seconds, const control::Who& who) override {
    return answer("apply " + std::to_string(seconds) + " by " + who, control::ApplyResult{7, {"~ policy"}, 1000});
  }
  Result<void> confirm(const control::Who& who) override { return done("confirm by " + who); }
  Result<control::ApplyResult> rollback(const control::Who& who) override {
    return answer("rollback by " + who, control::ApplyResult{6, {}, 0});
  }
  config::Config config() override { return config_answer; }
  Result<void> add_subnet(const std::string& name, const config::Subnet& value, const control::Who& who) override {
    subnet = value;
    return done("add_subnet " + name + " by " + who);
  }
  Result<void> add_group(const std::string& name, const config::Group& value, const control::Who& who) override {
    group = value;
    return done("add_group " + name + " by " + who);
  }
  Result<void> add_rule(const config::Rule& value, const std::optional<std::string>& b,
                        const std::optional<std::string>& a, const control::Who& who) override {
    rule = value;
    before = b;
    after = a;
    return done("add_rule " + value.name + " by " + who);
  }
  Result<void> add_site(const std::string& name, const config::Site& value, const control::Who& who) override {
    site = value;
    return done("add_site " + name + " by " + who);
  }
  Result<void> remove_site(const std::string& name, const control::Who& who) override {
    return done("remove_site " + name + " by " + who);
  }
  Result<std::vector<control::SiteStatus>> sites() override { return answer("sites", sites_answer); }
  Result<void> remove_subnet(const std::string& name, const control::Who& who) override {
    return done("remove_subnet " + name + " by " + who);
  }
  Result<void> remove_group(const std::string& name, const control::Who& who) override {
    return done("remove_group " + name + " by " + who);
  }
  Result<void> remove_rule(const std::string& name, const control::Who& who) override {
    return done("remove_rule " + name + " by " + who);
  }
  Result<std::vector<registry::Block>> blocks() override { return answer("blocks", blocks_answer); }
  Result<void> add_block(const control::NewBlock& value, const control::Who& who) override {
    new_block = value;
    return done("add_block " + value.prefix + " by " + who);
  }
  Result<void> remove_block(const std::string& prefix, const control::Who& who) override {
    return done("remove_block " + prefix + " by " + who);
  }
  Result<std::vector<control::RuleStatus>> rules() override { return answer("rules", rules_answer); }
  Result<std::vector<control::ClientStatus>> clients() override { return answer("clients", clients_answer); }
  Result<control::ClientStatus> client(const std::string& name) override {
    for (const auto& status : clients_answer) {
      if (status.client.name == name) return answer("client " + name, status);
    }
    return failure(ENOENT, "find client", name, "no client has this name");
  }
  Result<control::ProfileFacts> add_client(const control::NewClient& value, const control::Who& who) override {
    new_client = value;
    return answer("add_client " + value.name + " by " + who, profile_answer);
  }
  Result<void> set_client(const std::string& name, const control::ClientChange& value,
                          const control::Who& who) override {
    change = value;
    return done("set_client " + name + " by " + who);
  }
  Result<registry::Certificate> renew_client(const std::string& name, uint32_t days, const control::Who& who) override {
    return answer("renew_client " + name + " " + std::to_string(days) + " by " + who, certificate_answer);
  }
  Result<control::ProfileFacts> rekey_client(const std::string& name, const std::string& request, uint32_t days,
                                             const control::Who& who) override {
    return answer("rekey_client " + name + " " + request + " " + std::to_string(days) + " by " + who, profile_answer);
  }
  Result<void> revoke_client(const std::string& name, const std::string& reason, const control::Who& who) override {
    return done("revoke_client " + name + " " + reason + " by " + who);
  }
  Result<void> remove_client(const std::string& name, const control::Who& who) override {
    return done("remove_client " + name + " by " + who);
  }
  Result<control::ProfileFacts> export_client(const std::string& name) override {
    return answer("export_client " + name, profile_answer);
  }
  Result<control::TokenHandout> create_token(const control::NewToken& value, const control::Who& who) override {
    new_token = value;
    return answer("create_token by " + who, handout_answer);
  }
  Result<std::vector<registry::Token>> tokens() override { return answer("tokens", tokens_answer); }
  Result<void> revoke_token(int64_t id, const control::Who& who) override {
    return done("revoke_token " + std::to_string(id) + " by " + who);
  }
  Result<std::string> enroll(const control::Enrolment& value) override {
    return answer("enroll " + value.token + " " + value.request + " " + value.proof + " from " + value.source,
                  std::string("CERTIFICATE"));
  }
  Result<control::TrustStatus> add_trust(const control::NewTrust& value, const control::Who& who) override {
    new_trust = value;
    return answer("add_trust " + value.name + " by " + who, trust_answer);
  }
  Result<std::vector<control::TrustStatus>> trusts() override { return answer("trusts", std::vector{trust_answer}); }
  Result<std::vector<std::string>> remove_trust(const std::string& name, bool revoke,
                                                const control::Who& who) override {
    return answer("remove_trust " + name + (revoke ? " and clients" : "") + " by " + who, trust_answer.clients);
  }
  Result<void> set_trust_crl(const std::string& name, const std::string& crl, const control::Who& who) override {
    return done("set_trust_crl " + name + " " + crl + " by " + who);
  }
  Result<std::string> enroll_by_certificate(const control::CertificateEnrolment& value) override {
    return answer("enroll_by_certificate " + value.certificate_pem + " " + value.chain_pem + " " + value.request + " " +
                      value.proof + " from " + value.source,
                  std::string("CERTIFICATE"));
  }
  Result<std::string> reenroll(const control::Reenrolment& value) override {
    return answer("reenroll " + value.certificate_pem + " " + value.request + " " + value.proof + " " +
                      value.present_proof + " from " + value.source,
                  std::string("CERTIFICATE"));
  }
  Result<control::ProfileFacts> enrolled_profile(const std::string& pem) override {
    return answer("enrolled_profile " + pem, profile_answer);
  }
  Result<std::string> certificate_holder(const std::string& pem) override {
    return answer("certificate_holder " + pem, std::string("alice"));
  }
  Result<control::EnrolmentFacts> enrolment_facts() override { return answer("enrolment_facts", facts_answer); }
  Result<std::string> certify_front(const std::string& request) override {
    return answer("certify_front " + request, std::string("CHAIN"));
  }
  Result<std::vector<registry::Certificate>> certificates() override {
    return answer("certificates", std::vector{certificate_answer});
  }
  Result<registry::Certificate> certificate(const std::string& serial) override {
    return answer("certificate " + serial, certificate_answer);
  }
  Result<void> revoke_certificate(const std::string& serial, const std::string& reason,
                                  const control::Who& who) override {
    return done("revoke_certificate " + serial + " " + reason + " by " + who);
  }
  Result<std::vector<std::string>> crls_der() override {
    return answer("crls_der", std::vector{std::string("\x30\x00\xff", 3), std::string("\x30\x01\x00", 3)});
  }
  Result<control::AuthorityStatus> authority() override { return answer("authority", authority_answer()); }
  Result<control::AuthorityStatus> init_authority(const std::string& name, const control::Who& who) override {
    return answer("init_authority " + name + " by " + who, authority_answer());
  }
  Result<control::AuthorityStatus> rotate_authority(const std::string& what, const control::Who& who) override {
    return answer("rotate_authority " + what + " by " + who, authority_answer());
  }
  Result<std::string> request_authority(const std::string& name, const control::Who& who) override {
    return answer("request_authority " + name + " by " + who, std::string("REQUEST"));
  }
  Result<control::AuthorityStatus> import_authority(const std::string& pems, bool cut_off,
                                                    const control::Who& who) override {
    return answer("import_authority " + pems + (cut_off ? " cut off" : "") + " by " + who, authority_answer());
  }
  static control::AuthorityStatus authority_answer() {
    pki::Certificate root;
    root.name = "root";
    root.is_ca = true;
    pki::Certificate issuing = root;
    issuing.name = "issuing";
    return {.parts = {{.role = "root", .certificate = root}, {.role = "issuing", .certificate = issuing, .clients = 7}},
            .has_root_key = true,
            .request = {}};
  }
  Result<control::Explanation> explain(const std::string& from, const std::string& to,
                                       const std::string& service) override {
    return answer("explain " + from + " " + to + " " + service, explanation_answer);
  }
  Result<control::FlowList> flows(const control::FlowFilter& filter, uint64_t from) override {
    flow_filter = filter;
    return answer("flows " + std::to_string(from), flows_answer);
  }
  Result<control::FlowsEnded> end_flows(const control::FlowFilter& filter, bool all, uint64_t from,
                                        const control::Who& who) override {
    flow_filter = filter;
    return answer(std::string("end_flows ") + (all ? "all " : "") + std::to_string(from) + " by " + who,
                  control::FlowsEnded{3, 77});
  }
  Result<UniqueFd> watch(const control::WatchFilter& filter) override {
    watch_filter = filter;
    asked.push_back("watch");
    if (error) return std::unexpected(*error);
    return watchers.add(filter);
  }
  Result<control::BackupStart> begin_backup(const control::Who& who) override {
    return answer("begin_backup by " + who, control::BackupStart{7, 2000000});
  }
  Result<std::string> read_backup(uint64_t id, uint64_t offset) override {
    return answer("read_backup " + std::to_string(id) + " " + std::to_string(offset), std::string("\0\xff", 2));
  }
  Result<uint64_t> begin_restore(const control::Who& who) override {
    return answer("begin_restore by " + who, uint64_t{8});
  }
  Result<void> write_restore(uint64_t id, const std::string& piece) override {
    return done("write_restore " + std::to_string(id) + " " + std::to_string(piece.size()) + " bytes");
  }
  Result<control::RestoreResult> restore(uint64_t id, const control::RestoreOptions& options,
                                         const control::Who& who) override {
    return answer("restore " + std::to_string(id) + (options.replace ? " replace" : "") +
                      (options.enable_clients ? " enable" : "") + " by " + who,
                  control::RestoreResult{5, "contoso", "1.2.3", 2, {"alice"}, {"note"}});
  }
  Result<std::string> metrics() override { return answer("metrics", std::string("gatewayd_peers 3\n")); }
  void on_change(std::function<void()> callback) override { changed = std::move(callback); }

 private:
  template <class T>
  Result<T> answer(std::string what, T value) {
    asked.push_back(std::move(what));
    if (error) return std::unexpected(*error);
    return value;
  }
  Result<void> done(std::string what) {
    asked.push_back(std::move(what));
    if (error) return std::unexpected(*error);
    return {};
  }
};

}  // namespace gw::test
