// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/ctl/gwctl_fixture.h"

#include <unistd.h>

#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gw::ctl::test {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void fill_in_times(json& value, int64_t now) {
  if (value.is_structured()) {
    for (json& element : value) fill_in_times(element, now);
  } else if (value.is_string() && value.get_ref<const std::string&>().starts_with('@')) {
    value = now + std::stoll(value.get<std::string>().substr(1));
  }
}

}  // namespace

Gwctl::Gwctl() {
  std::string name = std::filesystem::temp_directory_path() / "gwctl-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary directory");
  directory_ = name;
  gateway_.emplace(bus_.address());
}

Gwctl::~Gwctl() { std::filesystem::remove_all(directory_); }

gw::test::Output Gwctl::gwctl(const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment) const {
  std::vector<std::string> command = {"env", "-C", directory_.string(), "DBUS_SYSTEM_BUS_ADDRESS=" + bus_.address()};
  command.insert(command.end(), environment.begin(), environment.end());
  command.emplace_back(GW_BINARY_DIR "/gwctl");
  command.insert(command.end(), arguments.begin(), arguments.end());
  return gw::test::run(command);
}

std::string Gwctl::told(const std::vector<std::string>& arguments) const {
  const auto output = gwctl(arguments);
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(output.err, "");
  return output.out;
}

json Gwctl::arguments_of(const std::string& method) {
  std::vector<json> found;
  for (const auto& call : gateway().calls()) {
    if (call.method == method) found.push_back(call.arguments);
  }
  EXPECT_EQ(found.size(), 1U) << "calls of " << method;
  return found.empty() ? json() : found.front();
}

std::string Gwctl::content(const std::string& file) const { return read(directory_ / file); }

json recorded(const std::string& name) {
  json out = json::parse(read(std::filesystem::path(GW_SOURCE_DIR) / "tests/unit/ctl/recorded" / (name + ".json")));
  fill_in_times(out, std::time(nullptr));
  return out;
}

}  // namespace gw::ctl::test
