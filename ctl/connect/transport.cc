// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/transport.h"

#include <algorithm>

namespace gw::connect {
namespace {

constexpr double kPatience = 15;     // WireGuard sends a handshake every five seconds
constexpr double kTlsPatience = 45;  // a stream that is open, and through which nothing comes
constexpr double kDoubt = 60;        // then a look every now and then will do
constexpr double kFirstDelay = 2;
constexpr double kLongestDelay = 300;
// What an idle tunnel sends, and is not answered: keepalives, 32 bytes every 25 s, and one initiation, 148.
constexpr uint64_t kKeepalive = 32;
constexpr double kKeepaliveEvery = 25;
constexpr uint64_t kInitiation = 148;

}  // namespace

// Data is answered within ten seconds, if only by a keepalive (whitepaper §6.5).
bool Transport::is_silent(const Sign& sign, double now) const {
  const auto keepalives = static_cast<uint64_t>((now - alive_) / kKeepaliveEvery) + 2;
  const bool asked = !sign.session || sign.tx - sent_before_ > keepalives * kKeepalive + kInitiation;
  return asked && now - alive_ >= (state_ == State::tls ? kTlsPatience : kPatience);
}

void Transport::start_over(double now) {
  last_.reset();
  alive_ = now;
  doubtful_ = true;
}

Transport::Wish Transport::observe(const Sign& sign, double now) {
  if (!last_) alive_ = now;
  const bool heard = last_ && (sign.rx != last_->rx || sign.handshake != last_->handshake);
  if (heard || !last_ || sign.tx < sent_before_) sent_before_ = sign.tx;
  if (heard) alive_ = now;
  last_ = sign;
  const bool unanswered = sign.tx - sent_before_ > 3 * kKeepalive;
  doubtful_ = (!sign.session || (unanswered && now - alive_ >= kPatience)) && now - alive_ < kDoubt;
  if (heard) {
    heard_ = true;
    broken_ = false;
    delay_ = 0;
  }
  switch (state_) {
    case State::udp:
      return (broken_ || is_silent(sign, now)) && now >= next_dial_ ? Wish::dial : Wish::nothing;
    case State::tls:
      return is_silent(sign, now) ? Wish::hang_up : Wish::nothing;
    case State::dialling:
      return Wish::nothing;
  }
  return Wish::nothing;
}

void Transport::dialling() {
  state_ = State::dialling;
  heard_ = false;
}

bool Transport::dialled(double now) {
  state_ = heard_ ? State::udp : State::tls;
  broken_ = false;
  if (!heard_) start_over(now);
  return !heard_;
}

void Transport::failed(double now) {
  state_ = State::udp;
  delay_ = delay_ == 0 ? kFirstDelay : std::min(2 * delay_, kLongestDelay);
  next_dial_ = now + delay_;
}

void Transport::hurry() {
  delay_ = 0;
  next_dial_ = 0;
}

void Transport::ended(bool udp_answers, double now) {
  start_over(now);
  if (!udp_answers) {
    broken_ = true;  // UDP had its time before
    return failed(now);
  }
  state_ = State::udp;
  delay_ = 0;
  next_dial_ = 0;
}

}  // namespace gw::connect
