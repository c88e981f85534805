// ChildProgram: runs a program as a child process of a test, kills it with the test, and lets the test wait for its output.
#pragma once

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <vector>

extern char** environ;  // not declared by any POSIX header

namespace swarm::test {

class ChildProgram {
 public:
  explicit ChildProgram(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    ::posix_spawn_file_actions_addclose(&actions, ends[0]);
    if (::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) {
      throw std::runtime_error(arguments.front() + " can't be run");
    }
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~ChildProgram() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      waitForExit();
    }
    ::close(output_);
  }

  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  /// Until the text contains `what`, or the program ends.
  std::string readUntil(const std::string& what) {
    std::array<char, 4096> piece{};
    while (!text_.contains(what)) {
      ssize_t got = ::read(output_, piece.data(), piece.size());
      if (got <= 0) break;
      text_.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text_;
  }
  void signal(int number) { ::kill(pid_, number); }
  int waitForExit() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string text_;
};

/// The number after `before` in the output.
inline std::uint16_t numberAfter(const std::string& text, const std::string& before) {
  auto at = text.find(before);
  if (at == std::string::npos) throw std::runtime_error("not printed: " + before + " in: " + text);
  return static_cast<std::uint16_t>(std::stoi(text.substr(at + before.size())));
}

}  // namespace swarm::test
