// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/ctl/fake_gatewayd.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <regex>
#include <stdexcept>

#include "gatewayd/base/file.h"
#include "gatewayd/dbus/names.h"
#include "gatewayd/wire/json.h"

namespace gw::ctl::test {
namespace {

std::string attribute(const std::string& tag, const std::string& name) {
  std::smatch match;
  return std::regex_search(tag, match, std::regex(name + "=\"([^\"]*)\"")) ? match[1].str() : "";
}

void must(int r, const char* what) {
  if (r < 0) throw std::runtime_error(std::string(what) + " failed");
}

}  // namespace

FakeGatewayd::FakeGatewayd(const std::string& bus_address) : stop_(eventfd(0, EFD_CLOEXEC)) {
  const auto xml = read_file(GW_SOURCE_DIR "/gatewayd/dbus/interfaces/org.gatewayd.Manager1.xml");
  if (!xml) throw std::runtime_error(xml.error().message());
  const std::regex tag("<(method|arg) [^>]*>");
  std::string method;
  for (std::sregex_iterator at(xml->begin(), xml->end(), tag), end; at != end; ++at) {
    const std::string text = at->str();
    if ((*at)[1] == "method") {
      method = attribute(text, "name");
      contract_[method];
    } else if (attribute(text, "direction") == "in") {
      contract_[method].in += attribute(text, "type");
    } else {
      contract_[method].out += attribute(text, "type");
    }
  }
  must(sd_bus_new(&bus_), "sd_bus_new");
  must(sd_bus_set_address(bus_, bus_address.c_str()), "sd_bus_set_address");
  must(sd_bus_set_bus_client(bus_, 1), "sd_bus_set_bus_client");
  must(sd_bus_start(bus_), "sd_bus_start");
  must(sd_bus_request_name(bus_, dbus::kBusName, 0), "sd_bus_request_name");
  must(sd_bus_add_object(bus_, nullptr, dbus::kManagerPath, &FakeGatewayd::on_message, this), "sd_bus_add_object");
  thread_ = std::thread([this] { serve(); });
}

FakeGatewayd::~FakeGatewayd() {
  const uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof one) != sizeof one) std::terminate();
  thread_.join();
  sd_bus_flush_close_unref(bus_);
}

void FakeGatewayd::serve() {
  for (;;) {
    int r = 0;
    do r = sd_bus_process(bus_, nullptr);
    while (r > 0);
    if (r < 0) return;  // closed by crash_on
    std::array<pollfd, 2> fds{pollfd{sd_bus_get_fd(bus_), static_cast<short>(sd_bus_get_events(bus_)), 0},
                              pollfd{stop_.get(), POLLIN, 0}};
    if (poll(fds.data(), fds.size(), -1) < 0 || fds[1].revents != 0) return;
  }
}

int FakeGatewayd::on_message(sd_bus_message* message, void* self, sd_bus_error* error) {
  return static_cast<FakeGatewayd*>(self)->reply(message, error);
}

int FakeGatewayd::reply(sd_bus_message* message, sd_bus_error* error) {
  const std::scoped_lock lock(mutex_);
  const char* method = sd_bus_message_get_member(message);
  const auto known = contract_.find(method);
  if (known == contract_.end() || !sd_bus_message_has_signature(message, known->second.in.c_str()) ||
      sd_bus_message_is_method_call(message, dbus::kManagerInterface, method) <= 0) {
    return sd_bus_error_setf(error, "org.gatewayd.Error.Failed", "%s is not called as the contract says", method);
  }
  Call call{method, {}};
  if (const int r = wire::decode(message, call.arguments); r < 0) return r;
  calls_.push_back(call);
  Answer& answer = answers_[method];
  if (answer.crash) {
    sd_bus_close(bus_);
    return 1;
  }
  if (!answer.error.empty()) return sd_bus_error_set(error, answer.error.c_str(), answer.message.c_str());
  sd_bus_message* out = nullptr;
  int r = sd_bus_message_new_method_return(message, &out);
  if (r >= 0 && answer.fd.valid()) {
    const int fd = answer.fd.get();
    r = sd_bus_message_append_basic(out, SD_BUS_TYPE_UNIX_FD, &fd);
  } else if (r >= 0) {
    r = wire::encode(out, known->second.out, answer.values.is_null() ? nlohmann::json::array() : answer.values);
  }
  if (r >= 0) r = sd_bus_send(bus_, out, nullptr);
  sd_bus_message_unref(out);
  if (!answer.then.empty()) {
    answer.values = answer.then.front();
    answer.then.erase(answer.then.begin());
  }
  return r < 0 ? sd_bus_error_setf(error, "org.gatewayd.Error.Failed",
                                   "the answer of %s is not recorded as the contract says", method)
               : 1;
}

void FakeGatewayd::answer(const std::string& method, nlohmann::json values) {
  const std::scoped_lock lock(mutex_);
  answers_[method] = {std::move(values), "", "", false};
}

void FakeGatewayd::answer_in_turn(const std::string& method, std::vector<nlohmann::json> values) {
  const std::scoped_lock lock(mutex_);
  answers_[method].values = values.front();
  answers_[method].then.assign(values.begin() + 1, values.end());
}

void FakeGatewayd::answer_fd(const std::string& method, UniqueFd fd) {
  const std::scoped_lock lock(mutex_);
  answers_[method].fd = std::move(fd);
}

void FakeGatewayd::refuse(const std::string& method, const std::string& error, const std::string& message) {
  const std::scoped_lock lock(mutex_);
  answers_[method] = {{}, error, message, false};
}

void FakeGatewayd::crash_on(const std::string& method) {
  const std::scoped_lock lock(mutex_);
  answers_[method] = {{}, "", "", true};
}

std::vector<FakeGatewayd::Call> FakeGatewayd::calls() {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

}  // namespace gw::ctl::test
