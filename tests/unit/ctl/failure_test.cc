// SPDX-License-Identifier: Apache-2.0
// Wrong command lines, and a gateway that is not there.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;

TEST_F(Gwctl, NamesTheArgumentThatIsWrongAndAsksNothing) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "subcommand"},
      {{"client"}, "subcommand"},
      {{"stauts"}, "'stauts' is no command of gwctl; did you mean 'status'?"},
      {{"client", "lst"}, "'lst' is no command of gwctl client; did you mean 'list'?"},
      {{"status", "--jsno"}, "--jsno"},
      {{"client", "add"}, "NAME"},
      {{"client", "add", "Alice Smith"}, "NAME: 'Alice Smith' is no host name"},
      {{"client", "add", "alice", "--days", "0"}, "--days"},
      {{"client", "add", "alice", "--days", "many"}, "--days"},
      {{"client", "add", "alice", "--tunnel", "half"}, "--tunnel: 'half' is neither split nor full"},
      {{"client", "add", "alice", "--group", "a", "b"}, "not expected: b"},
      {{"client", "set", "alice"}, "client set: nothing to change is given"},
      {{"client", "set", "alice", "--enable", "--disable"}, "--disable"},
      {{"client", "set", "alice", "--group", "a", "--add-group", "b"}, "--add-group"},
      {{"subnet", "add", "web", "--interface", "eth1"}, "--prefix is required"},
      {{"subnet", "add", "web", "--prefix", "10.1.1.0/24"}, "--interface is required"},
      {{"subnet", "add", "web", "--prefix", "10.1.1.7/24", "--interface", "eth1"},
       "--prefix: '10.1.1.7/24' is no address block"},
      {{"subnet", "add", "web", "--prefix", "10.1.1.0/24", "--interface", "eth1", "--vlan", "4095"}, "--vlan"},
      {{"subnet", "add", "web", "--prefix", "10.1.1.0/24", "--interface", "eth1", "--via", "10.1.1.0/24"}, "--via"},
      {{"rule", "add", "r", "--action", "permit", "--from", "vpn", "--to", "any"}, "--action"},
      {{"rule", "add", "r", "--action", "allow", "--from", "vpn"}, "--to is required"},
      {{"rule", "add", "r", "--action", "deny", "--from", "a", "--to", "b", "--before", "x", "--after", "y"},
       "--after"},
      {{"apply", "--confirm", "0"}, "--confirm"},
      {{"apply", "--confirm", "soon"}, "--confirm"},
      {{"explain", "alice", "10.1.1.7"}, "SERVICE"},
      {{"cert", "crl", "--der"}, "--der"},
      {{"cert", "show"}, "SERIAL"},
  };
  for (const auto& [arguments, expected] : cases) {
    const auto output = gwctl(arguments);
    EXPECT_EQ(output.status, 2) << expected << ": " << output.err;
    EXPECT_THAT(output.err, HasSubstr(expected));
    EXPECT_EQ(output.out, "");
  }
  EXPECT_TRUE(gateway().calls().empty());
}

TEST_F(Gwctl, HelpIsNoMistake) {
  const auto output = gwctl({"client", "add", "--help"});
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.out, HasSubstr("--cert-out"));
}

TEST_F(Gwctl, SaysWhereToLookWhenGatewaydDoesNotRun) {
  gateway_goes();
  const auto output = gwctl({"status"});
  EXPECT_EQ(output.status, 3);
  EXPECT_THAT(output.err, HasSubstr("gatewayd is not reachable"));
  EXPECT_THAT(output.err, HasSubstr("is it running? systemctl status gatewayd\n"));
}

TEST_F(Gwctl, SaysSoWhenThereIsNoBus) {
  const auto output = gwctl({"status"}, {"DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nonexistent/bus"});
  EXPECT_EQ(output.status, 3);
  EXPECT_THAT(output.err, HasSubstr("cannot connect to the system bus: No such file or directory"));
}

TEST_F(Gwctl, RefusalsAreTheGatewaysOwnWords) {
  gateway().refuse("GetClient", "org.gatewayd.Error.NotFound",
                   "show client alcie: no such client; did you mean 'alice'?");
  const auto output = gwctl({"client", "show", "alcie"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.err, "gwctl: show client alcie: no such client; did you mean 'alice'?\n");
}

TEST_F(Gwctl, ARefusalByTheBusSaysWhoMay) {
  gateway().refuse("GetStatus", "org.freedesktop.DBus.Error.AccessDenied", "Rejected send message");
  const auto output = gwctl({"status"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("be root or in group gatewayd-admin"));
}

TEST_F(Gwctl, AsksAnotherMachineThroughSsh) {
  gateway().answer("GetStatus", {recorded("status")});
  // In place of ssh: says what it was called with, then does what systemd-stdio-bridge would do over there.
  const auto ssh = directory() / "ssh";
  const std::string path =
      bus().address().substr(bus().address().find('/'), bus().address().find(',') - bus().address().find('/'));
  std::ofstream(ssh) << "#!/bin/sh\necho \"$@\" >" << (directory() / "called").string()
                     << "\nexec socat - UNIX-CONNECT:" << path << "\n";
  ::chmod(ssh.c_str(), 0755);
  const auto output = gwctl({"-H", "admin@gw.example", "status"}, {"PATH=" + directory().string() + ":/usr/bin:/bin"});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("contoso"));
  EXPECT_THAT(content("called"), HasSubstr("admin@gw.example systemd-stdio-bridge"));
}

TEST_F(Gwctl, AMachineThatSshDoesNotReachIsUnreachable) {
  const auto ssh = directory() / "ssh";
  std::ofstream(ssh) << "#!/bin/sh\nexit 255\n";
  ::chmod(ssh.c_str(), 0755);
  const auto output = gwctl({"-H", "gw.example", "status"}, {"PATH=" + directory().string() + ":/usr/bin:/bin"});
  EXPECT_EQ(output.status, 3);
  EXPECT_THAT(output.err, HasSubstr("gatewayd on gw.example is not reachable"));
}

TEST_F(Gwctl, AFullDiskUnderTheStandardOutputIsAFailure) {
  gateway().answer("GetStatus", {recorded("status")});
  const auto output = gw::test::run(
      {"sh", "-c", "DBUS_SYSTEM_BUS_ADDRESS=" + bus().address() + " " GW_BINARY_DIR "/gwctl status >/dev/full"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("No space left on device"));
}

}  // namespace
}  // namespace gw::ctl::test
