// The least that one thread in user space can do between a client and the application: one upstream socket for each client, edge-triggered
// epoll that is never re-armed, no parsing, no deadlines, no memory per request. Small pieces are read and written; where more comes at
// once it is spliced. No proxy of this kind can be faster here: the benchmark's floor. Usage: gateway_floor PORT UPSTREAM_PORT
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kPieceBytes = 32 * 1024;
constexpr std::size_t kPipeBytes = 1024 * 1024;

struct Direction {
  int from = -1;
  int to = -1;
  std::string unsent;  // of a piece that found no room
  std::array<int, 2> pipe{-1, -1};
  std::size_t piped = 0;
  bool ended = false;
};

struct Pair {
  std::array<Direction, 2> directions;
};

bool wouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// False: the pair is broken.
bool flush(Direction& way) {
  if (!way.unsent.empty()) {
    const auto sent = send(way.to, way.unsent.data(), way.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) return wouldBlock();
    way.unsent.erase(0, static_cast<std::size_t>(sent));
  }
  while (way.piped > 0) {
    const auto sent = splice(way.pipe[0], nullptr, way.to, nullptr, way.piped, SPLICE_F_NONBLOCK);
    if (sent < 0) return wouldBlock();
    way.piped -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool end(Direction& way) {
  way.ended = true;
  return shutdown(way.to, SHUT_WR) == 0;
}

// Moves what there is, as long as there is room. False: the pair is broken.
bool move(Direction& way) {
  static std::array<char, kPieceBytes> piece;
  if (!flush(way)) return false;
  while (!way.ended && way.unsent.empty() && way.piped == 0) {
    const auto got = recv(way.from, piece.data(), piece.size(), 0);
    if (got < 0) return wouldBlock();
    if (got == 0) return end(way);
    const auto sent = send(way.to, piece.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    if (sent < 0 && !wouldBlock()) return false;
    if (sent < got) way.unsent.assign(piece.data() + std::max<ssize_t>(sent, 0), piece.data() + got);
    if (static_cast<std::size_t>(got) < piece.size()) return true;  // the next byte is a new edge
    if (way.pipe[0] < 0) {
      if (pipe2(way.pipe.data(), O_NONBLOCK | O_CLOEXEC) != 0) return false;
      fcntl(way.pipe[1], F_SETPIPE_SZ, kPipeBytes);
    }
    while (way.unsent.empty() && way.piped == 0) {
      const auto spliced = splice(way.from, nullptr, way.pipe[1], nullptr, kPipeBytes, SPLICE_F_NONBLOCK);
      if (spliced < 0) return wouldBlock();
      if (spliced == 0) return end(way);
      way.piped = static_cast<std::size_t>(spliced);
      if (!flush(way)) return false;
    }
  }
  return true;
}

int openSocket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

sockaddr_in loopback(const char* port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void closePair(std::vector<Pair>& pairs, int fd) {
  Pair& pair = pairs[static_cast<std::size_t>(fd)];
  for (Direction& way : pair.directions) {
    close(way.from);
    for (const int end_of_pipe : way.pipe) close(end_of_pipe);
  }
  pair = {};
}

void accept(int listener, int poll, std::vector<Pair>& pairs, const sockaddr_in& upstream) {
  for (int client = 0; (client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int server = openSocket();
    if (connect(server, reinterpret_cast<const sockaddr*>(&upstream), sizeof upstream) != 0) {
      std::perror("gateway_floor: connect");
      std::exit(1);
    }
    fcntl(server, F_SETFL, O_NONBLOCK);
    if (static_cast<std::size_t>(server) >= pairs.size()) pairs.resize(static_cast<std::size_t>(server) * 2);
    Pair& pair = pairs[static_cast<std::size_t>(client)];
    pair = {};
    pair.directions[0].from = pair.directions[1].to = client;
    pair.directions[1].from = pair.directions[0].to = server;
    for (const int fd : {client, server}) {
      epoll_event interest{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                           .data = {.u64 = (std::uint64_t(fd) << 32U) | std::uint64_t(client)}};
      epoll_ctl(poll, EPOLL_CTL_ADD, fd, &interest);
    }
  }
}

void serve(const epoll_event& got, std::vector<Pair>& pairs) {
  const int fd = static_cast<int>(got.data.u64 >> 32U);
  const int client = static_cast<int>(got.data.u64 & 0xffffffffU);
  Pair& pair = pairs[static_cast<std::size_t>(client)];
  if (pair.directions[0].from != client) return;  // closed by an earlier event of this round
  Direction& out = pair.directions[fd == client ? 0 : 1];
  Direction& in = pair.directions[fd == client ? 1 : 0];
  bool open = (got.events & (EPOLLERR | EPOLLHUP)) == 0;
  if (open && (got.events & (EPOLLIN | EPOLLRDHUP)) != 0) open = move(out);
  // The end came with the last bytes: no further edge will follow.
  if (open && (got.events & EPOLLRDHUP) != 0 && !out.ended) open = move(out);
  if (open && (got.events & EPOLLOUT) != 0 && (!in.unsent.empty() || in.piped > 0)) open = move(in);
  if (!open || (out.ended && in.ended)) closePair(pairs, client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::signal(SIGPIPE, SIG_IGN);
  const sockaddr_in own = loopback(argv[1]);
  const sockaddr_in upstream = loopback(argv[2]);
  const int listener = openSocket();
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  fcntl(listener, F_SETFL, O_NONBLOCK);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 || listen(listener, 1024) != 0) {
    std::perror("gateway_floor");
    return 1;
  }
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  std::vector<Pair> pairs(1024);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (const epoll_event& got : std::span(events.data(), static_cast<std::size_t>(std::max(ready, 0)))) {
      if (got.data.u64 == 0) {
        accept(listener, poll, pairs, upstream);
      } else {
        serve(got, pairs);
      }
    }
  }
}
