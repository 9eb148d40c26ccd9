// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>
#include <tuple>

#include "gatewayd/base/file.h"
#include "tests/support/killed.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/connect/sample.h"

namespace gw::connect {
namespace {

using gw::test::must;
using testing::HasSubstr;
using testing::SizeIs;

class ConnectStore : public testing::Test {
 protected:
  /// A network whose keys are there.
  Network stored(uint32_t slot = 0) {
    Network network = test::sample_network(slot);
    network.key = write_key(network.id);
    network.identity = must(store_.write_identity(network.id, must(pki::PrivateKey::generate())));
    must(store_.save(network));
    return network;
  }
  PublicKey write_key(const std::string& id) {
    const auto keys = must(pki::generate_wireguard_keys());
    must(store_.write_key(id, keys));
    return keys.public_key;
  }
  size_t files(const std::string& id) {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(store_.directory_of(id)), {}));
  }

  gw::test::TempDir directory_{"/dev/shm"};
  Store store_{directory_ / "state"};
};

TEST_F(ConnectStore, KeepsANetworkAndItsKeys) {
  Network network = stored();
  network.next_key = write_key(network.id);
  network.trouble = "a \"sentence\"";
  network.link = "digest";
  must(store_.save(network));
  EXPECT_EQ(must(store_.load(network.id)), network);
  EXPECT_EQ(pki::public_of(must(store_.read_key(network.id, network.key))), network.key);
  EXPECT_EQ(pki::public_of(must(store_.read_key(network.id, *network.next_key))), *network.next_key);
  EXPECT_TRUE(store_.read_identity(network.id, network.identity));
  network.profile.reset();
  must(store_.save(network));
  EXPECT_EQ(must(store_.load(network.id)), network);
}

