// SPDX-License-Identifier: Apache-2.0
// gwctl system against RAUC itself: a service of it with two files as slots, bundles that are really signed and
// mounted.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gatewayd/base/file.h"
#include "tests/support/bus_daemon.h"
#include "tests/support/lab.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gw::test {
namespace {

constexpr size_t kSlot = 200000;

constexpr const char* kManifest = R"([update]
compatible=gatewayd-test
version=0.2.0
[bundle]
format=plain
[image.rootfs]
filename=rootfs.img
)";

constexpr const char* kConfiguration = R"([system]
compatible=gatewayd-test
bootloader=custom
mountprefix=DIR/mnt
statusfile=DIR/status
bundle-formats=plain verity
[handlers]
bootloader-custom-backend=DIR/boot
[keyring]
path=DIR/ours.crt
[slot.rootfs.0]
device=DIR/slot0
type=raw
bootname=A
[slot.rootfs.1]
device=DIR/slot1
type=raw
bootname=B
)";

/// A boot loader that keeps what it is told in files.
constexpr const char* kBootLoader = R"(#!/bin/sh
cd DIR || exit 1
case $1 in
  get-primary) cat primary ;;
  set-primary) echo "$2" > primary ;;
  get-state) cat "state.$2" ;;
  set-state) echo "$3" > "state.$2" ;;
esac
)";

class System : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* key : {"ours", "theirs"}) {
      must({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
            std::string("/CN=") + key, "-keyout", at(key) + ".key", "-out", at(key) + ".crt"});
    }
    put("rootfs.img", std::string(kSlot / 2, 'n'));
    for (const char* slot : {"slot0", "slot1"}) put(slot, std::string(kSlot, 'o'));
    put("boot", kBootLoader);
    put("system.conf", kConfiguration);
    put("primary", "A\n");
    for (const char* state : {"state.A", "state.B"}) put(state, "good\n");
    std::filesystem::permissions(at("boot"), std::filesystem::perms(0755));
    bundle("ours", kManifest);
    start_service();
  }
  void TearDown() override {
    service_.end(SIGTERM);
    if (HasFailure()) std::cerr << read_file(at("log")).value_or("") << std::endl;
  }

  [[nodiscard]] std::string at(const std::string& name) const { return directory_ / name; }
  void put(const std::string& name, std::string text) const {
    for (size_t i; (i = text.find("DIR")) != std::string::npos;) text.replace(i, 3, directory_.path());
    ASSERT_TRUE(write_file_atomically(at(name), text, 0600));
  }
  static void must(const Arguments& command) {
    const Output done = run(command);
    ASSERT_TRUE(done.ok()) << done.err;
  }
  /// KEY.raucb, signed by KEY.
  void bundle(const std::string& key, const std::string& manifest) const {
    std::filesystem::create_directories(at("content"));
    ASSERT_TRUE(write_file_atomically(at("content/manifest.raucm"), manifest, 0600));
    std::filesystem::copy_file(at("rootfs.img"), at("content/rootfs.img"),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove(at(key) + ".raucb");
    must({"rauc", "bundle", "--cert=" + at(key) + ".crt", "--key=" + at(key) + ".key", at("content"),
          at(key) + ".raucb"});
  }
  void start_service() {
    service_ = start({"rauc", "--conf=" + at("system.conf"), "--override-boot-slot=A", "service"}, at("log"),
                     [this] { setenv("DBUS_SYSTEM_BUS_ADDRESS", bus_.address().c_str(), 1); });
    ASSERT_TRUE(Lab::eventually([&] { return gwctl({"system", "status"}).ok(); }));
  }
  [[nodiscard]] Output gwctl(const Arguments& words) const {
    Arguments command{"env", "DBUS_SYSTEM_BUS_ADDRESS=" + bus_.address(), GW_BINARY_DIR "/gwctl"};
    command.insert(command.end(), words.begin(), words.end());
    return run(command);
  }
  void refused(const std::string& file, const std::string& reason) const {
    const Output output = gwctl({"system", "update", file});
    EXPECT_EQ(output.status, 1);
    EXPECT_NE(output.err.find(reason), std::string::npos) << output.err;
    EXPECT_EQ(read_file(at("slot1")), std::string(kSlot, 'o')) << "nothing may be written";
    EXPECT_EQ(read_file(at("primary")), "A\n");
  }

  TempDir directory_;
  BusDaemon bus_;
  Process service_;
};

TEST_F(System, InstallsASignedBundleBesideTheRunningSystem) {
  const Output done = gwctl({"system", "update", at("ours.raucb")});
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.out.find("reboot when it suits"), std::string::npos) << done.out;
  EXPECT_EQ(read_file(at("slot1")).value().substr(0, kSlot / 2), std::string(kSlot / 2, 'n'));
  EXPECT_EQ(read_file(at("slot0")), std::string(kSlot, 'o')) << "the running system is not touched";
  EXPECT_EQ(read_file(at("primary")), "B\n");
  const Output status = gwctl({"system", "status"});
  for (const char* fact : {"booted     A\n", "next boot  rootfs.1\n", "rootfs.1", "good", "0.2.0"}) {
    EXPECT_NE(status.out.find(fact), std::string::npos) << fact << " in\n" << status.out;
  }
  EXPECT_EQ(nlohmann::json::parse(gwctl({"system", "status", "--json"}).out).at("slots").size(), 2U);
}

TEST_F(System, RefusesWhatSomebodyElseHasSigned) {
  bundle("theirs", kManifest);
  refused(at("theirs.raucb"), "not signed by a key that this gateway trusts; nothing was written");
  EXPECT_NE(gwctl({"system", "status"}).out.find("last error"), std::string::npos);
}

TEST_F(System, RefusesABundleThatWasChangedOrIsForAnotherMachine) {
  std::string changed = read_file(at("ours.raucb")).value();
  changed[changed.size() / 3] = static_cast<char>(changed[changed.size() / 3] ^ 1);
  ASSERT_TRUE(write_file_atomically(at("changed.raucb"), changed, 0600));
  refused(at("changed.raucb"), "not signed by a key that this gateway trusts");
  std::string other = kManifest;
  other.replace(other.find("gatewayd-test"), 13, "toaster");
  bundle("ours", other);
  refused(at("ours.raucb"), "for another kind of machine");
  put("none", "no bundle");
  refused(at("none"), "that is no bundle of RAUC");
}

TEST_F(System, GoesBackToTheOtherSystem) {
  ASSERT_EQ(gwctl({"system", "update", at("ours.raucb")}).status, 0);
  const Output back = gwctl({"system", "rollback"});
  EXPECT_EQ(back.status, 0) << back.err;
  EXPECT_NE(back.out.find("is the next to boot"), std::string::npos) << back.out;
}

TEST_F(System, SaysWhenThereIsNoRaucOrItGoes) {
  service_.end(SIGKILL);
  ASSERT_TRUE(Lab::eventually([&] { return gwctl({"system", "status"}).status == 3; }));
  const Output none = gwctl({"system", "update", at("ours.raucb")});
  EXPECT_EQ(none.status, 3);
  EXPECT_NE(none.err.find("not installed from an image with two systems"), std::string::npos) << none.err;
  EXPECT_EQ(gwctl({"system", "update", at("missing.raucb")}).status, 2);
}

}  // namespace
}  // namespace gw::test
