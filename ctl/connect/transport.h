// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace gw::connect {

/// Which way a tunnel's packets take to the gateway: UDP, or, where that is shut, a stream over TLS. Decides only;
/// pure. Times are seconds of a clock that does not go back.
class Transport {
 public:
  /// What WireGuard tells of the peer.
  struct Sign {
    int64_t handshake = 0;  ///< of the last one; 0: none
    uint64_t rx = 0, tx = 0;
    bool session = false;  ///< the last handshake is young enough for packets to pass
  };
  enum class Wish : uint8_t { nothing, dial, hang_up };

  /// To be asked every few seconds.
  Wish observe(const Sign& sign, double now);
  void dialling();
  /// Whether the stream is still wanted: UDP may have been quicker.
  [[nodiscard]] bool dialled(double now);
  void failed(double now);
  /// Another way to dial was given: what was waited for is over.
  void hurry();
  /// The stream is over. `udp_answers`: because UDP does again.
  void ended(bool udp_answers, double now);

  [[nodiscard]] bool through_tls() const { return state_ == State::tls; }
  /// Whether something is about to be decided, so that looks should be frequent.
  [[nodiscard]] bool is_unsettled() const { return state_ == State::dialling || doubtful_; }

 private:
  enum class State : uint8_t { udp, dialling, tls };
  [[nodiscard]] bool is_silent(const Sign& sign, double now) const;
  void start_over(double now);

  State state_ = State::udp;
  std::optional<Sign> last_;
  double alive_ = 0;          // when the gateway was heard last
  uint64_t sent_before_ = 0;  // tx then
  bool doubtful_ = true;
  bool broken_ = false;  // the stream did; another is wanted without waiting
  bool heard_ = false;   // while dialling
  double next_dial_ = 0;
  double delay_ = 0;
};

}  // namespace gw::connect
