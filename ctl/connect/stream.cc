// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/stream.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "ctl/connect/http_impl.h"
#include "ctl/connect/trials.h"
#include "ctl/format.h"
#include "gatewayd/relay/pump.h"

namespace gw::connect {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::udp;

constexpr const char* kOpen = "open the way through TLS at";
constexpr int kSwitchingProtocols = 101;

std::unexpected<Error> refused(const HttpResponse& answer, const HostPort& server) {
  const std::string why = ctl::printable(answer.body.substr(0, std::min<size_t>(answer.body.find('\n'), 300)));
  if (answer.status == 404)
    return failure(ENOTSUP, kOpen, server.str(), "the gateway has none; is it of an older version?");
  const int code = answer.status == 503 ? EAGAIN : EACCES;
  return failure(code, kOpen, server.str(), "the gateway says: " + why + " (" + std::to_string(answer.status) + ")");
}

}  // namespace

/// What the thread that carries and those who stop it have in common; changed in the stream's thread alone.
struct DatagramStream::State {
  relay::Pump* pump = nullptr;
  bool stopped = false;
};

DatagramStream::DatagramStream(Https https) : https_(std::move(https)), state_(std::make_shared<State>()) {}

Result<std::shared_ptr<DatagramStream>> DatagramStream::open(const HttpsOptions& options, const relay::Target& target) {
  auto https = Https::connect(options);
  if (!https) return std::unexpected(https.error());
  const auto answer = https->ask(
      {.path = relay::path_of(target),
       .headers = {{"Connection", "Upgrade"}, {"Upgrade", std::string(relay::kUpgrade)}, {"Capsule-Protocol", "?1"}}});
  if (!answer) return failure(answer.error().code, kOpen, options.server.str(), answer.error().detail);
  if (answer->status != kSwitchingProtocols) return refused(*answer, options.server);
  const auto upgrade = answer->headers.find("upgrade");
  if (upgrade == answer->headers.end() || !beast::iequals(upgrade->second, relay::kUpgrade))
    return failure(EPROTO, kOpen, options.server.str(), "it changes to another protocol");
  return std::shared_ptr<DatagramStream>(new DatagramStream(std::move(*https)));
}

Result<DatagramStream::Ending> DatagramStream::carry(UniqueFd local, UdpTrial rules) {
  auto& impl = https_.impl();
  impl.context.restart();
  udp::socket socket(impl.context);
  boost::system::error_code failed;
  socket.assign(udp::v4(), local.release(), failed);
  if (failed) return failure(failed.value(), kOpen, impl.options.server.str(), failed.message());
  Trials trials(impl.context, std::move(rules), [this](relay::Bytes answer) {
    state_->pump->deliver(answer);
    state_->pump->end("UDP answers");
  });
  relay::Pump::Rules pumping;
  pumping.divert = [&trials](relay::Bytes message) { return trials.take(message); };
  relay::Pump pump(impl.stream, std::move(socket), std::move(pumping));
  state_->pump = &pump;
  if (state_->stopped) return Ending::stopped;
  std::string why;
  const auto work = [&]() -> asio::awaitable<void> {
    const auto bytes = impl.buffer.cdata();
    why = co_await pump.run({static_cast<const uint8_t*>(bytes.data()), bytes.size()});
    trials.close();
  };
  asio::co_spawn(impl.context, work, asio::detached);
  impl.context.run();
  state_->pump = nullptr;
  if (trials.answered()) return Ending::udp_answers;
  if (state_->stopped) return Ending::stopped;
  return failure(ECONNRESET, "keep the way through TLS at", impl.options.server.str(), why);
}

void DatagramStream::stop() {
  asio::post(https_.impl().context, [state = state_] {
    state->stopped = true;
    if (state->pump != nullptr) state->pump->end("stopped");
  });
}

}  // namespace gw::connect
