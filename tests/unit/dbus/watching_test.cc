// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <array>

#include "tests/unit/dbus/bus_test.h"
#include "tests/unit/dbus/render.h"

namespace gw::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WatchingOnTheBus : public BusTest {
 protected:
  static void append_filter(sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}t", 2, "client", "s", "alice", "service", "s", "tcp/22", uint64_t{5});
  }
};

TEST_F(WatchingOnTheBus, ListsAPageOfFlows) {
  control::FlowStatus flow;
  flow.protocol = "tcp";
  flow.source = "172.16.201.3";
  flow.destination = "10.1.1.7";
  flow.source_port = 40000;
  flow.destination_port = 22;
  flow.client = "alice";
  flow.rule = "dev-web";
  flow.state = "established";
  flow.idle_seconds = 9;
  flow.access_ends = 1000;
  controller_.flows_answer = {{flow}, 4096};
  const Reply reply = call(root_.get(), "ListFlows", append_filter);
  EXPECT_EQ(render(reply.message.get()),
            R"([{"protocol": "tcp", "source": "172.16.201.3", "destination": "10.1.1.7", "source_port": q 40000, )"
            R"("destination_port": q 22, "client": "alice", "rule": "dev-web", "state": "established", )"
            R"("idle_seconds": t 9, "access_ends": x 1000, "nat": false, "current": true}] | t 4096)");
  EXPECT_THAT(controller_.asked, ElementsAre("flows 5"));
  EXPECT_EQ(controller_.flow_filter, (control::FlowFilter{.client = "alice", .service = "tcp/22"}));
}

TEST_F(WatchingOnTheBus, EndsFlowsInTheNameOfTheCaller) {
  EXPECT_EQ(render(call(root_.get(), "EndFlows", append_filter).message.get()), "u 3 | t 77");
  call(root_.get(), "EndFlows",
       [](sd_bus_message* m) { sd_bus_message_append(m, "a{sv}t", 1, "all", "b", 1, uint64_t{0}); });
  EXPECT_THAT(controller_.asked, ElementsAre("end_flows 5 by uid 0", "end_flows all 0 by uid 0"));
}

TEST_F(WatchingOnTheBus, RefusesAFilterItDoesNotKnow) {
  const Reply reply = call(root_.get(), "Watch",
                           [](sd_bus_message* m) { sd_bus_message_append(m, "a{sv}", 1, "clinet", "s", "alice"); });
  EXPECT_EQ(reply.error, "org.gatewayd.Error.InvalidArgument");
  EXPECT_THAT(reply.text, HasSubstr("clinet"));
}

TEST_F(WatchingOnTheBus, HandsOutASocketOnWhichVerdictsCome) {
  const Reply reply = call(root_.get(), "Watch", [](sd_bus_message* m) {
    sd_bus_message_append(m, "a{sv}", 2, "denied", "b", 1, "subnet", "s", "web");
  });
  ASSERT_EQ(reply.error, "") << reply.text;
  EXPECT_TRUE(controller_.watch_filter.denied);
  EXPECT_EQ(controller_.watch_filter.subnet, "web");
  int fd = -1;
  ASSERT_GT(sd_bus_message_read_basic(reply.message.get(), 'h', &fd), 0);
  control::Sighting sighting;
  sighting.action = "deny";
  sighting.to_zone = "subnet:web";
  controller_.watchers.show(sighting);
  std::array<char, 1024> record{};
  ASSERT_GT(::recv(fd, record.data(), record.size() - 1, MSG_DONTWAIT), 0);
  EXPECT_THAT(record.data(), HasSubstr(R"("to_zone":"subnet:web")"));
}

TEST_F(WatchingOnTheBus, GivesTheMetricsAsText) {
  EXPECT_EQ(render(call(root_.get(), "GetMetrics").message.get()), "\"gatewayd_peers 3\n\"");
}

TEST_F(WatchingOnTheBus, EndsAWatchWhenItsReaderGoes) {
  for (size_t i = 0; i < control::Watchers::kMost + 4; ++i) {
    const Reply reply = call(root_.get(), "Watch", [](sd_bus_message* m) { sd_bus_message_append(m, "a{sv}", 0); });
    EXPECT_EQ(reply.error, "") << reply.text;  // the answer, and its descriptor with it, ends here
  }
}

}  // namespace
}  // namespace gw::test
