// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "gatewayd/dbus/method.h"
#include "tests/unit/dbus/bus_test.h"

namespace gw::test {
namespace {

// What an interface says, one element a line, without comments, layout, the order of attributes, and what sd-bus always
// adds.
std::vector<std::string> elements(const std::string& xml, const std::string& interface) {
  const std::string open = "<interface name=\"" + interface + "\">";
  const size_t from = xml.find(open);
  if (from == std::string::npos) return {};
  std::string body = xml.substr(from, xml.find("</interface>", from) - from);
  body = std::regex_replace(body, std::regex("<!--(.|\n)*?-->"), "");
  const std::regex element("<(/?)([a-z]+)([^>]*?)/?>");
  const std::regex attribute("([a-z]+)=\"([^\"]*)\"");
  std::vector<std::string> out;
  for (std::sregex_iterator it(body.begin(), body.end(), element), end; it != end; ++it) {
    if ((*it)[1] == "/") continue;
    std::map<std::string, std::string> attributes;
    const std::string text = (*it)[3];
    for (std::sregex_iterator a(text.begin(), text.end(), attribute); a != end; ++a) attributes[(*a)[1]] = (*a)[2];
    std::string line = (*it)[2];
    for (const auto& [key, value] : attributes) line += " " + key + "=" + value;
    out.push_back(line);
  }
  return out;
}

std::string read_interface(const std::string& name) {
  std::ifstream file(std::string(GW_SOURCE_DIR) + "/gatewayd/dbus/interfaces/" + name + ".xml");
  std::stringstream out;
  out << file.rdbuf();
  return out.str();
}

class IntrospectionTest : public BusTest {
 protected:
  std::string introspect(const char* path) {
    const Reply reply = call(root_.get(), path, "org.freedesktop.DBus.Introspectable", "Introspect");
    const char* xml = "";
    sd_bus_message_read_basic(reply.message.get(), 's', &xml);
    return xml;
  }
};

TEST_F(IntrospectionTest, OfTheManagerIsTheFileInTheTree) {
  const auto running = elements(introspect(dbus::kManagerPath), dbus::kManagerInterface);
  EXPECT_GT(running.size(), 60U);
  EXPECT_EQ(running, elements(read_interface(dbus::kManagerInterface), dbus::kManagerInterface));
}

TEST_F(IntrospectionTest, OfAClientIsTheFileInTheTree) {
  const auto running = elements(introspect("/org/gatewayd/client/alice"), dbus::kClientInterface);
  EXPECT_GT(running.size(), 10U);
  EXPECT_EQ(running, elements(read_interface(dbus::kClientInterface), dbus::kClientInterface));
}

TEST_F(IntrospectionTest, OfEnrolmentIsTheFileInTheTree) {
  const auto running = elements(introspect(dbus::kManagerPath), dbus::kEnrolmentInterface);
  EXPECT_GT(running.size(), 10U);
  EXPECT_EQ(running, elements(read_interface(dbus::kEnrolmentInterface), dbus::kEnrolmentInterface));
}

TEST_F(IntrospectionTest, ListsClientsByTheirEscapedNames) {
  control::ClientStatus status;
  status.client.name = "alice-laptop";
  controller_.clients_answer = {status};
  EXPECT_THAT(introspect("/org/gatewayd/client"), ::testing::HasSubstr("<node name=\"alice_2dlaptop\"/>"));
  EXPECT_THAT(introspect("/org/gatewayd"), ::testing::HasSubstr("<node name=\"client\"/>"));
}

}  // namespace
}  // namespace gw::test