TEST_F(ConnectStore, IsForRootAlone) {
  const Network network = stored();
  struct stat info{};
  ASSERT_EQ(::stat(store_.directory_of(network.id).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  for (const auto& entry : std::filesystem::directory_iterator(store_.directory_of(network.id))) {
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
  }
}

TEST_F(ConnectStore, HoldsNoSecretInTheFileThatIsNoKey) {
  const Network network = stored();
  const std::string text = must(read_file(store_.directory_of(network.id) + "/network.json"));
  EXPECT_EQ(text.find(must(store_.read_key(network.id, network.key)).reveal_base64()), std::string::npos);
  EXPECT_EQ(text.find("PRIVATE KEY"), std::string::npos);
}

TEST_F(ConnectStore, RemovesKeysThatAreNoMoreNamed) {
  Network network = stored();
  const PublicKey old = network.key;
  network.key = write_key(network.id);
  ASSERT_EQ(files(network.id), 4U);
  must(store_.save(network));
  EXPECT_EQ(files(network.id), 3U);
  EXPECT_EQ(store_.read_key(network.id, old).error().code, EUCLEAN);
}

TEST_F(ConnectStore, KeepsTheKeysOfAJoinUntilTheNetworkIsThere) {
  Network network = test::sample_network();
  write_key(network.id);  // of a join that was cut off before it asked
  EXPECT_EQ(store_.read_attempt(network.id), std::nullopt);
  network.key = write_key(network.id);
  network.identity = must(store_.write_identity(network.id, must(pki::PrivateKey::generate())));
  const Attempt attempt{.link = "digest", .key = network.key, .identity = network.identity};
  must(store_.write_attempt(network.id, attempt));
  EXPECT_EQ(store_.read_attempt(network.id), attempt);
  EXPECT_EQ(files(network.id), 3U) << "the rests went";
  const auto all = must(store_.load());
  EXPECT_THAT(all.networks, SizeIs(0));
  EXPECT_THAT(all.damaged, SizeIs(0));
  EXPECT_EQ(all.attempts, std::vector{network.id});
  must(store_.save(network));
  EXPECT_EQ(store_.read_attempt(network.id), std::nullopt);
  EXPECT_TRUE(store_.read_key(network.id, network.key));
  EXPECT_THAT(must(store_.load()).attempts, SizeIs(0));
}

TEST_F(ConnectStore, LeavesWhatTheServiceIsJustWritingOfTheWay) {
  const Network network = stored();
  const std::string temporary = store_.directory_of(network.id) + "/relay.json.a1B2c3";
  must(write_file_atomically(temporary, "{}", 0600));
  must(store_.set_relay(network.id, Relay{.port = 1, .through = {}, .since = 2, .trouble = {}}));
  must(store_.save(network));
  EXPECT_TRUE(std::filesystem::exists(temporary));
  EXPECT_EQ(must(store_.load(network.id)).relay->port, 1);
  must(store_.remove(network.id));
  EXPECT_FALSE(std::filesystem::exists(temporary));
}

TEST_F(ConnectStore, FindsANetworkByWhatPeopleCallIt) {
  const Network first = stored(0);
  EXPECT_EQ(must(store_.find("")), first);
  Network second = stored(1);
  second.profile->gateway_name = "fabrikam";
  must(store_.save(second));
  EXPECT_EQ(must(store_.find("fabrikam")), second);
  EXPECT_EQ(must(store_.find("gw0")), first);
  EXPECT_EQ(must(store_.find(second.id)), second);
  EXPECT_EQ(store_.find("").error().code, EINVAL);
  EXPECT_THAT(store_.find("").error().detail, HasSubstr(second.id));
  EXPECT_EQ(store_.find("nobody").error().code, ENOENT);
}

TEST_F(ConnectStore, OneDamagedNetworkDoesNotHideTheOthers) {
  const Network network = stored(0);
  must(make_directories(store_.directory_of("half"), 0700));
  must(make_directories(store_.directory_of("bad"), 0700));
  must(write_file_atomically(store_.directory_of("bad") + "/network.json", "{}", 0600));
  const auto all = must(store_.load());
  EXPECT_EQ(all.networks, std::vector{network});
  ASSERT_THAT(all.damaged, SizeIs(1));
  EXPECT_EQ(all.damaged[0].object, "bad");
}

TEST_F(ConnectStore, ALockIsOfTheDirectoryThatIsThere) {
  auto held = must(store_.reserve("vpn"));
  std::atomic<bool> locked = false;
  std::jthread second([&] {
    const auto lock = store_.reserve("vpn");
    locked = lock.has_value();
    must(make_directories(store_.directory_of("vpn") + "/still-there", 0700));  // fails in one that was removed
  });
  // It may wait already or come later: in both cases it ends with a lock on a directory that is there.
  must(store_.remove("vpn"));
  held.reset();
  second.join();
  EXPECT_TRUE(locked);
  EXPECT_TRUE(std::filesystem::exists(store_.directory_of("vpn") + "/still-there"));
  EXPECT_EQ(store_.lock("other").error().code, ENOENT);
}

TEST_F(ConnectStore, RemovingLeavesNothing) {
  const Network network = stored();
  must(store_.remove(network.id));
  EXPECT_FALSE(std::filesystem::exists(store_.directory_of(network.id)));
  EXPECT_EQ(store_.load(network.id).error().code, ENOENT);
  must(store_.remove(network.id));
}

TEST_F(ConnectStore, ACrashAtAnyPointOfARotationLeavesAKeyThatTheGatewayKnows) {
  Network before = stored();
  const auto old = must(pki::generate_wireguard_keys());
  before.key = old.public_key;
  const auto fresh = must(pki::generate_wireguard_keys());
  Network asked = before;
  asked.next_key = fresh.public_key;
  Network after = before;
  after.key = fresh.public_key;
  const int kills = gw::test::kill_at_every_system_call(
      [&] {
        must(store_.write_key(before.id, old));
        must(store_.save(before));
      },
      [&] {
        if (store_.write_key(before.id, fresh) && store_.save(asked)) std::ignore = store_.save(after);
      },
      [&] {
        const Network now = must(store_.load(before.id));
        EXPECT_TRUE(now == before || now == asked || now == after);
        EXPECT_TRUE(store_.read_key(now.id, now.key));
        EXPECT_TRUE(!now.next_key || store_.read_key(now.id, *now.next_key));
        EXPECT_TRUE(store_.read_identity(now.id, now.identity));
      });
  EXPECT_GT(kills, 20);
}

TEST_F(ConnectStore, ACrashAtAnyPointOfLeavingLeavesTheNetworkOrNone) {
  Network network;
  const int kills =
      gw::test::kill_at_every_system_call([&] { network = stored(); }, [&] { std::ignore = store_.remove(network.id); },
                                          [&] {
                                            const auto all = must(store_.load());
                                            EXPECT_TRUE(all.damaged.empty());
                                            if (all.networks.empty()) return;
                                            EXPECT_TRUE(store_.read_key(network.id, network.key));
                                          });
  EXPECT_GT(kills, 5);
}

}  // namespace
}  // namespace gw::connect
