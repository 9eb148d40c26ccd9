// SPDX-License-Identifier: Apache-2.0
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "netlink/message.h"
#include "netlink/socket_impl.h"

namespace gw::nl {
namespace {

constexpr int kDumpTries = 20;

// Sends and receives are plain system calls: libnl's own loop folds errno values and drops the text of extended acks.
class Exchange {
 public:
  Exchange(Socket& socket, Message& message, const Purpose& purpose)
      : impl_(socket.impl()), message_(message), purpose_(purpose), fd_(socket.impl().fd.get()) {}

  Result<void> send(uint16_t flags);
  /// Reads until the request is answered. True: the dump was interrupted by a change.
  Result<bool> receive(const Visit& visit);

 private:
  enum class Progress : uint8_t { more, done };

  [[nodiscard]] std::unexpected<Error> fail(int code, std::string detail = {}) const {
    return failure(code, purpose_.operation, purpose_.object, std::move(detail));
  }
  Result<size_t> read_datagram();
  Result<Progress> take(const nlmsghdr* part, const Visit& visit);
  [[nodiscard]] Result<Progress> finish(const nlmsghdr* part, size_t fixed) const;

  Socket::Impl& impl_;
  Message& message_;
  const Purpose& purpose_;
  int fd_;
  bool interrupted_ = false;
};

Result<void> Exchange::send(uint16_t flags) {
  if (message_.overflowed()) return fail(EMSGSIZE, "the request does not fit into one netlink message");
  nlmsghdr* header = nlmsg_hdr(message_.get());
  header->nlmsg_flags |= flags;
  header->nlmsg_seq = ++impl_.sequence;
  header->nlmsg_pid = impl_.port;
  for (;;) {
    if (::send(fd_, header, header->nlmsg_len, 0) >= 0) return {};
    if (errno != EINTR) return fail(errno);
  }
}

Result<size_t> Exchange::read_datagram() {
  for (;;) {
    const ssize_t n = ::recv(fd_, impl_.buffer.data(), impl_.buffer.size(), MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno, errno == ENOBUFS ? "the kernel's answer did not fit into the socket's buffer" : "");
    if (static_cast<size_t>(n) > impl_.buffer.size()) return fail(EMSGSIZE, "the kernel's answer was cut off");
    return static_cast<size_t>(n);
  }
}

// NLMSG_ERROR and NLMSG_DONE end a request. Both begin with a negative errno, and carry extended-ack attributes after
// `fixed` bytes when NLM_F_ACK_TLVS is set.
Result<Exchange::Progress> Exchange::finish(const nlmsghdr* part, size_t fixed) const {
  int error = 0;
  if (nlmsg_datalen(part) >= static_cast<int>(sizeof error)) std::memcpy(&error, nlmsg_data(part), sizeof error);
  if (error >= 0) return Progress::done;
  std::string detail;
  if ((part->nlmsg_flags & NLM_F_ACK_TLVS) != 0) detail = Attributes(part, fixed).text(NLMSGERR_ATTR_MSG);
  return fail(-error, std::move(detail));
}

Result<Exchange::Progress> Exchange::take(const nlmsghdr* part, const Visit& visit) {
  if (part->nlmsg_seq != impl_.sequence) return Progress::more;
  if ((part->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  switch (part->nlmsg_type) {
    case NLMSG_ERROR: {
      // Without NETLINK_CAP_ACK (before 4.3) the whole request is echoed between the code and the attributes.
      size_t fixed = sizeof(nlmsgerr);
      if ((part->nlmsg_flags & NLM_F_CAPPED) == 0) fixed += nlmsg_hdr(message_.get())->nlmsg_len - sizeof(nlmsghdr);
      return finish(part, fixed);
    }
    case NLMSG_DONE:
      return finish(part, sizeof(int));
    case NLMSG_NOOP:
      return Progress::more;
    case NLMSG_OVERRUN:
      return fail(ENOBUFS);
    default:
      if (visit) visit(part);
      return Progress::more;
  }
}

Result<bool> Exchange::receive(const Visit& visit) {
  for (;;) {
    const auto size = read_datagram();
    if (!size) return std::unexpected(size.error());
    Result<Progress> progress = Progress::more;
    int left = static_cast<int>(*size);
    for (const auto* part = reinterpret_cast<const nlmsghdr*>(impl_.buffer.data()); nlmsg_ok(part, left);
         part = nlmsg_next(const_cast<nlmsghdr*>(part), &left)) {
      progress = take(part, visit);
      if (!progress || *progress == Progress::done) break;
    }
    explicit_bzero(impl_.buffer.data(), *size);
    if (!progress) return std::unexpected(progress.error());
    if (*progress == Progress::done) return interrupted_;
  }
}

}  // namespace

Result<void> request(Socket& socket, Message& message, const Purpose& purpose, const Visit& visit) {
  Exchange exchange(socket, message, purpose);
  if (auto sent = exchange.send(NLM_F_ACK); !sent) return sent;
  if (auto answer = exchange.receive(visit); !answer) return std::unexpected(answer.error());
  return {};
}

Result<void> dump(Socket& socket, Message& message, const Purpose& purpose, const std::function<void()>& restart,
                  const Visit& visit) {
  for (int i = 0; i < kDumpTries; ++i) {
    Exchange exchange(socket, message, purpose);
    if (auto sent = exchange.send(NLM_F_DUMP); !sent) return sent;
    const auto interrupted = exchange.receive(visit);
    if (!interrupted) return std::unexpected(interrupted.error());
    if (!*interrupted) return {};
    restart();
  }
  return failure(EAGAIN, purpose.operation, purpose.object, "it kept changing while it was read");
}

}  // namespace gw::nl
