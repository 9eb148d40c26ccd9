// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/gateway_test.h"

namespace gw::test {
namespace {

constexpr const char* kHead = R"(
gateway:
  name: contoso
  public: {interface: eth0, endpoint: vpn.contoso.example}
vpn:
  interface: wg0
  subnets: [172.16.201.0/24, "fd6d:706e:6c61::/64"]
network: {address_space: [10.1.0.0/16, "fd10:1::/32"]}
)";

}  // namespace

void GatewayTest::SetUp() {
  for (const char* name : {"etc", "etc/gateway.d", "state", "run"}) {
    ASSERT_TRUE(make_directories(directory_ / name, 0700));
  }
}

void GatewayTest::write_whole(const std::string& text) {
  ASSERT_TRUE(write_file_atomically(directory_ / "etc/gateway.yaml", text, 0644));
}

void GatewayTest::write(const std::string& more) { write_whole(kHead + more); }

void GatewayTest::start() {
  gateway_.reset();
  reconciler_.reset();
  intents_.reset();
  registry_.reset();
  registry_ = value_of(registry::Registry::open(directory_ / "state/registry.db"));
  intents_ = value_of(apply::IntentStore::open(directory_ / "state/intents"));
  reconciler_ = value_of(apply::Reconciler::open(kernel_, SecretKey(), directory_ / "run"));
  gateway_.emplace(parts(), options(),
                   control::GatewayController::Listener{
                       [this](const auto& report) { reports_.push_back(report); },
                       [this](const auto& report) { reports_.push_back(report); },
                       [this](const auto& line, const char* /*message*/) { log_.push_back(line); }});
  const auto started = gateway_->start();
  ASSERT_TRUE(started) << started.error().message();
  gateway_->converge();
}

control::GatewayController::Parts GatewayTest::parts() {
  return {*registry_, *reconciler_, *intents_, kernel_, clock_, signer_};
}

control::GatewayController::Options GatewayTest::options() {
  return {.config_directory = directory_ / "etc",
          .version = "1.2.3",
          .public_key = public_key_,
          .clock_is_synchronised = [this] { return synchronised_; },
          .running = {},
          .run_directory = directory_ / "run",
          .state_directory = directory_ / "state"};
}

void GatewayTest::restart() { start(); }

std::string GatewayTest::request(const std::string& name) {
  last_key_ = value_of(pki::generate_wireguard_keys()).public_key;
  return value_of(pki::make_request(value_of(pki::PrivateKey::generate()), name, last_key_));
}

Result<control::ProfileFacts> GatewayTest::add(const std::string& name, std::vector<std::string> groups,
                                               uint32_t days) {
  control::NewClient client;
  client.name = name;
  client.request_pem = request(name);
  client.groups = std::move(groups);
  client.days = days;
  return gateway_->add_client(client, "uid 0");
}

const plan::Host* GatewayTest::host(const std::string& address) const {
  const auto found = kernel_.state.policy.hosts.find(*IpAddress::parse(address));
  return found == kernel_.state.policy.hosts.end() ? nullptr : &found->second;
}

}  // namespace gw::test
