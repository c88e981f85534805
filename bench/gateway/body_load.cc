// Load for large bodies: keeps CONNECTIONS busy with one GET each for SECONDS, and prints the responses per second. Bodies are thrown away
// in the kernel (MSG_TRUNC), so that the proxy is what is measured. Usage: gateway_body_load PORT HOST CONNECTIONS SECONDS PATH [HEADER...]
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>

#include "connect.h"

namespace {

[[noreturn]] void fail(const char* what, const std::string& head) {
  std::fprintf(stderr, "%s: %s\n", what, head.c_str());
  std::exit(1);
}

constexpr std::size_t kEnough = 256 * 1024;  ///< of a body is worth checking

struct Connection {
  std::string head;
  std::size_t rest = 0;  ///< of the body, once the head is there
};

/// Reads what has come. True: a response is complete.
bool receive(int fd, Connection& connection) {
  static char piece[4096];
  for (;;) {
    if (connection.rest > 0) {
      const auto gone = recv(fd, nullptr, connection.rest, MSG_TRUNC | MSG_DONTWAIT);
      if (gone == 0 || (gone < 0 && errno != EAGAIN)) fail("the connection ended", connection.head);
      if (gone < 0) {
        const int enough = static_cast<int>(std::min(connection.rest, kEnough));
        setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof enough);
        return false;
      }
      connection.rest -= static_cast<std::size_t>(gone);
      if (connection.rest > 0) continue;
      connection.head.clear();
      const int enough = 1;
      setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &enough, sizeof enough);
      return true;
    }
    const auto got = recv(fd, piece, sizeof piece, MSG_PEEK | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) fail("the connection ended", connection.head);
    if (got < 0) return false;
    const auto before = connection.head.size();
    connection.head.append(piece, static_cast<std::size_t>(got));
    const auto end = connection.head.find("\r\n\r\n");
    const auto used = end == std::string::npos ? static_cast<std::size_t>(got) : end + 4 - before;
    recv(fd, piece, used, 0);
    if (end == std::string::npos) continue;
    connection.head.resize(end + 4);
    const char* length = strcasestr(connection.head.c_str(), "\r\nContent-Length:");
    if (!connection.head.starts_with("HTTP/1.1 200") || length == nullptr) fail("not the answer that was expected", connection.head);
    connection.rest = std::strtoul(length + 17, nullptr, 10);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  const int port = std::atoi(argv[1]);
  const int count = std::atoi(argv[3]);
  const std::chrono::duration<double> time(std::atof(argv[4]));
  std::string request = std::string("GET ") + argv[5] + " HTTP/1.1\r\nHost: " + argv[2] + "\r\n";
  for (int i = 6; i < argc; ++i) request.append(argv[i]).append("\r\n");
  request += "\r\n";

  const int poll = epoll_create1(0);
  std::unordered_map<int, Connection> connections;
  const auto sendRequest = [&](int fd) {
    if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) std::exit(1);
  };
  for (int i = 0; i < count; ++i) {
    const int fd = connectTo(port);
    epoll_event interest{.events = EPOLLIN, .data = {.fd = fd}};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &interest);
    connections[fd];
    sendRequest(fd);
  }
  std::size_t responses = 0;
  const auto start = std::chrono::steady_clock::now();
  epoll_event events[256];
  while (std::chrono::steady_clock::now() - start < time) {
    const int ready = epoll_wait(poll, events, 256, 100);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (!receive(fd, connections[fd])) continue;
      ++responses;
      sendRequest(fd);
    }
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("%.0f\n", static_cast<double>(responses) / elapsed.count());
}
