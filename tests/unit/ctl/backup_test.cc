// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "gatewayd/backup/tar.h"
#include "gatewayd/base/file.h"
#include "gatewayd/pki/authority.h"
#include "gatewayd/pki/seal.h"
#include "tests/support/lab.h"
#include "tests/support/signer_server.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/ctl/gwctl_fixture.h"

namespace gw::ctl::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPassphrase = "four words are enough";

class BackupCommand : public Gwctl {
 protected:
  void SetUp() override {
    put("passphrase", std::string(kPassphrase) + "\n");
    gateway().answer("BeginBackup", {uint64_t{1} << 40U, uint64_t{4294967300}});
  }
  void put(const std::string& name, const std::string& text) const { std::ofstream(directory() / name) << text; }
  void put_sealed(const std::string& name) const {
    backup::Files files;
    files.emplace_back("backup.json", "{}");
    files.emplace_back("state/ca/root.crt", authority_.at("root.crt"));
    for (const auto& [file, text] : authority_) {
      if (file != "root.crt") files.emplace_back("state/ca/" + file, text);
    }
    put(name, *pki::seal(*backup::write_tar(files, 0), kPassphrase));
  }
  [[nodiscard]] gw::test::Output with_signer(const std::vector<std::string>& arguments) const {
    return gwctl(arguments, {"GATEWAYD_SIGNER=" + signer_.socket()});
  }

  gw::test::TempDir keys_;
  gw::test::SignerServer signer_{GW_BINARY_DIR, keys_ / "ca"};
  pki::NamedFiles authority_ = made(keys_ / "other");

 private:
  static pki::NamedFiles made(const std::string& directory) {
    (void)pki::Authority::open(directory, "contoso", std::time(nullptr));
    return *pki::export_authority(directory);
  }
};

TEST_F(BackupCommand, IsRefusedBeforeAnythingIsAskedWhenThePassphraseIsNone) {
  put("short", "hunter2\n");
  put("empty", "\n");
  for (const auto& [file, reason] : {std::pair{"short", "too short"}, std::pair{"empty", "is empty"}}) {
    const auto output = gwctl({"backup", "b", "--passphrase-file", file});
    EXPECT_EQ(output.status, 1);
    EXPECT_THAT(output.err, HasSubstr(reason));
  }
  put("b", "precious");
  const auto exists = gwctl({"backup", "b", "--passphrase-file", "passphrase"});
  EXPECT_EQ(exists.status, 2);
  EXPECT_EQ(content("b"), "precious");
  EXPECT_THAT(gateway().calls(), IsEmpty());
}

TEST_F(BackupCommand, NeedsATerminalOrAFile) {
  const auto output =
      gw::test::run({"setsid", "-w", "env", "-C", directory().string(), "DBUS_SYSTEM_BUS_ADDRESS=" + bus().address(),
                     GW_BINARY_DIR "/gwctl", "backup", "b"});
  EXPECT_EQ(output.status, 2);
  EXPECT_THAT(output.err, HasSubstr("--passphrase-file: is needed"));
}

TEST_F(BackupCommand, RestoreAsksNothingOfTheGatewayWithAWrongPassphraseOrADamagedFile) {
  put_sealed("good");
  put("wrong", "four words are not\n");
  put("noise", "no backup");
  EXPECT_THAT(gwctl({"restore", "good", "--passphrase-file", "wrong"}).err, HasSubstr("good: the passphrase is wrong"));
  EXPECT_THAT(gwctl({"restore", "noise", "--passphrase-file", "passphrase"}).err, HasSubstr("noise: it is cut short"));
  EXPECT_EQ(gwctl({"restore", "missing", "--passphrase-file", "passphrase"}).status, 2);
  EXPECT_THAT(gateway().calls(), IsEmpty());
}

TEST_F(BackupCommand, RestoreTellsTheAgeAndWhoIsDisabled) {
  put_sealed("good");
  gateway().answer("BeginRestore", {uint64_t{1} << 33U});
  gateway().answer("WriteRestore", json::array());
  gateway().answer("Restore", {json{{"created", std::time(nullptr) - 3 * 86400 - 60},
                                    {"gateway", "contoso"},
                                    {"clients", 2},
                                    {"disabled", {"alice", "bob"}},
                                    {"notes", {"a note"}}}});
  const auto output = with_signer({"restore", "good", "--passphrase-file", "passphrase"});
  EXPECT_EQ(output.status, 0) << output.err;
  const std::string& out = output.out;
  EXPECT_THAT(out, HasSubstr("Restored contoso with 2 clients, as it was 3 days ago ("));
  EXPECT_THAT(out, HasSubstr("Tokens that had not been used are void.\n"));
  EXPECT_THAT(out, HasSubstr("2 clients are disabled: a backup does not know who was revoked"));
  EXPECT_THAT(out, HasSubstr("  alice, bob\n"));
  EXPECT_THAT(out, HasSubstr("a note\n"));
  const json options = arguments_of("Restore").at(1);
  EXPECT_EQ(options, (json{{"replace", false}, {"enable_clients", false}}));
  std::string sent;
  const json bytes = arguments_of("WriteRestore").at(1);
  for (const uint8_t byte : bytes.get_binary()) sent += static_cast<char>(byte);
  const auto files = backup::read_tar(sent).value();
  for (const auto& file : files) EXPECT_FALSE(file.name.ends_with(".key")) << file.name;
  EXPECT_EQ(pki::export_authority(keys_ / "ca.restore").value(), authority_) << "for gatewayd to have put in place";
}

