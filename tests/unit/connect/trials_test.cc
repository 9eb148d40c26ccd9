// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/trials.h"

#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace gw::connect {
namespace {

using boost::asio::ip::udp;
using Message = std::vector<uint8_t>;

/// A message of WireGuard: its type, and what is at the place of the sender, and of the receiver.
Message message(uint8_t type, size_t size, uint8_t sender, uint8_t receiver) {
  Message out(size, 0);
  out[0] = type;
  std::fill_n(out.begin() + 4, 4, sender);
  std::fill_n(out.begin() + 8, 4, receiver);
  return out;
}
Message initiation(uint8_t sender) { return message(1, 148, sender, 0xee); }
Message response(uint8_t receiver) { return message(2, 92, 0xdd, receiver); }

/// Trials whose time has always come, and a gateway that hears them.
class ConnectTrials : public testing::Test {
 protected:
  UniqueFd dial() {
    udp::socket socket(context_, {boost::asio::ip::address_v4::loopback(), 0});
    socket.connect(gateway_.local_endpoint());
    dialled_ = socket.local_endpoint();
    dialled_fd_.reset(::dup(socket.native_handle()));
    return UniqueFd(socket.release());
  }
  Trials trials(std::chrono::seconds first = std::chrono::seconds(0)) {
    return {context_,
            {.dial = [this] { return dial(); }, .first = first, .longest = first},
            [this](relay::Bytes answer) { answers_.emplace_back(answer.begin(), answer.end()); }};
  }
  Message heard() {
    Message out(2048);
    out.resize(gateway_.receive(boost::asio::buffer(out)));
    return out;
  }
  void say(const Message& what) {
    gateway_.send_to(boost::asio::buffer(what), dialled_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    context_.restart();
    for (int unread = 1; unread != 0 && std::chrono::steady_clock::now() < end;) {
      context_.run_one_for(std::chrono::seconds(1));
      ASSERT_EQ(::ioctl(dialled_fd_.get(), FIONREAD, &unread), 0);
    }
  }

  boost::asio::io_context context_{1};
  udp::socket gateway_{context_, {boost::asio::ip::address_v4::loopback(), 0}};
  udp::endpoint dialled_;
  UniqueFd dialled_fd_;
  std::vector<Message> answers_;
};

TEST_F(ConnectTrials, TakeAnInitiationAndBelieveNoneButTheAnswerToIt) {
  Trials tried = trials();
  ASSERT_TRUE(tried.take(initiation(7)));
  EXPECT_EQ(heard(), initiation(7));
  for (const Message& other : {response(8), initiation(7), message(4, 92, 7, 7), Message{2}, message(3, 64, 8, 7)}) {
    say(other);
    EXPECT_FALSE(tried.answered());
  }
  say(response(7));
  EXPECT_TRUE(tried.answered());
  EXPECT_EQ(answers_, std::vector<Message>(1, response(7)));
}

TEST_F(ConnectTrials, TakeACookieForAnAnswerToo) {
  Trials tried = trials();
  ASSERT_TRUE(tried.take(initiation(7)));
  say(message(3, 64, 7, 0));
  EXPECT_TRUE(tried.answered());
}

TEST_F(ConnectTrials, LeaveWhatIsNoInitiationAndWhatComesTooEarlyToTheStream) {
  Trials tried = trials();
  for (const Message& other : {response(7), message(4, 148, 7, 7), message(1, 149, 7, 0), Message{}})
    EXPECT_FALSE(tried.take(other));
  Trials early = trials(std::chrono::hours(1));
  EXPECT_FALSE(early.take(initiation(7)));
  Trials without(context_, {}, {});
  EXPECT_FALSE(without.take(initiation(7)));
  EXPECT_EQ(gateway_.available(), 0U);
}

TEST_F(ConnectTrials, BelieveTheLastOneOnly) {
  Trials tried = trials();
  ASSERT_TRUE(tried.take(initiation(7)));
  ASSERT_TRUE(tried.take(initiation(9)));
  context_.poll();
  say(response(7));
  EXPECT_FALSE(tried.answered());
  say(response(9));
  EXPECT_TRUE(tried.answered());
}

}  // namespace
}  // namespace gw::connect
