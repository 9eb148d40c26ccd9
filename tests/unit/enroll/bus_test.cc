// SPDX-License-Identifier: Apache-2.0
// The way to gatewayd: what becomes of those who wait when it breaks, and how many may wait.
#include "gatewayd/enroll/bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <vector>

#include "gatewayd/enroll/service.h"
#include "gatewayd/wire/handles.h"
#include "tests/support/bus_daemon.h"

namespace gw::enroll {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

/// Has gatewayd's name, and answers when it is told to.
class Server {
 public:
  explicit Server(const std::string& address) {
    sd_bus* raw = nullptr;
    if (sd_bus_new(&raw) < 0) throw std::runtime_error("sd_bus_new");
    bus_.reset(raw);
    if (sd_bus_set_address(raw, address.c_str()) < 0 || sd_bus_set_bus_client(raw, 1) < 0 || sd_bus_start(raw) < 0 ||
        sd_bus_request_name(raw, "org.gatewayd", 0) < 0 ||
        sd_bus_add_object(raw, nullptr, "/org/gatewayd", &Server::take, this) < 0)
      throw std::runtime_error("the bus does not take a server");
  }
  void work() {
    while (sd_bus_process(bus_.get(), nullptr) > 0) {
    }
  }
  [[nodiscard]] size_t waiting() const { return questions_.size(); }
  void answer_all() {
    for (const auto& question : questions_) sd_bus_reply_method_return(question.get(), "s", "yes");
    questions_.clear();
  }

 private:
  struct Close {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
  };
  static int take(sd_bus_message* question, void* self, sd_bus_error* /*error*/) {
    static_cast<Server*>(self)->questions_.emplace_back(sd_bus_message_ref(question));
    return 1;
  }
  std::unique_ptr<sd_bus, Close> bus_;
  std::vector<wire::Message> questions_;
};

class BusTest : public testing::Test {
 protected:
  BusTest() { begin(); }
  /// A bus, and gatewayd on it.
  void begin() {
    daemon_.emplace();
    ::setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon_->address().c_str(), 1);
    server_.emplace(daemon_->address());
  }
  void ask(size_t times = 1) {
    for (size_t i = 0; i < times; ++i) asio::co_spawn(context_, keep_answer(), asio::detached);
  }
  /// Works until `done`, for two seconds at most: a question's own limit is twenty.
  bool until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + 2s;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      context_.restart();
      context_.run_for(5ms);
      server_->work();
    }
    return true;
  }
  bool until_waiting(size_t count) {
    return until([&] { return server_->waiting() == count; });
  }
  bool until_answered(size_t count) {
    return until([&] { return answers_.size() == count; });
  }
  void expect_all_are_told() {
    for (const auto& answer : answers_) {
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().code, EAGAIN) << answer.error().message();
    }
  }

  std::optional<test::BusDaemon> daemon_;
  std::optional<Server> server_;
  asio::io_context context_;
  Bus bus_{context_};
  std::vector<Result<Json>> answers_;

 private:
  asio::awaitable<void> keep_answer() { answers_.push_back(co_await bus_.call("GetFacts", "", Json::array())); }
};

TEST_F(BusTest, BringsAnswersBack) {
  ask(3);
  ASSERT_TRUE(until_waiting(3));
  server_->answer_all();
  ASSERT_TRUE(until_answered(3));
  for (const auto& answer : answers_) EXPECT_EQ(answer.value_or(Json()), "yes");
}

TEST_F(BusTest, TellsAllWhoWaitAtOnceWhenTheBusEnds) {
  ask(3);
  ASSERT_TRUE(until_waiting(3));
  daemon_->stop();
  ASSERT_TRUE(until_answered(3));
  expect_all_are_told();
}

TEST_F(BusTest, TellsAllWhoWaitWhenAnotherQuestionFindsTheBusGone) {
  ask(3);
  ASSERT_TRUE(until_waiting(3));
  daemon_->stop();
  ask();
  ASSERT_TRUE(until_answered(4));
  expect_all_are_told();
}

TEST_F(BusTest, TellsWhoWaitsWhenGatewaydEnds) {
  ask(3);
  ASSERT_TRUE(until_waiting(3));
  bool told = false;
  bus_.on_restart([&] { told = true; });
  server_.emplace(daemon_->address());
  ASSERT_TRUE(until_answered(3));
  expect_all_are_told();
  EXPECT_TRUE(told);
  bus_.on_restart(nullptr);
}

TEST_F(BusTest, ComesBackWithTheBus) {
  for (size_t round = 1; round <= 3; ++round) {
    answers_.clear();
    ask(2);
    ASSERT_TRUE(until_waiting(2)) << round;
    daemon_->stop();
    ask(round % 2);
    ASSERT_TRUE(until_answered(2 + round % 2));
    expect_all_are_told();
    begin();
    answers_.clear();
    ask();
    ASSERT_TRUE(until_waiting(1)) << round;
    server_->answer_all();
    ASSERT_TRUE(until_answered(1)) << round;
    EXPECT_EQ(answers_.front().value_or(Json()), "yes");
  }
}

TEST_F(BusTest, LetsSixtyFourWaitAndTellsOthersAtOnce) {
  ask(64);
  ASSERT_TRUE(until_waiting(64));
  ask(2);
  ASSERT_TRUE(until_answered(2));
  expect_all_are_told();
  EXPECT_THAT(answers_.front().error().detail, HasSubstr("too many questions wait"));
  answers_.clear();
  server_->answer_all();
  ASSERT_TRUE(until_answered(64));
  ask();
  ASSERT_TRUE(until_waiting(1)) << "there is room again";
}

TEST_F(BusTest, LeavesRoomForOthersWhenThoseWhoWaitedAreTold) {
  for (int round = 0; round < 3; ++round) {
    answers_.clear();
    ask(64);
    ASSERT_TRUE(until_waiting(64)) << round;
    daemon_->stop();
    ask();
    ASSERT_TRUE(until_answered(65)) << round;
    begin();
  }
}

TEST_F(BusTest, WhoIsAtTheDoorIsToldToComeAgain) {
  Service service(bus_);
  std::optional<HttpAnswer> answer;
  const auto get = [&]() -> asio::awaitable<void> {
    HttpRequest request;
    request.method = "GET";
    request.path = "/.well-known/est/cacerts";
    answer = co_await service.answer(std::move(request));
  };
  asio::co_spawn(context_, get, asio::detached);
  ASSERT_TRUE(until_waiting(1));
  daemon_->stop();
  ASSERT_TRUE(until([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->status, 503U);
  EXPECT_THAT(answer->headers, testing::Contains(testing::Pair("Retry-After", "2")));
}

}  // namespace
}  // namespace gw::enroll
