// SPDX-License-Identifier: Apache-2.0
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <functional>

#include "netlink/nftables.h"
#include "tests/netns/netlink/fixture.h"

namespace gw::nl {
namespace {

class LoadedFrame : public NetlinkTest {
 protected:
  static Frame frame() {
    Frame out;
    out.table = "gwtest";
    out.public_interface = "nlp0";
    out.vpn_interface = "nlv0";
    out.inner_interfaces = {"nli0", "nli0.20"};
    out.wireguard_port = 51820;
    out.open = {{"tcp", 22, 22}, {"udp", 60000, 61000}, {"icmp", 0, 0}};
    out.masquerade = true;
    out.masquerade_out = {"nli0", "nlp0"};
    out.mark_allow = 0x10000000;
    out.mark_nat = 0x20000000;
    out.mark_reject = 0x40000000;
    return out;
  }
  static std::string why(const Result<void>& result) { return result ? "" : result.error().message(); }
  static std::string live() {
    const auto found = live_frame("gwtest");
    if (!found) return found.error().message();
    return found->value_or("none");
  }
  /// The error of `call` in a process without any right; code 0 when it had none.
  static Error as_nobody(const std::function<Result<void>()>& call) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("pipe");
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
      const auto done = call();
      const std::string text = done ? "0" : std::to_string(done.error().code) + " " + done.error().detail;
      ::_exit(::write(pipe[1], text.data(), text.size()) < 0 ? 1 : 0);
    }
    ::close(pipe[1]);
    const UniqueFd from(pipe[0]);
    std::array<char, 4096> buffer{};
    const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    ::waitpid(child, nullptr, 0);
    const std::string text(buffer.data(), n > 0 ? static_cast<size_t>(n) : 0);
    return {std::stoi(text), "", "", text.substr(std::min(text.size(), text.find(' ')))};
  }
  static void load() { ASSERT_EQ(why(load_frame(frame())), ""); }
};

TEST_F(LoadedFrame, IsReadBackAsTheFrameItWasMadeFrom) {
  EXPECT_EQ(live(), "none");
  load();
  EXPECT_EQ(live(), fingerprint(frame()));
}

TEST_F(LoadedFrame, MayBeLoadedOverItselfAndOverAnother) {
  load();
  load();
  Frame other = frame();
  other.inner_interfaces = {"nlp0"};
  other.masquerade = false;
  other.drop_foreign_forward = true;
  ASSERT_EQ(why(load_frame(other)), "");
  EXPECT_EQ(live(), fingerprint(other));
  const auto shown = test::must("nft list table inet gwtest");
  EXPECT_EQ(shown.find("masquerade"), std::string::npos);
  EXPECT_EQ(shown.find("nli0"), std::string::npos);
}

TEST_F(LoadedFrame, MayOpenEverything) {
  Frame open = frame();
  open.open = {{"tcp", 0, 65535}, {"udp", 0, 65535}, {"tcp", 0, 1023}, {"icmp", 0, 65535}};
  ASSERT_EQ(why(load_frame(open)), "");
  EXPECT_EQ(live(), fingerprint(open));
  const auto outside = test::must("nft list chain inet gwtest outside");
  EXPECT_NE(outside.find("meta l4proto tcp accept"), std::string::npos) << outside;
  EXPECT_NE(outside.find("tcp dport 0-1023 accept"), std::string::npos) << outside;
}

TEST_F(LoadedFrame, StaysTheSameWhilePacketsAreCounted) {
  Frame local = frame();
  local.vpn_interface = "lo";
  ASSERT_EQ(why(load_frame(local)), "");
  EXPECT_THROW(test::must("ping -c 1 -W 0.2 127.0.0.1"), std::runtime_error);
  EXPECT_EQ(test::must("nft list chain inet gwtest input").find("counter packets 0 "), std::string::npos);
  EXPECT_EQ(live(), fingerprint(local));
}

TEST_F(LoadedFrame, CountsAsEditedAfterAnyChangeByHand) {
  for (const char* edit :
       {"add rule inet gwtest input accept", "insert rule inet gwtest forward accept", "flush chain inet gwtest input",
        "flush chain inet gwtest prerouting", "add chain inet gwtest more", "flush table inet gwtest",
        "flush chain inet gwtest record", "add chain inet gwtest input { policy drop; }",
        "add table inet gwtest { flags dormant; }", "add set inet gwtest s { type ipv4_addr; }"}) {
    load();
    test::must({"nft", "-f", "/proc/self/fd/0"}, std::string(edit) + "\n");
    EXPECT_EQ(live(), kEditedFrame) << edit;
  }
  load();
  EXPECT_EQ(live(), fingerprint(frame()));
}

TEST_F(LoadedFrame, IsNoticedMissingAfterAFlushOfEverything) {
  load();
  test::must("nft flush ruleset");
  EXPECT_EQ(live(), "none");
}

TEST_F(LoadedFrame, LeavesForeignTablesAlone) {
  test::must("nft add table inet foreign");
  test::must("nft add table ip gwtest");
  const auto before = test::must("nft list table ip gwtest") + test::must("nft list table inet foreign");
  load();
  load();
  ASSERT_EQ(why(delete_frame("gwtest")), "");
  EXPECT_EQ(test::must("nft list table ip gwtest") + test::must("nft list table inet foreign"), before);
}

TEST_F(LoadedFrame, ThatIsForeignButHasOurNameCountsAsEdited) {
  test::must("nft add table inet gwtest");
  EXPECT_EQ(live(), kEditedFrame);
}

TEST_F(LoadedFrame, IsDeletedOnce) {
  load();
  ASSERT_EQ(why(delete_frame("gwtest")), "");
  EXPECT_EQ(live(), "none");
  const auto again = delete_frame("gwtest");
  EXPECT_EQ(again.error().code, ENOENT);
  EXPECT_EQ(again.error().object, "inet gwtest");
}

TEST_F(LoadedFrame, IsNotTouchedByAFrameThatIsRefused) {
  load();
  Frame bad = frame();
  bad.mark_allow = 0;
  EXPECT_EQ(load_frame(bad).error().code, EINVAL);
  EXPECT_EQ(live(), fingerprint(frame()));
}

TEST_F(LoadedFrame, IsNotTouchedWithoutTheRightToAndNftsOwnWordsAreKept) {
  load();
  const auto refused = as_nobody([] { return load_frame(frame()); });
  EXPECT_EQ(refused.code, EPERM);
  EXPECT_NE(refused.detail.find("Operation not permitted"), std::string::npos) << refused.detail;
  EXPECT_EQ(live(), fingerprint(frame()));
}

TEST_F(LoadedFrame, NeedsTheNftProgramAndSaysWhereItIs) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  const auto refused = load_frame(frame());
  const auto unread = live_frame("gwtest");
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(refused.error().code, ENOTSUP);
  EXPECT_NE(refused.error().detail.find("package nftables"), std::string::npos);
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code, ENOTSUP);
}

}  // namespace
}  // namespace gw::nl
