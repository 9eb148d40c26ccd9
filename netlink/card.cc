// SPDX-License-Identifier: Apache-2.0
#include "netlink/card.h"

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "gatewayd/base/fd.h"
#include "netlink/generic.h"

namespace gw::nl {
namespace {

// include/uapi/linux/netdev.h, which is younger than the headers of Debian 12.
constexpr const char* kFamily = "netdev";
constexpr uint8_t kVersion = 1;
constexpr uint8_t kGetDevices = 1;
constexpr int kIfindex = 1;
constexpr int kXdpFeatures = 3;
constexpr uint64_t kBasic = 1;
constexpr uint64_t kRedirect = 2;
constexpr uint64_t kNdoXmit = 4;

/// Asks drivers by ioctl: ethtool's netlink family does not tell the driver's name before Linux 6.6.
class Ethtool {
 public:
  static Result<Ethtool> open() {
    Ethtool out;
    out.socket_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!out.socket_.valid()) return failure(errno, "open socket", "for ethtool");
    return out;
  }

  [[nodiscard]] std::string driver(const std::string& device) const {
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    return ask(device, &info) ? std::string(info.driver, strnlen(info.driver, sizeof info.driver)) : std::string();
  }
  [[nodiscard]] bool strips_vlan(const std::string& device) const {
    ethtool_value flags{};
    flags.cmd = ETHTOOL_GFLAGS;
    return ask(device, &flags) && (flags.data & ETH_FLAG_RXVLAN) != 0;
  }

 private:
  bool ask(const std::string& device, void* what) const {
    ifreq request{};
    device.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(what);
    return ::ioctl(socket_.get(), SIOCETHTOOL, &request) == 0;
  }

  UniqueFd socket_;
};

/// Before Linux 6.3 nobody tells. veth takes frames only while its peer polls, which only the peer knows: whoever wants
/// the fast path on a veth has to say so (Card::defers_checksums), and frames that are lost end it.
Card by_driver(std::string_view driver) {
  constexpr std::array<std::string_view, 2> kBoth = {"virtio_net", "veth"};
  const bool both = std::ranges::find(kBoth, driver) != kBoth.end();
  return {.native = both, .transmit = both};
}

Card by_features(uint64_t features, const Link& link) {
  // Hardware says that it transmits only once it has a program of its own; veth means what it says.
  const bool will_transmit = link.kind.empty() && (features & kRedirect) != 0;
  return {.native = (features & kBasic) != 0, .transmit = (features & kNdoXmit) != 0 || will_transmit};
}

/// XDP features by index; nullopt when this kernel does not tell.
Result<std::optional<std::map<uint32_t, uint64_t>>> features(Socket& generic) {
  const auto family = find_family(generic, kFamily);
  if (!family && family.error().code == ENOENT) return std::nullopt;
  if (!family) return std::unexpected(family.error());
  Message message = generic_message(*family, kGetDevices, kVersion);
  std::map<uint32_t, uint64_t> found;
  auto done = dump(
      generic, message, {"list XDP features of network devices", ""}, [&] { found.clear(); },
      [&](const nlmsghdr* part) {
        const Attributes attributes(part, sizeof(genlmsghdr));
        const auto index = attributes.u32(kIfindex);
        if (index) found[*index] = attributes.u64(kXdpFeatures).value_or(0);
      });
  if (!done) return std::unexpected(done.error());
  return found;
}

}  // namespace

Result<std::map<uint32_t, Card>> list_cards(Socket& generic, const std::vector<Link>& links) {
  const auto told = features(generic);
  if (!told) return std::unexpected(told.error());
  const auto ethtool = Ethtool::open();
  if (!ethtool) return std::unexpected(ethtool.error());
  std::map<uint32_t, Card> cards;
  for (const Link& link : links) {
    if (!link.mac) continue;
    if (*told && !(*told)->contains(link.index)) continue;
    Card card = *told ? by_features((*told)->at(link.index), link) : by_driver(ethtool->driver(link.name));
    card.defers_checksums = link.kind == "veth";
    card.strips_vlan = card.native && ethtool->strips_vlan(link.name);
    cards[link.index] = card;
  }
  return cards;
}

}  // namespace gw::nl
