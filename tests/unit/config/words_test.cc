// SPDX-License-Identifier: Apache-2.0
#include "gatewayd/config/words.h"

#include <gtest/gtest.h>

#include <array>

#include "gatewayd/config/edit.h"
#include "gatewayd/config/utf8.h"

namespace gw::config {
namespace {

constexpr std::array<std::string_view, 3> kKeys{"interface", "endpoint", "allow"};

TEST(Hint, NamesTheNearestWordWithinAThirdOfTheLetters) {
  EXPECT_EQ(hint("intrface", kKeys), "; did you mean 'interface'?");
  EXPECT_EQ(hint("itnerface", kKeys), "; did you mean 'interface'?") << "two letters swapped are one mistake";
  EXPECT_EQ(hint("allwo", kKeys), "; did you mean 'allow'?");
  EXPECT_EQ(hint("colour", kKeys), "; known are interface, endpoint, allow");
  EXPECT_EQ(hint("x", {}), "");
}

TEST(Label, FollowsRfc1123) {
  for (const char* good : {"a", "0", "dev-web", "A1", "xn--bcher-kva"}) EXPECT_FALSE(why_no_label(good)) << good;
  for (const char* bad : {"", "-a", "a-", "a.b", "a_b", "a b", "é"}) EXPECT_TRUE(why_no_label(bad)) << bad;
  EXPECT_FALSE(why_no_label(std::string(63, 'a')));
  EXPECT_TRUE(why_no_label(std::string(64, 'a')));
}

TEST(Device, IsWhatTheKernelTakes) {
  for (const char* good : {"eth0", "wg0", "enp0s31f6.4094", "a@b"}) EXPECT_FALSE(why_no_device(good)) << good;
  for (const char* bad : {"", ".", "..", "eth/0", "eth:0", "eth 0", "sixteenletters16"})
    EXPECT_TRUE(why_no_device(bad)) << bad;
}

TEST(Number, IsDigitsOnly) {
  EXPECT_EQ(parse_number("0", 9), 0U);
  EXPECT_EQ(parse_number("65535", 65535), 65535U);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "65536", "99999999999999999999"})
    EXPECT_FALSE(parse_number(bad, 65535)) << bad;
}

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_FALSE(find_bad_byte("plain\ttext\r\n é € 😀"));
  EXPECT_EQ(find_bad_byte("ab\xc3")->offset, 2U) << "cut short";
  EXPECT_TRUE(find_bad_byte("\xc0\xaf")) << "overlong";
  EXPECT_TRUE(find_bad_byte("\xe0\x80\xaf")) << "overlong";
  EXPECT_TRUE(find_bad_byte("\xed\xa0\x80")) << "surrogate";
  EXPECT_TRUE(find_bad_byte("\xf4\x90\x80\x80")) << "beyond U+10FFFF";
  EXPECT_TRUE(find_bad_byte("\x80")) << "continuation alone";
  EXPECT_TRUE(find_bad_byte("a\x1b[0m")->control) << "escape sequences could forge a terminal's output";
  EXPECT_TRUE(find_bad_byte(std::string_view("\0", 1))->control);
}

TEST(Selector, PrintsWhatItWasReadFrom) {
  for (const char* text : {"any", "vpn", "internet", "gateway", "subnet:web", "group:dev", "client:a1", "site:home",
                           "10.1.0.0/16", "fd00::/8", "::/0", "fd00::1/128"}) {
    const auto selector = parse_selector(text);
    ASSERT_TRUE(selector) << text;
    EXPECT_EQ(selector->str(), text);
  }
  EXPECT_EQ(parse_selector("10.1.1.7")->str(), "10.1.1.7/32");
  EXPECT_EQ(parse_selector("fd00:1:2:3:4:5:6:7")->str(), "fd00:1:2:3:4:5:6:7/128");
}

TEST(Selector, RefusesWhatIsNone) {
  for (const char* text :
       {"", "Any", "group:", "group:a b", "host:a", "10.1.1.1/24", "10.1.1", "fd00::1::2", ":", "::/129"}) {
    const auto selector = parse_selector(text);
    ASSERT_FALSE(selector) << text;
    EXPECT_EQ(selector.error().code, EINVAL);
  }
  EXPECT_NE(parse_selector("10.1.1.1/24").error().message().find("write 10.1.1.0/24"), std::string::npos);
}

TEST(Service, PrintsWhatItWasReadFrom) {
  for (const char* text : {"any", "tcp", "udp", "icmp", "tcp/443", "udp/1000-2000", "icmp/8", "icmp/128", "icmp/8-13",
                           "icmp/3/4", "proto/47"}) {
    const auto services = parse_service(text, {});
    ASSERT_TRUE(services) << text;
    ASSERT_EQ(services->size(), 1U) << text;
    EXPECT_EQ(services->front().str(), text);
  }
}

TEST(Service, KeepsIcmpAsTypeAndCode) {
  EXPECT_EQ(parse_service("icmp/8", {})->front(), (Service{Service::Kind::icmp, 0x0800, 0x08ff}));
  EXPECT_EQ(parse_service("icmp/3/4", {})->front(), (Service{Service::Kind::icmp, 0x0304, 0x0304}));
  EXPECT_EQ(parse_service("icmp", {})->front(), (Service{Service::Kind::icmp, 0, 0xffff}));
}

TEST(Service, PrefersTheNamesGivenToIt) {
  const std::map<std::string, std::vector<Service>> named{{"ssh", {{Service::Kind::tcp, 2222, 2222}}}};
  EXPECT_EQ(parse_service("ssh", named)->front().first, 2222);
  EXPECT_EQ(parse_service("ssh", {})->front().first, 22);
}

TEST(Service, RefusesWhatIsNone) {
  for (const char* text : {"", "tcp/", "tcp/0", "tcp/65536", "tcp/2-1", "tcp/1-", "sctp/1", "icmp/256", "icmp/1-2/3",
                           "proto/6", "proto/17", "proto/1", "proto/58", "proto/256", "SSH"}) {
    const auto services = parse_service(text, {});
    ASSERT_FALSE(services) << text;
    EXPECT_EQ(services.error().code, EINVAL);
  }
}

TEST(Endpoint, BracketsIPv6) {
  EXPECT_EQ((Endpoint{"vpn.example", 51820}.str()), "vpn.example:51820");
  EXPECT_EQ((Endpoint{"2001:db8::1", 51820}.str()), "[2001:db8::1]:51820");
}

}  // namespace
}  // namespace gw::config
