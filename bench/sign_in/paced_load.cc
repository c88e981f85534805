// Sends HTTP requests at a fixed rate, however long their responses take, and prints how many there were of each status, and the times from
// a request to the end of its response. A request for which no connection is free waits, and its time includes that.
// Usage: paced_load PORT RATE SECONDS CONNECTIONS REQUEST...    Each REQUEST is sent in turn; "{n}" in it becomes
// the number of the request, with four digits.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::chrono::seconds kPatience{20};  // for the last responses

struct Connection {
  int socket = -1;
  Clock::time_point due{};  ///< of the request in progress
  std::string response{};
  bool busy = false;
};

struct Options {
  std::uint16_t port;
  double rate;
  double seconds;
  std::vector<std::string> requests;
};

std::string numbered(std::string text, int number) {
  constexpr std::string_view mark = "{n}";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at))
    text.replace(at, mark.size(), std::to_string(10'000 + number % 10'000).substr(1));
  return text;
}

/// Its status; 0: it is not complete.
int statusOf(std::string_view response) {
  const auto end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  constexpr std::string_view name = "\r\nContent-Length: ";
  const auto length = response.find(name);
  const std::size_t body = length < end ? std::strtoul(response.data() + length + name.size(), nullptr, 10) : 0;
  return response.size() < end + 4 + body ? 0 : std::atoi(response.data() + 9);
}

class Load {
 public:
  Load(Options options, std::size_t connections) : options_(std::move(options)), connections_(connections), piece_(kPieceBytes) {}

  void run() {
    const auto begin = Clock::now();
    const int all = static_cast<int>(options_.rate * options_.seconds);
    const auto timeOf = [&](int number) {
      return begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(number / options_.rate));
    };
    const auto end = timeOf(all) + kPatience;
    for (int next = 0; Clock::now() < end && (next < all || !waiting_.empty() || busy_ > 0);) {
      for (const auto now = Clock::now(); next < all && timeOf(next) <= now; ++next) waiting_.push_back(now);
      sendWaiting();
      wait(next < all ? timeOf(next) : end);
    }
  }

  void print() {
    for (const auto& [status, count] : statuses_) std::printf("status %d %d\n", status, count);
    std::printf("unanswered %zu\n", waiting_.size() + busy_);
    std::sort(times_.begin(), times_.end());
    for (const int percent : {50, 99})
      if (!times_.empty()) std::printf("p%d %.3f\n", percent, times_[times_.size() * static_cast<std::size_t>(percent) / 100]);
  }

 private:
  void sendWaiting() {
    for (Connection& one : connections_) {
      if (waiting_.empty()) return;
      if (one.busy) continue;
      if (one.socket < 0) connect(one);
      const std::string text = numbered(options_.requests[static_cast<std::size_t>(sent_) % options_.requests.size()], sent_);
      ++sent_;
      one.due = waiting_.front();
      one.busy = true;
      ++busy_;
      waiting_.pop_front();
      if (send(one.socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) finish(one, -1);
    }
  }

  void wait(Clock::time_point until) {
    files_.clear();
    waited_.clear();
    for (Connection& one : connections_) {
      if (one.socket < 0) continue;
      files_.push_back({one.socket, POLLIN, 0});
      waited_.push_back(&one);
    }
    const auto left = std::max<Clock::duration>(until - Clock::now(), {});
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec limit{whole.count(), std::chrono::nanoseconds(left - whole).count()};
    if (ppoll(files_.data(), files_.size(), &limit, nullptr) <= 0) return;
    for (std::size_t i = 0; i < files_.size(); ++i)
      if (files_[i].revents != 0) receive(*waited_[i]);
  }

  void receive(Connection& one) {
    const auto got = recv(one.socket, piece_.data(), piece_.size(), 0);
    if (got <= 0 && !one.busy) return close(one);
    if (got <= 0) return finish(one, -1);
    one.response.append(piece_.data(), static_cast<std::size_t>(got));
    if (const int status = statusOf(one.response); status != 0) finish(one, status);
  }

  void finish(Connection& one, int status) {
    ++statuses_[status];
    times_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - one.due).count());
    one.busy = false;
    --busy_;
    if (status < 0 || one.response.find("Connection: close") != std::string::npos) close(one);
    one.response.clear();
  }

  void connect(Connection& one) const {
    one.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(one.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
    std::perror("paced_load: connect");
    std::exit(1);
  }

  static void close(Connection& one) {
    ::close(one.socket);
    one.socket = -1;
  }

  Options options_;
  std::vector<Connection> connections_;
  std::deque<Clock::time_point> waiting_;
  std::size_t busy_ = 0;
  int sent_ = 0;
  std::map<int, int> statuses_;  // -1: the server closed the connection
  std::vector<double> times_;
  std::vector<char> piece_;
  std::vector<pollfd> files_;
  std::vector<Connection*> waited_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  Load load({static_cast<std::uint16_t>(std::atoi(argv[1])), std::atof(argv[2]), std::atof(argv[3]), {argv + 5, argv + argc}},
            static_cast<std::size_t>(std::atoi(argv[4])));
  load.run();
  load.print();
}
