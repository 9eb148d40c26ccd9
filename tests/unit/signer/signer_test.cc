// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <stdexcept>

#include "gatewayd/base/fd.h"
#include "gatewayd/base/file.h"
#include "gatewayd/signer/client.h"
#include "gatewayd/signer/desk.h"
#include "tests/support/must.h"
#include "tests/support/signer_server.h"
#include "tests/support/temp_dir.h"

/// The process with the keys: what it signs, for whom, and what it never does.
namespace gw::signer {
namespace {

using test::must;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr UnixSeconds kNow = 1'800'000'000;
constexpr UnixSeconds kDay = 86400;
constexpr uid_t kGatewayd = 950;
constexpr const char* kUuid = "5cda404d-68ad-4d7f-88a3-e2642a04d2fa";

class DeskTest : public testing::Test {
 protected:
  void SetUp() override { must(remote_.init("contoso", kNow)); }
  [[nodiscard]] pki::Request request() const {
    const auto key = must(pki::PrivateKey::generate());
    const auto wireguard = must(pki::generate_wireguard_keys());
    return must(pki::parse_request(must(pki::make_request(key, "alice", wireguard.public_key))));
  }
  [[nodiscard]] Json ask(const Json& question, uid_t caller = kGatewayd) { return desk_.answer(question, caller); }
  [[nodiscard]] std::string refusal(const Json& question) {
    const Json answer = ask(question);
    return answer.contains("error") ? answer["error"]["detail"].get<std::string>() : "accepted";
  }
  [[nodiscard]] Json issue(UnixSeconds days) const {
    const auto wanted = request();
    return {{"op", "issue"},
            {"public_key", wanted.public_key_pem},
            {"wireguard", wanted.wireguard.str()},
            {"name", "alice"},
            {"uuid", kUuid},
            {"now", kNow},
            {"end", kNow + days * kDay}};
  }