TEST_F(BackupCommand, TakesTheAuthorityBackWhenTheGatewayRefuses) {
  put_sealed("good");
  gateway().answer("BeginRestore", {uint64_t{1} << 33U});
  gateway().answer("WriteRestore", json::array());
  gateway().refuse("Restore", "org.gatewayd.Error.AlreadyExists", "it has clients");
  EXPECT_THAT(with_signer({"restore", "good", "--passphrase-file", "passphrase"}).err, HasSubstr("it has clients"));
  EXPECT_FALSE(std::filesystem::exists(keys_ / "ca.restore"));
}

TEST_F(BackupCommand, NeedsTheHolderOfTheKeys) {
  const auto output = gwctl({"backup", "b", "--passphrase-file", "passphrase", "--signer", "/nowhere/socket"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("/nowhere/socket"));
  EXPECT_FALSE(std::filesystem::exists(directory() / "b"));
}

/// In place of ssh: writes down what it was called with, and does what the machine over there would do.
void put_ssh(const std::filesystem::path& directory, const std::string& bus) {
  const std::string path = bus.substr(bus.find('/'), bus.find(',') - bus.find('/'));
  std::ofstream(directory / "ssh") << "#!/bin/sh\necho \"$@\" >>" << (directory / "called").string() << "\ncase $* in\n"
                                   << "*stdio-bridge) exec socat - UNIX-CONNECT:" << path << ";;\n"
                                   << "*' gone.example '*) exit 255;;\n*' old.example '*) exit 127;;\n"
                                   << "*) shift $(($# - 1)); eval exec '" GW_BINARY_DIR
                                      "'/\"${1#*/gatewayd/}\";;\nesac\n";
  ::chmod((directory / "ssh").c_str(), 0755);
}

TEST_F(BackupCommand, RestoresAnotherMachineThroughSsh) {
  put_sealed("good");
  put_ssh(directory(), bus().address());
  gateway().answer("BeginRestore", {uint64_t{1} << 33U});
  gateway().answer("WriteRestore", json::array());
  gateway().answer("Restore", {json{{"created", std::time(nullptr)}, {"gateway", "contoso"}, {"clients", 0}}});
  const auto output = gwctl({"-H", "root@[gw.example]:2222", "restore", "good", "--passphrase-file", "passphrase"},
                            {"GATEWAYD_SIGNER=" + signer_.socket(), "PATH=" + directory().string() + ":/usr/bin:/bin"});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(pki::export_authority(keys_ / "ca.restore").value(), authority_);
  EXPECT_THAT(content("called"),
              HasSubstr("-xT -p 2222 -- root@gw.example /usr/libexec/gatewayd/gatewayd-signer --ask '"));
}

TEST_F(BackupCommand, SaysWhyTheSignerOfAnotherMachineDoesNotAnswer) {
  put_ssh(directory(), bus().address());
  for (const auto& [host, reason] :
       {std::pair{"gone.example", "ssh ended with 255; try: ssh gone.example true"},
        std::pair{"old.example", "the gateway is of an older version"}, std::pair{"gw.example", "/no'where"}}) {
    const auto output = gwctl({"-H", host, "backup", "b", "--passphrase-file", "passphrase", "--signer", "/no'where"},
                              {"PATH=" + directory().string() + ":/usr/bin:/bin"});
    EXPECT_EQ(output.status, 1);
    EXPECT_THAT(output.err, HasSubstr(reason));
    EXPECT_FALSE(std::filesystem::exists(directory() / "b"));
  }
}

/// gwctl on a terminal of its own.
class Terminal {
 public:
  Terminal(const std::string& directory, const std::string& bus, const std::string& signer, const char* command) {
    pid_ = ::forkpty(&fd_, nullptr, nullptr, nullptr);
    if (pid_ != 0) return;
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.c_str(), 1);
    ::setenv("GATEWAYD_SIGNER", signer.c_str(), 1);
    if (::chdir(directory.c_str()) == 0) ::execl(GW_BINARY_DIR "/gwctl", "gwctl", command, "b", nullptr);
    ::_exit(127);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(fd_);
    ::waitpid(pid_, nullptr, 0);
  }
  /// Everything shown since the last call, up to and with `end`, or until it ends.
  std::string until(const std::string& end) {
    std::string seen;
    char c = 0;
    while (!seen.ends_with(end) && ::read(fd_, &c, 1) == 1) seen += c;
    return seen;
  }
  void type(const std::string& line) const {
    EXPECT_EQ(::write(fd_, (line + "\n").data(), line.size() + 1), static_cast<ssize_t>(line.size() + 1));
  }
  /// Whether what is typed now would be shown.
  [[nodiscard]] bool echoes() const {
    termios facts{};
    return ::tcgetattr(fd_, &facts) == 0 && (facts.c_lflag & ECHO) != 0;
  }
  void wait_unseen() const {
    ASSERT_TRUE(gw::test::Lab::eventually([&] { return !echoes(); }));
  }

 private:
  int fd_ = -1;
  pid_t pid_ = -1;
};

TEST_F(BackupCommand, AsksTwiceAtTheTerminalAndShowsNothing) {
  gateway().refuse("BeginBackup", "org.gatewayd.Error.Failed", "as far as the test goes");
  Terminal terminal(directory(), bus().address(), signer_.socket(), "backup");
  for (const char* second : {"another one than that", kPassphrase}) {
    EXPECT_THAT(terminal.until("backup: "), HasSubstr("Passphrase of the backup: "));
    terminal.wait_unseen();
    terminal.type(kPassphrase);
    EXPECT_THAT(terminal.until("Once more: "), testing::Not(HasSubstr("words")));
    terminal.wait_unseen();
    terminal.type(second);
  }
  const std::string rest = terminal.until("as far as the test goes");
  EXPECT_THAT(rest, HasSubstr("as far as the test goes"));
  EXPECT_THAT(rest, testing::Not(HasSubstr("words")));
}

}  // namespace
}  // namespace gw::ctl::test
