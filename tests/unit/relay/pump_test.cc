// SPDX-License-Identifier: Apache-2.0
// Datagrams between a real TLS connection and real UDP sockets, on the loopback.
#include "gatewayd/relay/pump.h"

#include <gmock/gmock.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <thread>

#include "gatewayd/pki/authority.h"
#include "tests/support/must.h"
#include "tests/support/temp_dir.h"

namespace gw::relay {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using asio::ip::udp;
using gw::test::must;
using SteadyClock = std::chrono::steady_clock;
using testing::HasSubstr;

constexpr std::chrono::seconds kPatience{60};
constexpr UnixSeconds kNow = 1'800'000'000;

ssl::context server_tls(const std::string& directory) {
  const auto authority = must(pki::Authority::open(directory, "contoso", kNow));
  const auto key = must(pki::PrivateKey::generate());
  const auto request = must(pki::make_request(key, "server", must(pki::generate_wireguard_keys()).public_key));
  const auto leaf =
      must(authority.issue_server(must(pki::parse_request(request)).public_key_pem, {"127.0.0.1"}, kNow, kNow + 86400));
  const std::string pem = key.reveal_pem();
  ssl::context out(ssl::context::tls_server);
  out.use_certificate(asio::buffer(leaf.pem), ssl::context::pem);
  out.use_private_key(asio::buffer(pem), ssl::context::pem);
  return out;
}

/// A pump in a thread of its own, the device at the other end of its stream, and WireGuard at the other end of its
/// socket; those two block, in the test's thread.
class PumpTest : public testing::Test {
 protected:
  void SetUp() override {
    tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    auto shaken = std::async(std::launch::async, [&] {
      device_.next_layer().socket().connect(acceptor.local_endpoint());
      device_.handshake(ssl::stream_base::client);
    });
    acceptor.accept(stream_.next_layer().socket());
    stream_.handshake(ssl::stream_base::server);
    shaken.get();
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { pump_->end("the test is over"); });
    thread_.join();
  }

