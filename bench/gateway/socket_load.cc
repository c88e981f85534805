// Load for WebSocket echo: keeps CONNECTIONS sockets busy with one small message each for SECONDS, and prints the messages per second.
// Usage: gateway_socket_load PORT HOST CONNECTIONS SECONDS [HEADER...]
#include <sys/epoll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "connect.h"

namespace {

constexpr std::size_t kPayload = 64;

void upgrade(int fd, const std::string& request) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) std::exit(1);
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (recv(fd, &byte, 1, 0) != 1) break;
    head.push_back(byte);
  }
  if (!head.starts_with("HTTP/1.1 101")) {
    std::fprintf(stderr, "no upgrade: %s\n", head.c_str());
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const int port = std::atoi(argv[1]);
  const int count = std::atoi(argv[3]);
  const std::chrono::duration<double> time(std::atof(argv[4]));
  std::string request = std::string("GET /socket HTTP/1.1\r\nHost: ") + argv[2] +
                        "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                        "dGhlIHNhbXBsZSBub25jZQ==\r\n";
  for (int i = 5; i < argc; ++i) request.append(argv[i]).append("\r\n");
  request += "\r\n";

  std::string frame{static_cast<char>(0x82), static_cast<char>(0x80 | kPayload), 1, 2, 3, 4};
  frame.append(kPayload, 'x');
  const int poll = epoll_create1(0);
  std::vector<std::size_t> received(4096, 0);
  for (int i = 0; i < count; ++i) {
    const int fd = connectTo(port);
    upgrade(fd, request);
    epoll_event interest{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &interest);
    if (static_cast<std::size_t>(fd) >= received.size()) received.resize(static_cast<std::size_t>(fd) * 2, 0);
    if (send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) < 0) return 1;
  }
  std::size_t messages = 0;
  const auto start = std::chrono::steady_clock::now();
  epoll_event events[256];
  char piece[4096];
  while (std::chrono::steady_clock::now() - start < time) {
    const int ready = epoll_wait(poll, events, 256, 100);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      const auto got = recv(fd, piece, sizeof piece, 0);
      if (got <= 0) {
        std::fprintf(stderr, "a socket was closed\n");
        return 1;
      }
      auto& have = received[static_cast<std::size_t>(fd)];
      have += static_cast<std::size_t>(got);
      if (have < kPayload + 2) continue;
      have -= kPayload + 2;
      ++messages;
      if (send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) < 0) return 1;
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("%.0f\n", static_cast<double>(messages) / elapsed.count());
}