  test::TempDir directory_;
  test::SignerServer server_{GW_BINARY_DIR, directory_ / "ca"};
  Remote remote_{server_.socket()};
  Desk desk_{directory_ / "ca"};
};

TEST_F(DeskTest, SignsOverItsSocketWhatItsDirectoryWouldSign) {
  const auto view = must(remote_.view());
  EXPECT_EQ(view.root().sha256, must(pki::Authority::load(directory_ / "ca")).root().sha256);
  const auto certificate = must(remote_.issue(request(), "alice", kUuid, kNow, kNow + kDay));
  EXPECT_TRUE(view.verify(certificate.pem, kNow));
  const auto key = must(pki::PrivateKey::generate());
  const auto server = must(remote_.issue_server(must(pki::parse_server_request(must(pki::make_server_request(key)))),
                                                {"vpn.contoso.example"}, kNow, kNow + kDay));
  EXPECT_EQ(server.name, "vpn.contoso.example");
  EXPECT_THAT(must(remote_.make_crl({{certificate.serial, kNow, "superseded"}}, 1, kNow, kNow + kDay, "")).size(),
              testing::Gt(100U));
  const auto rotated = must(remote_.rotate("contoso", pki::Rotation::root, kNow));
  EXPECT_NE(rotated.root().sha256, view.root().sha256);
  EXPECT_TRUE(rotated.verify(certificate.pem, kNow));
  EXPECT_THAT(must(remote_.request("contoso")), HasSubstr("BEGIN CERTIFICATE REQUEST"));
  EXPECT_THAT(remote_.import("x", false, kNow).error().detail, HasSubstr("no certificate in PEM"));
}

TEST_F(DeskTest, GivesTheKeysToRootAlone) {
  EXPECT_THAT(refusal({{"op", "export"}}), HasSubstr("to root alone"));
  EXPECT_THAT(refusal({{"op", "stage"}, {"files", Json::object()}}), HasSubstr("to root alone"));
  const auto files = must(remote_.export_files());
  EXPECT_EQ(files.size(), 4U);
  EXPECT_EQ(files.at("issuing.key"), must(read_file(directory_ / "ca/issuing.key")));
  // Nothing that gatewayd may ask for holds a key.
  for (const char* op : {"view", "issue", "issue_server", "crl", "init", "rotate", "request", "import", "adopt"}) {
    Json question = issue(1);
    question.update({{"op", op},
                     {"names", {"a.example"}},
                     {"revoked", Json::array()},
                     {"number", 1},
                     {"issuer", ""},
                     {"root", true},
                     {"pems", ""},
                     {"cut_off", true}});
    EXPECT_EQ(ask(question).dump().find("PRIVATE KEY"), std::string::npos) << op;
  }
}

TEST_F(DeskTest, HoldsToTheProfile) {
  EXPECT_EQ(refusal(issue(3650)), "accepted");
  EXPECT_THAT(refusal(issue(3651)), HasSubstr("more than 3650 days"));
  Json other = issue(1);
  other["name"] = "alice,DNS:vpn.contoso.example";
  EXPECT_THAT(refusal(other), HasSubstr("no host name"));
  other = issue(1);
  other["uuid"] = "x,IP:1.2.3.4";
  EXPECT_THAT(refusal(other), HasSubstr("no UUID"));
  other = issue(1);
  other["public_key"] = must(read_file(directory_ / "ca/issuing.crt"));
  EXPECT_THAT(refusal(other), HasSubstr("not PEM"));
  other = issue(400);
  other.update({{"op", "issue_server"}, {"names", {"vpn.contoso.example"}}});
  EXPECT_THAT(refusal(other), HasSubstr("more than 398 days"));
}

TEST_F(DeskTest, AnswersNonsenseWithAnError) {
  for (const char* text : {"{}", "[]", "null", "7", "\"view\"", R"({"op": 7})", R"({"op": "keys"})",
                           R"({"op": "issue"})", R"({"op": "crl", "now": "x"})"}) {
    EXPECT_TRUE(ask(Json::parse(text), 0).contains("error")) << text;
  }
}

TEST_F(DeskTest, TakesNoNumberThatIsNone) {
  for (const Json& odd : {Json(INT64_MIN), Json(-1), Json(UINT64_MAX), Json(1e300), Json(1.5), Json("1"), Json(nullptr),
                          Json(253'402'300'800)}) {
    for (const char* member : {"now", "end"}) {
      Json question = issue(1);
      question[member] = odd;
      EXPECT_NE(refusal(question), "accepted") << question.dump();
      question.update({{"op", "rotate"}, {"root", true}});
      EXPECT_EQ(refusal(question) == "accepted", std::string(member) == "end") << question.dump();
    }
    Json list = {{"op", "crl"},        {"revoked", Json::array({Json::array({"0a", odd, "superseded"})})},
                 {"number", 1},        {"now", kNow},
                 {"end", kNow + kDay}, {"issuer", ""}};
    EXPECT_NE(refusal(list), "accepted") << list.dump();
    if (odd == Json(253'402'300'800)) continue;
    list.update({{"revoked", Json::array()}, {"number", odd}});
    EXPECT_NE(refusal(list), "accepted") << list.dump();
  }
}

TEST_F(DeskTest, AdoptsWhatRootHasHandedInAndNothingElse) {
  const std::string present = must(remote_.view()).root().sha256;
  must(remote_.adopt());
  EXPECT_EQ(must(remote_.view()).root().sha256, present);
  const std::string other = must(pki::Authority::open(directory_ / "other", "contoso", kNow)).root().sha256;
  auto files = must(pki::export_authority(directory_ / "other"));
  const std::string key = files.at("issuing.key");
  files["issuing.key"] = "nonsense";
  EXPECT_THAT(remote_.stage(files).error().detail, HasSubstr("issuing.key is damaged"));
  files["issuing.key"] = key;
  must(remote_.stage(files));
  EXPECT_EQ(must(remote_.view()).root().sha256, present);
  must(remote_.adopt());
  EXPECT_EQ(must(remote_.view()).root().sha256, other);
  EXPECT_EQ(must(pki::Authority::load(directory_ / "ca.before-restore")).root().sha256, present);
  must(remote_.adopt());
  EXPECT_EQ(must(remote_.view()).root().sha256, other);
  must(remote_.stage(files));
  must(remote_.stage({}));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "ca.restore"));
}

// --- whoever does not go on ---

/// Connected, and has said `said`.
UniqueFd connected(const std::string& path, const std::string& said) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out.valid()) throw std::runtime_error("there is no socket");
  EXPECT_EQ(::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::send(out.get(), said.data(), said.size(), MSG_NOSIGNAL), static_cast<ssize_t>(said.size()));
  return out;
}

double seconds_of(const std::function<void()>& what) {
  const auto before = std::chrono::steady_clock::now();
  what();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

/// Whether the other side hangs up within `limit`.
bool is_hung_up(const UniqueFd& fd, int limit_ms) {
  pollfd one{.fd = fd.get(), .events = POLLIN, .revents = 0};
  char byte = 0;
  return ::poll(&one, 1, limit_ms) == 1 && ::read(fd.get(), &byte, 1) <= 0;
}

TEST_F(DeskTest, ServesOthersBesideOneThatSaysNothingMore) {
  const std::string half("\0\0\0\x10{", 5);
  const auto silent = connected(server_.socket(), "");
  const auto begun = connected(server_.socket(), half);
  const auto vast = connected(server_.socket(), "\x03\xff\xff\xff{");  // 64 MiB are announced
  EXPECT_LT(seconds_of([&] { must(remote_.view()); }), 2.0);
  EXPECT_FALSE(is_hung_up(begun, 0)) << "it has time yet";
  for (const UniqueFd* one : {&silent, &begun, &vast}) EXPECT_TRUE(is_hung_up(*one, 6000));
}

TEST_F(DeskTest, ServesWhoWaitsOnceAllPlacesWereTakenByTheSilent) {
  std::vector<UniqueFd> silent;
  silent.reserve(4);
  for (int i = 0; i < 4; ++i) silent.push_back(connected(server_.socket(), ""));
  must(remote_.view());  // it waits five seconds, and the places are free after three
  for (const UniqueFd& one : silent) EXPECT_TRUE(is_hung_up(one, 1000));
}

TEST_F(DeskTest, GivesTimeForAQuestionAndNotForEachByteOfIt) {
  const auto slow = connected(server_.socket(), std::string("\0\0\x10\0", 4));
  const double lasted = seconds_of([&] {
    for (int i = 0; i < 100 && !is_hung_up(slow, 100); ++i) {
      if (::send(slow.get(), " ", 1, MSG_NOSIGNAL) != 1) break;
    }
  });
  EXPECT_GT(lasted, 2.0);
  EXPECT_LT(lasted, 8.0);
}

TEST_F(DeskTest, WaitsForNobodyToTakeHisAnswer) {
  Json revoked = Json::array();
  const std::string serial = must(remote_.issue(request(), "alice", kUuid, kNow, kNow + kDay)).serial;
  for (int i = 0; i < 20000; ++i) revoked.push_back({serial, kNow, "superseded"});
  const Json question = {{"op", "crl"}, {"revoked", revoked}, {"number", 1},
                         {"now", kNow}, {"end", kNow + kDay}, {"issuer", ""}};
  std::vector<UniqueFd> deaf;
  deaf.reserve(3);
  for (int i = 0; i < 3; ++i) {
    deaf.push_back(connected(server_.socket(), ""));
    must(send_message(deaf.back().get(), question));
  }
  EXPECT_LT(seconds_of([&] { must(remote_.view()); }), 3.0);
  const auto answer = must(receive_message(deaf.front().get(), std::chrono::steady_clock::now() + 1s));
  EXPECT_TRUE(answer.contains("ok"));
}

}  // namespace
}  // namespace gw::signer