  void start(Pump::Rules rules, Bytes first = {}) {
    udp::socket local(io_, {asio::ip::address_v4::loopback(), 0});
    local.connect(wireguard_.local_endpoint());
    wireguard_.connect(local.local_endpoint());
    local_fd_ = local.native_handle();
    pump_.emplace(stream_, std::move(local), std::move(rules));
    asio::co_spawn(
        io_, [this, first]() -> asio::awaitable<void> { why_.set_value(co_await pump_->run(first)); }, asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  /// Why it ended; empty: it goes on.
  std::string why() {
    auto future = why_.get_future();
    return future.wait_for(kPatience) == std::future_status::ready ? future.get() : "";
  }
  void send_capsules(const std::vector<std::string>& datagrams) {
    for (const std::string& datagram : datagrams) {
      Batch batch(kMostPayload + kMostFrame);
      std::ranges::copy(datagram, batch.room().begin());
      batch.add(datagram.size());
      asio::write(device_, asio::buffer(batch.bytes().data(), batch.bytes().size()));
    }
  }
  std::string received_by_wireguard() {
    std::string out(kMostPayload, '\0');
    out.resize(wireguard_.receive(asio::buffer(out)));
    return out;
  }
  std::string received_by_device() {
    for (;;) {
      auto datagram = must(reader_.next());
      if (datagram) return {datagram->begin(), datagram->end()};
      const auto room = reader_.room();
      reader_.fill(device_.read_some(asio::buffer(room.data(), room.size())));
    }
  }
  /// Whether a datagram waits in the pump's socket.
  bool waits() const {
    int size = 0;
    return ::ioctl(local_fd_, FIONREAD, &size) == 0 && size != 0;
  }
  bool takes_what_waits() const {
    const auto end = SteadyClock::now() + std::chrono::seconds(2);
    while (waits() && SteadyClock::now() < end) std::this_thread::yield();
    return !waits();
  }

  gw::test::TempDir directory_;
  asio::io_context io_{1};
  asio::io_context device_io_{1};
  ssl::context server_tls_ = server_tls(directory_ / "ca"), device_tls_{ssl::context::tls_client};
  Stream stream_{io_, server_tls_}, device_{device_io_, device_tls_};
  udp::socket wireguard_{device_io_, {asio::ip::address_v4::loopback(), 0}};
  Reader reader_;
  std::optional<Pump> pump_;
  std::promise<std::string> why_;
  int local_fd_ = -1;
  std::thread thread_;
};

TEST_F(PumpTest, CarriesDatagramsBothWaysAndShowsThoseFromTheSocketBefore) {
  Pump::Rules rules;
  rules.divert = [](Bytes datagram) { return datagram.size() == 3; };
  Batch first(kMostPayload + kMostFrame);
  std::ranges::copy(std::string("read before"), first.room().begin());
  first.add(11);
  start(std::move(rules), first.bytes());
  EXPECT_EQ(received_by_wireguard(), "read before");
  send_capsules({"one", std::string(1500, 'x')});
  EXPECT_EQ(received_by_wireguard(), "one");
  EXPECT_EQ(received_by_wireguard(), std::string(1500, 'x'));
  for (const std::string& datagram : {std::string("two!"), std::string("odd"), std::string(1500, 'y')})
    wireguard_.send(asio::buffer(datagram));
  EXPECT_EQ(received_by_device(), "two!");
  EXPECT_EQ(received_by_device(), std::string(1500, 'y')) << "the one of three bytes was taken";
}

TEST_F(PumpTest, EndsWithTheOtherSideAndWithACapsuleThatIsTooLong) {
  start({});
  const std::vector<uint8_t> capsule = {0, 0x80, 0x10, 0, 0, 0};
  asio::write(device_, asio::buffer(capsule));
  EXPECT_THAT(why(), HasSubstr("it is too long"));
}

TEST_F(PumpTest, EndsWhenTheOtherSideGoes) {
  start({});
  device_.next_layer().socket().shutdown(tcp::socket::shutdown_send);
  EXPECT_EQ(why(), "the other side ended it");
}

TEST_F(PumpTest, EndsWhenItMayNotGoOn) {
  Pump::Rules rules;
  int asked = 0;
  rules.look = std::chrono::seconds(1);
  rules.may_go_on = [&asked]() -> asio::awaitable<bool> { co_return ++asked < 2; };
  start(std::move(rules));
  EXPECT_EQ(why(), "the device has no access any more");
  EXPECT_EQ(asked, 2);
}

TEST_F(PumpTest, EndsWhenNothingPasses) {
  Pump::Rules rules;
  rules.look = std::chrono::seconds(1);
  rules.idle = std::chrono::seconds(1);
  start(std::move(rules));
  EXPECT_EQ(why(), "nothing passed for a while");
}

// What is late is worth nothing to WireGuard's passengers, and a device that does not read must not fill the gateway.
TEST_F(PumpTest, TakesNothingMoreWhereTheStreamDoesNot) {
  start({});
  constexpr size_t kMost = size_t{64} << 20U;  // more than the kernel keeps for one connection
  const std::string datagram(1400, 'z');
  size_t sent = 0;
  bool takes = true;
  while (takes && sent < kMost) {
    for (int i = 0; i < 64; ++i, sent += datagram.size()) wireguard_.send(asio::buffer(datagram));
    takes = takes_what_waits();
  }
  EXPECT_FALSE(takes) << "it has taken " << sent << " bytes that nobody reads";
  // It goes on with what waits as soon as there is room.
  EXPECT_EQ(received_by_device(), datagram);
  while (waits()) ASSERT_EQ(received_by_device(), datagram);
  wireguard_.send(asio::buffer(std::string("the last")));
  while (received_by_device() != "the last") {
  }
}

}  // namespace
}  // namespace gw::relay
