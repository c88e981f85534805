// A server that responds as a test says, so that whole command lines run against it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/cli.h"
#include "net/http/http_server.h"
#include "support/net/threaded_server.h"

namespace swarm::cli::testing {

struct Received {
  std::string line;  ///< "POST /api/instances/web1/migrate"
  boost::json::value body;
};

class ApiDouble {
 public:
  /// The responses to one request line, or to all that begin with what stands before a "*", in order; the last one stays.
  void on(const std::string& line, int status, std::vector<std::string> bodies) {
    const std::lock_guard lock(mutex_);
    responses_[line] = {status, std::move(bodies), 0};
  }
  /// Calls `react` on the server's thread before the response to a request with that line.
  void during(const std::string& line, std::function<void()> react) {
    const std::lock_guard lock(mutex_);
    reactions_[line] = std::move(react);
  }
  std::string url() const { return server_.url(); }
  std::vector<Received> received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  /// The body of the only request with that line.
  boost::json::value bodyOf(const std::string& line) {
    boost::json::value body;
    int count = 0;
    for (const Received& one : received()) {
      if (one.line != line) continue;
      body = one.body;
      ++count;
    }
    EXPECT_EQ(count, 1) << line;
    return body;
  }

 private:
  static bool admits(std::string_view pattern, std::string_view line) {
    return pattern.ends_with('*') ? line.starts_with(pattern.substr(0, pattern.size() - 1)) : line == pattern;
  }
  struct Responses {
    int status = 200;
    std::vector<std::string> bodies;
    std::size_t next = 0;
  };

  async::awaitable<void> response(net::Exchange& exchange) {
    Received request{std::string(exchange.head().method) + " " + std::string(exchange.head().target), nullptr};
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      const auto read = co_await exchange.body().readSome(boost::asio::buffer(piece));
      if (read.error || read.bytes == 0) break;
      text.append(piece.data(), read.bytes);
    }
    const bool json = exchange.head().headers.find("Content-Type").value_or("") == "application/json";
    if (json && !text.empty()) request.body = boost::json::parse(text);
    int status = 404;
    std::string body = R"({"code":"not_found","detail":"There is nothing like that."})";
    {
      const std::lock_guard lock(mutex_);
      // How long a client waits is its own affair.
      const std::string line = request.line.substr(0, request.line.find("?wait="));
      if (const auto found = reactions_.find(line); found != reactions_.end()) found->second();
      if (const auto found = std::ranges::find_if(responses_, [&](const auto& one) { return admits(one.first, line); });
          found != responses_.end()) {
        Responses& responses = found->second;
        status = responses.status;
        body = responses.bodies.at(responses.next);
        if (responses.next + 1 < responses.bodies.size()) ++responses.next;
      }
      received_.push_back(std::move(request));
    }
    co_await exchange.respond(status, {{"Content-Type", "application/json"}}, std::move(body));
  }

  std::mutex mutex_;
  std::map<std::string, Responses> responses_;
  std::map<std::string, std::function<void()>> reactions_;
  std::vector<Received> received_;
  test::ThreadedServer server_{[this](net::Exchange& exchange) { return response(exchange); }};
};

/// Another standard input, until its destruction.
class StandardInput {
 public:
  static StandardInput nothing() { return StandardInput(::open("/dev/null", O_RDONLY | O_CLOEXEC), -1); }
  /// A terminal on which `text` was typed.
  static StandardInput terminal(const std::string& text) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const bool ready = master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0;
    const int terminal = ready ? ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    EXPECT_EQ(::write(master, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return StandardInput(terminal, master);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  ~StandardInput() {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
    if (master_ >= 0) ::close(master_);
  }

 private:
  StandardInput(int file, int master) : before_(::dup(STDIN_FILENO)), master_(master) {
    EXPECT_GE(file, 0);
    ::dup2(file, STDIN_FILENO);
    ::close(file);
    std::clearerr(stdin);
    std::cin.clear();
  }
  int before_;
  int master_;
};

struct Ran {
  int code = 0;
  std::string out, err;
};

/// Runs a whole command line against `api`. An empty `token`: that of the stored credentials.
inline Ran runCommand(const ApiDouble& api, std::vector<std::string> words, const char* token = "t", const Doctor& doctor = {}) {
  ::setenv("SWARM_URL", api.url().c_str(), 1);
  ::setenv("SWARM_TOKEN", token, 1);
  words.insert(words.begin(), "swarm");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Ran ran;
  ran.code = run(static_cast<int>(arguments.size()), arguments.data(), [](const ServeFlags&) { return 0; }, doctor);
  ran.out = ::testing::internal::GetCapturedStdout();
  ran.err = ::testing::internal::GetCapturedStderr();
  return ran;
}

/// The same with a terminal of `columns` as standard output and standard error: what it shows.
inline std::string runOnTerminal(const ApiDouble& api, std::vector<std::string> words, std::uint16_t columns) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  EXPECT_TRUE(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  termios settings{};
  EXPECT_TRUE(::ioctl(terminal, TIOCSWINSZ, &size) == 0 && ::tcgetattr(terminal, &settings) == 0);
  ::cfmakeraw(&settings);
  EXPECT_EQ(::tcsetattr(terminal, TCSANOW, &settings), 0);
  std::string shown;
  std::thread reader([&] {
    std::array<char, 4096> piece{};
    for (ssize_t count; (count = ::read(master, piece.data(), piece.size())) > 0;)
      shown.append(piece.data(), static_cast<std::size_t>(count));
  });
  ::setenv("SWARM_URL", api.url().c_str(), 1);
  ::setenv("SWARM_TOKEN", "t", 1);
  ::setenv("NO_COLOR", "1", 1);
  words.insert(words.begin(), "swarm");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  std::fflush(stdout);
  const int out = ::dup(STDOUT_FILENO), err = ::dup(STDERR_FILENO);
  for (const int file : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(terminal, file);
  ::close(terminal);
  run(static_cast<int>(arguments.size()), arguments.data(), [](const ServeFlags&) { return 0; });
  std::fflush(stdout);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const int file : {out, err}) ::close(file);
  reader.join();  // the terminal has no other user
  ::close(master);
  ::unsetenv("NO_COLOR");
  return shown;
}

}  // namespace swarm::cli::testing
