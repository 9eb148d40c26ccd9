// SPDX-License-Identifier: Apache-2.0
// mac1 as the programs compute it, against Python's hashlib, OpenSSL, and handshakes that WireGuard made itself.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/bpf/programs/guard_world.h"
#include "tests/bpf/programs/mac1_vectors.h"
#include "tests/support/must.h"
#include "tests/support/namespace.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

Bytes from_hex(const std::string& text) {
  Bytes out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return out;
}

class Mac1 : public GuardWorld {
 protected:
  /// Makes the guard that of the owner of `owner`.
  void guard_for(const PublicKey& owner) {
    key = owner;
    put_guard(0);
  }
};

TEST_F(Mac1, AgreesWithTheVectorsOfPython) {
  for (const Mac1Vector& vector : kMac1Vectors) {
    PublicKey owner;
    std::ranges::copy(from_hex(vector.public_key), owner.bytes.begin());
    guard_for(owner);
    Bytes message = from_hex(vector.message);
    EXPECT_EQ(run(to_gateway(message).ethernet()), GW_REASON_NONE) << vector.message;
    message.at(message.size() - 20) ^= 0x80U;
    EXPECT_EQ(run(to_gateway(message).ethernet()), GW_REASON_WG_MAC1) << vector.message;
    guard_for(some_key(77));
    EXPECT_EQ(run(to_gateway(from_hex(vector.message)).ethernet()), GW_REASON_WG_MAC1) << "of another key";
  }
}

TEST_F(Mac1, AgreesWithOpensslOnEveryByte) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    ASSERT_EQ(run(to_gateway(initiation(key, seed)).ethernet(), Guarded::xdp), GW_REASON_NONE) << seed;
    ASSERT_EQ(run(to_gateway(response(key, seed)).ethernet(), Guarded::tc), GW_REASON_NONE) << seed;
  }
  for (size_t at = 4; at < 132; ++at) {
    Bytes changed = initiation(key);
    changed.at(at) ^= 0x10U;
    ASSERT_EQ(run(to_gateway(changed).ethernet(), Guarded::xdp), GW_REASON_WG_MAC1) << at;
  }
}

/// A UDP socket between two WireGuard devices, each of which takes it for the other: what they say passes through here.
class Wire {
 public:
  Wire() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any = loopback(0);
    socklen_t size = sizeof any;
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&any), size) != 0 ||
        ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&any), &size) != 0)
      throw std::system_error(errno, std::generic_category(), "bind");
    port_ = ntohs(any.sin_port);
  }
  [[nodiscard]] uint16_t port() const { return port_; }

  /// The next message from one of the two ports, handed on to the other; empty after ten seconds of silence.
  [[nodiscard]] Bytes pass(uint16_t one, uint16_t other) const {
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) != 1) return {};
    Bytes message(2048);
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const ssize_t length =
        ::recvfrom(socket_.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (length <= 0) return {};
    message.resize(static_cast<size_t>(length));
    const sockaddr_in to = loopback(ntohs(from.sin_port) == one ? other : one);
    ::sendto(socket_.get(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    return message;
  }

 private:
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
  }
  UniqueFd socket_;
  uint16_t port_ = 0;
};

/// A WireGuard device of its own, made by wireguard-go; its key pair is made by wg(8).
struct Peer {
  Peer(std::string name, uint16_t port, const TempDir& directory) : device(std::move(name)), listens(port) {
    const std::string file = directory.path() + "/" + device;
    must({"sh", "-c", "umask 077; wg genkey > " + file});
    const std::string text = must({"sh", "-c", "wg pubkey < " + file});
    public_key = PublicKey::parse(text.substr(0, 44)).value();
    must("wireguard-go " + device);
    must("wg set " + device + " listen-port " + std::to_string(port) + " private-key " + file);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { gw::test::run({"ip", "link", "del", device}); }  // which ends its wireguard-go
  std::string device;
  uint16_t listens;
  PublicKey public_key;
};

TEST_F(Mac1, AgreesWithHandshakesOfWireGuardItself) {
  const TempDir directory;
  const Wire wire;
  const Peer left("gwleft", 50111, directory);
  const Peer right("gwright", 50112, directory);
  const std::string endpoint = " endpoint 127.0.0.1:" + std::to_string(wire.port()) + " allowed-ips 10.99.0.0/24";
  must("wg set gwright peer " + left.public_key.str() + endpoint);
  must("wg set gwleft peer " + right.public_key.str() + endpoint + " persistent-keepalive 1");
  must("ip link set gwright up");
  must("ip link set gwleft up");  // it has a keepalive to send, and begins

  const Bytes first = wire.pass(left.listens, right.listens);
  const Bytes second = wire.pass(left.listens, right.listens);
  const Bytes third = wire.pass(left.listens, right.listens);
  ASSERT_EQ(first.size(), 148U) << "an initiation";
  ASSERT_EQ(second.size(), 92U) << "a response";
  ASSERT_EQ(third.size(), 32U) << "a keepalive";
  guard_for(right.public_key);
  EXPECT_EQ(run(to_gateway(first).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run(to_gateway_v6(first).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run(to_gateway(second).ethernet()), GW_REASON_WG_MAC1) << "it is for the left one";
  EXPECT_EQ(run(to_gateway(third).ethernet()), GW_REASON_NONE);
  guard_for(left.public_key);
  EXPECT_EQ(run(to_gateway(second).ethernet()), GW_REASON_NONE);
  EXPECT_EQ(run(to_gateway(first).ethernet()), GW_REASON_WG_MAC1);
}

}  // namespace
}  // namespace gw::test
