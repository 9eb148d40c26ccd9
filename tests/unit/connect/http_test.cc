// SPDX-License-Identifier: Apache-2.0
// Joining by way of TLS servers that socat(1) plays: what it decrypts is written down.
#include "ctl/connect/http.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "ctl/connect/membership.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority.h"
#include "tests/support/must.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::connect {
namespace {

using gw::test::must;
using testing::HasSubstr;
using SteadyClock = std::chrono::steady_clock;

constexpr UnixSeconds kDay = 86400;
constexpr const char* kModern = "openssl-min-proto-version=TLS1.3";
const std::string kToken = "abcdefghijklmnopqrstuvwxy2";

/// A port of 127.0.0.1 that was free a moment ago.
uint16_t free_port() {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::system_error(errno, std::generic_category(), "bind");
  return ntohs(address.sin_port);
}

bool eventually(const std::function<bool()>& condition) {
  const auto end = SteadyClock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (SteadyClock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

class ConnectHttps : public testing::Test {
 protected:
  void SetUp() override {
    const auto request = must(pki::make_request(key_, "server", must(pki::generate_wireguard_keys()).public_key));
    const auto leaf = must(
        authority_.issue_server(must(pki::parse_request(request)).public_key_pem, {"127.0.0.1"}, now_, now_ + kDay));
    must(write_file_atomically(directory_ / "leaf", leaf.pem + authority_.chain_pem(), 0600));
    must(write_file_atomically(directory_ / "key", key_.reveal_pem(), 0600));
  }
  /// Takes one connection and writes down what comes through it.
  void serve(const std::string& versions) {
    server_ = gw::test::start({"socat", "-d", "-d", "-u",
                               "OPENSSL-LISTEN:" + std::to_string(port_) + ",bind=127.0.0.1,reuseaddr,verify=0,cert=" +
                                   (directory_ / "leaf") + ",key=" + (directory_ / "key") + "," + versions,
                               "OPEN:" + (directory_ / "received") + ",creat,append"},
                              directory_ / "log");
    ASSERT_TRUE(eventually([&] { return text("log").find("listening on") != std::string::npos; })) << text("log");
  }
  std::string text(const std::string& file) const { return read_file(directory_ / file).value_or(""); }
  JoinLink link(const std::string& fingerprint) const {
    return must(
        parse_join_link("https://127.0.0.1:" + std::to_string(port_) + "/join#token=" + kToken + "&ca=" + fingerprint));
  }
  Result<Network> join(const std::string& fingerprint) {
    return connect::join(Store(directory_ / "state"), link(fingerprint), {.name = "alice", .interface = {}}, now_);
  }
  /// A join of a gateway that ends when it is asked, and does not come back.
  void ask_and_go_away();
  std::string id() const { return "127.0.0.1:" + std::to_string(port_); }
  bool is_state_empty() const { return std::filesystem::is_empty(directory_ / "state"); }

  UnixSeconds now_ = SystemClock().now();
  gw::test::TempDir directory_;
  pki::Authority authority_ = must(pki::Authority::open(directory_ / "ca", "contoso", now_));
  pki::PrivateKey key_ = must(pki::PrivateKey::generate());
  uint16_t port_ = free_port();
  gw::test::Process server_;
};

TEST_F(ConnectHttps, AServerWithAnotherAuthorityGetsNoTokenAndNotAByteOfHttp) {
  serve(kModern);
  const auto joined = join(std::string(64, '0'));
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, EKEYREJECTED);
  EXPECT_THAT(joined.error().message(), HasSubstr("somebody stands in between"));
  EXPECT_TRUE(is_state_empty());
  ASSERT_NE(server_.wait(std::chrono::seconds(20)), -1);  // it ends with the connection
  EXPECT_EQ(text("received"), "");
  EXPECT_THAT(text("log"), HasSubstr("accepting connection"));
}

TEST_F(ConnectHttps, TheRightOneIsAskedAndWhenItGoesAwayForGoodTheNextJoinHasTheSameKeys) {
  const Store store(directory_ / "state");
  ask_and_go_away();
  const auto attempt = store.read_attempt(id());
  ASSERT_TRUE(attempt);
  EXPECT_EQ(must(store.load()).attempts, std::vector{id()});
  ask_and_go_away();
  EXPECT_EQ(store.read_attempt(id()), attempt);
  const auto keys = must(store.read_key(id(), attempt->key));
  EXPECT_EQ(pki::public_of(keys), attempt->key);

  const auto nobody = join(authority_.root().sha256);
  EXPECT_THAT(nobody.error().message(), HasSubstr("gwconnect leave " + id()));
  EXPECT_EQ(store.read_attempt(id()), attempt) << "nothing was asked that could have been refused";
  const gw::test::Arguments leave = {GW_BINARY_DIR "/gwconnect", "--state", store.directory(), "leave"};
  const auto left = gw::test::run(leave);
  EXPECT_THAT(left.out, HasSubstr("Forgot the join of " + id())) << left.err;
  EXPECT_TRUE(is_state_empty());
}

void ConnectHttps::ask_and_go_away() {
  for (const char* file : {"received", "log"}) std::filesystem::remove(directory_ / file);
  serve(kModern);
  Result<Network> joined = failure(EIO, "join");
  std::thread joining([&] { joined = join(authority_.root().sha256); });
  EXPECT_TRUE(eventually([&] { return text("received").starts_with("GET /.well-known/gatewayd/challenge HTTP/1.1"); }))
      << text("log");
  server_.end(SIGKILL);
  joining.join();
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, ECONNRESET) << joined.error().message();
}

TEST_F(ConnectHttps, OlderTlsIsRefused) {
  serve("openssl-max-proto-version=TLS1.2");
  const auto joined = join(authority_.root().sha256);
  ASSERT_FALSE(joined);
  EXPECT_THAT(joined.error().message(), HasSubstr("speak TLS 1.3 with 127.0.0.1"));
}

TEST_F(ConnectHttps, NobodyThereIsToldAsWhatItIs) {
  const auto refused = join(authority_.root().sha256);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ECONNREFUSED);
  EXPECT_THAT(refused.error().message(), HasSubstr("nobody listens there"));
  const HttpsOptions nowhere{
      .server = {"no-such-host.invalid", 443},
      .trust = {.host = "no-such-host.invalid", .fingerprint = std::string(64, '0'), .roots_pem = {}, .now = now_}};
  const auto unknown = Https::connect(nowhere);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, EHOSTUNREACH);
  EXPECT_THAT(unknown.error().message(), HasSubstr("its name is not found"));
}

}  // namespace
}  // namespace gw::connect
