// SPDX-License-Identifier: Apache-2.0
#include "ctl/connect/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <cstring>
#include <tuple>

#include "ctl/connect/http_impl.h"
#include "ctl/format.h"
#include "gatewayd/relay/pump.h"

namespace gw::connect {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;
using asio::ip::udp;

constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);
constexpr const char* kOpen = "open the way through TLS at";
constexpr uint32_t kMaxHeader = 16U << 10U;

// WireGuard's messages (whitepaper §5.4): type, three zero bytes, sender or receiver.
constexpr size_t kInitiation = 148, kResponse = 92, kCookie = 64;

bool is(relay::Bytes message, uint8_t type, size_t size) {
  return message.size() == size && message[0] == type && message[1] == 0 && message[2] == 0 && message[3] == 0;
}

/// The trials of one stream. One thread, the stream's.
class Trials {
 public:
  Trials(asio::io_context& context, UdpTrial rules)
      : rules_(std::move(rules)), socket_(context), delay_(rules_.first), due_(Clock::now() + delay_) {}

  void attach(relay::Pump& pump) { pump_ = &pump; }
  [[nodiscard]] bool answered() const { return answered_; }

  /// True: it went by UDP.
  bool take(relay::Bytes message) {
    if (!rules_.dial || !is(message, 1, kInitiation) || Clock::now() < due_) return false;
    due_ = Clock::now() + delay_;
    delay_ = std::min(2 * delay_, rules_.longest);
    UniqueFd fd = rules_.dial();
    if (!fd.valid()) return false;
    boost::system::error_code failed;
    socket_.close(failed);
    socket_.assign(udp::v4(), fd.get(), failed);  // of either family: it is only waited for
    if (failed) return false;
    std::ignore = fd.release();
    std::copy_n(message.begin() + 4, sender_.size(), sender_.begin());
    if (::send(socket_.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return false;
    listen();
    return true;
  }
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  /// To the initiation that was sent: it names its sender.
  [[nodiscard]] bool is_answer(relay::Bytes message) const {
    const size_t at = is(message, 2, kResponse) ? 8 : is(message, 3, kCookie) ? 4 : 0;
    return at != 0 && std::ranges::equal(message.subspan(at, sender_.size()), sender_);
  }
  void listen() {
    socket_.async_wait(udp::socket::wait_read, [this](const boost::system::error_code& error) {
      if (error) return;
      std::array<uint8_t, 2048> buffer{};
      const ssize_t size = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      const auto message = relay::Bytes(buffer).first(static_cast<size_t>(std::max<ssize_t>(size, 0)));
      if (size >= 4 && is_answer(message)) {
        answered_ = true;
        pump_->deliver(message);
        return pump_->end("UDP answers");
      }
      if (size >= 0 || errno == EAGAIN) listen();  // else, by ICMP: nobody is there
    });
  }

  UdpTrial rules_;
  udp::socket socket_;
  relay::Pump* pump_ = nullptr;
  std::chrono::seconds delay_;
  Clock::time_point due_;
  std::array<uint8_t, 4> sender_{};
  bool answered_ = false;
};

std::unexpected<Error> refused(const http::response<http::string_body>& answer, const HostPort& server) {
  const unsigned status = answer.result_int();
  const std::string why = ctl::printable(answer.body().substr(0, std::min<size_t>(answer.body().find('\n'), 300)));
  if (status == 404) return failure(ENOTSUP, kOpen, server.str(), "the gateway has none; is it of an older version?");
  const int code = status == 503 ? EAGAIN : EACCES;
  return failure(code, kOpen, server.str(), "the gateway says: " + why + " (" + std::to_string(status) + ")");
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
  auto& impl = https->impl();
  http::request<http::empty_body> message(http::verb::get, relay::path_of(target), 11);
  message.set(http::field::host, options.server.str());
  message.set(http::field::user_agent, "gwconnect");
  message.set(http::field::connection, "Upgrade");
  message.set(http::field::upgrade, relay::kUpgrade);
  message.set("Capsule-Protocol", "?1");
  http::response_parser<http::string_body> parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(kMaxHeader);
  auto code = impl.wait([&](auto done) { http::async_write(impl.stream, message, done); });
  if (!code) code = impl.wait([&](auto done) { http::async_read_header(impl.stream, impl.buffer, parser, done); });
  if (!code && parser.get().result() != http::status::switching_protocols) {
    if (!parser.is_done())
      std::ignore = impl.wait([&](auto done) { http::async_read(impl.stream, impl.buffer, parser, done); });
    return refused(parser.get(), options.server);
  }
  if (code) return failure(ECONNRESET, kOpen, options.server.str(), code.message());
  if (!beast::iequals(parser.get()[http::field::upgrade], relay::kUpgrade))
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
  Trials trials(impl.context, std::move(rules));
  relay::Pump::Rules pumping;
  pumping.divert = [&trials](relay::Bytes message) { return trials.take(message); };
  relay::Pump pump(impl.stream, std::move(socket), std::move(pumping));
  trials.attach(pump);
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
