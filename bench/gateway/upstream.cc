// The application behind every proxy of the benchmark: one epoll loop, fixed bodies, WebSocket echo. So fast that the proxy is what is
// measured: responses are sent without copying. Usage: gateway_upstream PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

struct Connection {
  std::string in;
  std::string echo;      ///< of a WebSocket, or the head of one
  std::string_view out;  ///< what is being sent: of `echo`, or of a response; clients here do not pipeline
  bool socket = false;
  bool closing = false;
};

std::string response(std::size_t bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'x');
}

const std::string kSmall = response(200);
const std::string kMiddle = response(20 * 1024);
const std::string kLarge = response(1024 * 1024);

// Unmasks one small frame of a client and echoes it; 0 when it is not complete.
std::size_t echoFrame(std::string_view in, std::string& out) {
  if (in.size() < 6) return 0;
  const std::size_t length = static_cast<unsigned char>(in[1]) & 0x7fU;
  if (length > 125 || in.size() < 6 + length) return 0;
  out.push_back(in[0]);
  out.push_back(static_cast<char>(length));
  for (std::size_t i = 0; i < length; ++i) out.push_back(static_cast<char>(in[6 + i] ^ in[2 + i % 4]));
  return 6 + length;
}

void process(Connection& connection) {
  for (;;) {
    if (connection.socket) {
      if (!connection.out.empty()) return;  // `echo` is being sent
      const auto used = echoFrame(connection.in, connection.echo);
      if (used == 0) return;
      connection.in.erase(0, used);
      continue;
    }
    const auto end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string_view head(connection.in.data(), end + 4);
    if (head.find("pgrade: websocket") != std::string_view::npos) {
      // The load generator does not check the accept key.
      connection.echo = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
      connection.socket = true;
    } else {
      connection.out = head.starts_with("GET /1m") ? kLarge : head.starts_with("GET /20k") ? kMiddle : kSmall;
      connection.closing = head.find("onnection: close") != std::string_view::npos;
    }
    connection.in.erase(0, end + 4);
  }
}

bool flush(int fd, Connection& connection) {
  if (connection.out.empty()) connection.out = connection.echo;
  while (!connection.out.empty()) {
    const auto sent = send(fd, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection.out.remove_prefix(static_cast<std::size_t>(sent));
  }
  connection.echo.clear();
  return !connection.closing;
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 0;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 1024) != 0) {
    std::perror("gateway_upstream");
    return 1;
  }
  const int poll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::unordered_map<int, Connection> connections;
  static char piece[64 * 1024];
  epoll_event events[256];
  for (;;) {
    const int ready = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        for (int client; (client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          epoll_event interest{.events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, .data = {.fd = client}};
          epoll_ctl(poll, EPOLL_CTL_ADD, client, &interest);
          connections[client];
        }
        continue;
      }
      auto& connection = connections[fd];
      bool open = (events[i].events & (EPOLLERR | EPOLLHUP)) == 0;
      while (open) {
        const auto got = recv(fd, piece, sizeof piece, 0);
        if (got > 0) {
          connection.in.append(piece, static_cast<std::size_t>(got));
          if (static_cast<std::size_t>(got) < sizeof piece) break;
        } else {
          open = got < 0 && errno == EAGAIN;
          break;
        }
      }
      if (open) process(connection);
      if (!open || !flush(fd, connection)) {
        connections.erase(fd);
        close(fd);
      }
    }
  }
}
