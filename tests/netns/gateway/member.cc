// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/gateway/member.h"

#include <sstream>
#include <stdexcept>

#include "ctl/connect/membership.h"
#include "gatewayd/base/file.h"
#include "tests/support/must.h"

namespace gw::test {
namespace {

const std::string kProgram = GW_BINARY_DIR "/gwconnect";

/// The value of a line of a wg-quick profile.
std::string line_of(const std::string& profile, const std::string& name) {
  const size_t at = profile.find("\n" + name + " = ");
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in\n" + profile);
  const size_t from = at + name.size() + 4;
  return profile.substr(from, profile.find('\n', from) - from);
}

std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts >> std::ws, part, ',');) out.push_back(part);
  return out;
}

}  // namespace

Member::Member(Lab& lab, std::string name)
    : lab_(lab), name_(std::move(name)), state_(lab.directory() + "/" + name_ + "-state") {
  lab_.attach(name_);
}

Arguments Member::command(const std::string& text) const {
  Arguments out = {"env", "DBUS_SYSTEM_BUS_ADDRESS=" + lab_.bus_address()};
  out.insert(out.end(), environment_.begin(), environment_.end());
  out.insert(out.end(), {kProgram, "--state", state_});
  for (const auto& word : words(text)) out.push_back(word);
  return out;
}

Output Member::gwconnect(const std::string& text) const { return host().run(command(text)); }

std::string Member::must(const std::string& text) const {
  const Output output = gwconnect(text);
  if (!output.ok())
    throw std::runtime_error("gwconnect " + text + ": exit " + std::to_string(output.status) + "\n" + output.out +
                             output.err + log() + lab_.log());
  return output.out;
}

nlohmann::json Member::status() const { return nlohmann::json::parse(gwconnect("status --json").out); }

void Member::start(const std::string& options) {
  service_ = host().start_threaded(command("run " + options), state_ + ".log");
}

std::string Member::log() const { return read_file(state_ + ".log").value_or(""); }

connect::Network Member::provision(const std::string& more, bool fail_closed) {
  const uint32_t slot = memberships_++;
  const std::string client = slot == 0 ? name_ : name_ + "-" + std::to_string(slot);
  const std::string path = lab_.directory() + "/" + client;
  lab_.must_gwctl("client add " + client + " --out " + path + ".conf --cert-out " + path + " " + more);
  const std::string profile = "\n" + test::must(read_file(path + ".conf"));
  connect::Network network;
  network.server = {"5.5.5.1", static_cast<uint16_t>(443 + slot)};
  network.id = connect::network_id(network.server);
  network.slot = slot;
  network.fingerprint = std::string(64, '0');
  network.interface = "gw" + std::to_string(slot);
  network.fail_closed = fail_closed;
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  const std::string chain = test::must(read_file(path + ".crt"));  // the certificate, then its authorities
  network.certificate_pem = chain.substr(0, chain.find(kEnd) + kEnd.size());
  const connect::Store store(state_);
  const auto secret = SecretKey::parse(line_of(profile, "PrivateKey")).value();
  network.key = pki::public_of(secret);
  test::must(store.write_key(network.id, {secret, network.key}));
  network.identity = test::must(
      store.write_identity(network.id, test::must(pki::PrivateKey::parse(test::must(read_file(path + ".key"))))));
  const nlohmann::json facts = {{"client", client},
                                {"addresses", list_of(line_of(profile, "Address"))},
                                {"allowed_ips", list_of(line_of(profile, "AllowedIPs"))},
                                {"tunnel", profile.find("0.0.0.0/0") == std::string::npos ? "split" : "full"},
                                {"dns", nlohmann::json::array()},
                                {"dns_domain", ""},
                                {"mtu", 0},
                                {"gateway_name", "contoso"},
                                {"gateway_public_key", line_of(profile, "PublicKey")},
                                {"endpoint", line_of(profile, "Endpoint")},
                                {"not_after", 0}};
  network.profile = test::must(connect::parse_profile(facts.dump()));
  network.profile_since = SystemClock().now();
  network.key_since = network.profile_since;
  test::must(store.save(network));
  return network;
}

bool Member::reaches(const std::string& address) const {
  return Lab::eventually([&] { return try_ping(host(), address, std::chrono::seconds(1)) == Reach::open; });
}

}  // namespace gw::test
