// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/trials.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

namespace gw::connect {
namespace {

using boost::asio::ip::udp;
using Clock = std::chrono::steady_clock;

// WireGuard's messages (whitepaper §5.4): type, three zero bytes, sender or receiver.
constexpr size_t kInitiation = 148, kResponse = 92, kCookie = 64;

bool is(relay::Bytes message, uint8_t type, size_t size) {
  return message.size() == size && message[0] == type && message[1] == 0 && message[2] == 0 && message[3] == 0;
}

}  // namespace

Trials::Trials(boost::asio::io_context& context, UdpTrial rules, std::function<void(relay::Bytes)> answered)
    : rules_(std::move(rules)),
      tell_(std::move(answered)),
      socket_(context),
      delay_(rules_.first),
      due_(Clock::now() + delay_) {}

bool Trials::take(relay::Bytes message) {
  if (!rules_.dial || !is(message, 1, kInitiation) || Clock::now() < due_) return false;
  due_ = Clock::now() + delay_;
  delay_ = std::min(2 * delay_, rules_.longest);
  UniqueFd fd = rules_.dial();
  if (!fd.valid()) return false;
  boost::system::error_code failed;
  socket_.close(failed);
  socket_.assign(udp::v4(), fd.get(), failed);  // of either family: it is only waited for
  if (failed) return false;
  std::ignore = fd.release();
  std::copy_n(message.begin() + 4, sender_.size(), sender_.begin());
  if (::send(socket_.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return false;
  listen();
  return true;
}

void Trials::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

bool Trials::is_answer(relay::Bytes message) const {
  const size_t at = is(message, 2, kResponse) ? 8 : is(message, 3, kCookie) ? 4 : 0;
  return at != 0 && std::ranges::equal(message.subspan(at, sender_.size()), sender_);
}

void Trials::listen() {
  socket_.async_wait(udp::socket::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    std::array<uint8_t, 2048> buffer{};
    const ssize_t size = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    const auto message = relay::Bytes(buffer).first(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    if (size >= 4 && is_answer(message)) {
      is_answered_ = true;
      return tell_(message);
    }
    if (size >= 0 || errno == EAGAIN) listen();  // else, by ICMP: nobody is there
  });
}

}  // namespace gw::connect
