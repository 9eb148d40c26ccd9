// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "gatewayd/base/fd.h"

namespace gw::ctl::test {

/// Answers on a bus under gatewayd's name with what a test recorded. It holds both sides to the contract: a call that
/// is not in org.gatewayd.Manager1.xml, or with other types than stand there, is refused, and answers are sent with its
/// types. Serves on a thread of its own; every method may be called from any thread.
class FakeGatewayd {
 public:
  explicit FakeGatewayd(const std::string& bus_address);
  FakeGatewayd(const FakeGatewayd&) = delete;
  FakeGatewayd& operator=(const FakeGatewayd&) = delete;
  ~FakeGatewayd();

  struct Call {
    std::string method;
    nlohmann::json arguments;
  };

  /// `values`: one for each out argument. Integers at or above 2^32 become t, smaller ones u, negative ones x (wire.h).
  void answer(const std::string& method, nlohmann::json values);
  /// One answer for each call, the last one for all that follow.
  void answer_in_turn(const std::string& method, std::vector<nlohmann::json> values);
  /// For a method whose answer is a file descriptor.
  void answer_fd(const std::string& method, UniqueFd fd);
  void refuse(const std::string& method, const std::string& error, const std::string& message);
  /// Goes away without an answer when `method` is called, as a crash does.
  void crash_on(const std::string& method);
  std::vector<Call> calls();

 private:
  struct Answer {
    nlohmann::json values;
    std::string error, message;
    bool crash = false;
    UniqueFd fd = UniqueFd();
    std::vector<nlohmann::json> then = {};  // after `values`
  };
  struct Signature {
    std::string in, out;
  };

  static int on_message(sd_bus_message* message, void* self, sd_bus_error* error);
  int reply(sd_bus_message* message, sd_bus_error* error);
  void serve();

  std::mutex mutex_;
  std::map<std::string, Signature> contract_;
  std::map<std::string, Answer> answers_;
  std::vector<Call> calls_;
  UniqueFd stop_;
  sd_bus* bus_ = nullptr;
  std::thread thread_;
};

}  // namespace gw::ctl::test
