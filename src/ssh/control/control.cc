#include "ssh/control/control.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace swarm::ssh {
namespace {

constexpr std::size_t kHead = 1 + 4 + 2 + 2;  // kind, number, port, size of `first`
static_assert(kHead + kMaxUserName + kMaxCertificate <= kMaxMessage);

void put(std::string& out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
}

std::uint32_t get(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(i)]);
  return value;
}

/// Room for one descriptor beside a message.
union Attachment {
  cmsghdr head;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

}  // namespace

std::string encode(const Message& message) {
  std::string out;
  put(out, static_cast<std::uint32_t>(message.kind), 1);
  put(out, message.number, 4);
  put(out, message.port, 2);
  put(out, static_cast<std::uint32_t>(message.first.size()), 2);
  return out + message.first + message.second;
}

std::optional<Message> decode(std::string_view bytes) {
  if (bytes.size() < kHead || bytes.size() > kMaxMessage) return std::nullopt;
  const std::uint32_t kind = get(bytes, 0, 1), size = get(bytes, 7, 2);
  if (kind > static_cast<std::uint32_t>(Message::kLastKind) || size > bytes.size() - kHead) return std::nullopt;
  return Message{static_cast<Message::Kind>(kind), get(bytes, 1, 4), static_cast<std::uint16_t>(get(bytes, 5, 2)),
                 std::string(bytes.substr(kHead, size)), std::string(bytes.substr(kHead + size))};
}

Sent sendMessage(int socket, const Message& message, int attached) {
  std::string bytes = encode(message);
  iovec part{bytes.data(), bytes.size()};
  Attachment attachment{};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  if (attached >= 0) {
    head.msg_control = attachment.bytes.data();
    head.msg_controllen = attachment.bytes.size();
    cmsghdr* item = CMSG_FIRSTHDR(&head);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(item), &attached, sizeof attached);
  }
  ssize_t sent = -1;
  do sent = ::sendmsg(socket, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent == static_cast<ssize_t>(bytes.size())) return Sent::Yes;
  return sent < 0 && errno == EAGAIN ? Sent::Full : Sent::Gone;
}

Received receiveMessage(int socket, Message& message, Descriptor& attached) {
  std::array<char, kMaxMessage> bytes;
  iovec part{bytes.data(), bytes.size()};
  Attachment attachment{};
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = attachment.bytes.data();
  head.msg_controllen = attachment.bytes.size();
  ssize_t got = -1;
  do got = ::recvmsg(socket, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  attached.reset();
  for (cmsghdr* item = CMSG_FIRSTHDR(&head); got >= 0 && item != nullptr; item = CMSG_NXTHDR(&head, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS || item->cmsg_len != CMSG_LEN(sizeof(int))) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(item), sizeof fd);
    attached = Descriptor(fd);
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Received::Nothing;
  if (got <= 0 || (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Received::Over;
  auto decoded = decode({bytes.data(), static_cast<std::size_t>(got)});
  if (!decoded) return Received::Over;
  message = std::move(*decoded);
  return Received::Message;
}

}  // namespace swarm::ssh
