// A command inside the instance, with pipes or a terminal: the basis of both forms of /exec.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/process/children.h"
#include "agent/workspace/environment.h"
#include "agent/workspace/freeze.h"

namespace swarm::agent {

/// A client's request (README.md).
struct ExecSpec {
  std::vector<std::string> command;
  Environment env;
  std::string cwd;  ///< empty: the user's home
  std::string user = "coder";
  bool tty = false;
  std::int64_t columns = 80;
  std::int64_t rows = 24;
  std::string stdinText;                ///< POST only
  std::chrono::milliseconds timeout{};  ///< POST only; 0: none
};

enum class ExecForm { Buffered, Stream };
/// Throws Error(InvalidArgument) with JSON pointers to the errors.
ExecSpec readExecSpec(const boost::json::value& json, ExecForm form);

/// SIGINT for "INT" or "SIGINT"; empty for an unknown name.
std::optional<int> signalNumber(std::string_view name);

/// A running command. On one loop. The destructor closes the agent's ends of the pipes, and leaves the process to `children`.
class ExecProcess {
 public:
  ExecProcess(Executor executor, std::shared_ptr<Child> child)
      : child(std::move(child)), input(executor), output(executor), error(executor) {}

  std::shared_ptr<Child> child;
  asio::posix::stream_descriptor input;  ///< with a terminal: its master side, as output
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor error;  ///< closed with a terminal
  bool tty = false;

  void resize(std::int64_t columns, std::int64_t rows);
  void signal(int number);  ///< to the terminal's foreground group, or the process's own
  void closeInput();
  void closeAll();
};

/// The users and the environment that commands run with.
struct ExecContext {
  Executor executor;
  Children& children;
  Environment base;
  UserDatabase users;
  const Freeze* freeze = nullptr;  ///< while it is closed, nothing is started or signalled; null: never closed
  awaitable<void> whenThawed() const;
};
std::expected<std::unique_ptr<ExecProcess>, SpawnFailure> startExec(ExecContext& context, const ExecSpec& spec);

inline constexpr std::chrono::milliseconds kHangUpGrace{5'000};  ///< between SIGHUP and SIGKILL, with SIGTERM in its middle

/// The client has disconnected: sends SIGHUP to the group, SIGTERM after half of the grace period, and SIGKILL after the whole, unless the
/// command has ended. What it left behind when it ended continues. The context must outlive it.
awaitable<void> hangUp(const ExecContext& context, std::shared_ptr<Child> child, std::chrono::milliseconds grace);

}  // namespace swarm::agent
