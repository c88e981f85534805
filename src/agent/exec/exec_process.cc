// Starting commands for /exec.
#include "agent/exec/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "async/attempt.h"
#include "async/deadline.h"
#include "base/files/descriptor.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::agent {
namespace {
constexpr std::int64_t kLargestTerminal = 10'000;
constexpr double kLongestTimeout = 24 * 3600;

struct SignalName {
  std::string_view name;
  int number;
};
constexpr std::array kSignals{SignalName{"HUP", SIGHUP},   SignalName{"INT", SIGINT},    SignalName{"QUIT", SIGQUIT},
                              SignalName{"KILL", SIGKILL}, SignalName{"TERM", SIGTERM},  SignalName{"USR1", SIGUSR1},
                              SignalName{"USR2", SIGUSR2}, SignalName{"STOP", SIGSTOP},  SignalName{"CONT", SIGCONT},
                              SignalName{"TSTP", SIGTSTP}, SignalName{"ALRM", SIGALRM},  SignalName{"ABRT", SIGABRT},
                              SignalName{"PIPE", SIGPIPE}, SignalName{"WINCH", SIGWINCH}};

bool hasNul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void checkWords(ObjectReader& reader, const ExecSpec& spec) {
  if (spec.command.empty() || spec.command.front().empty()) reader.fail("/command", "must name a program");
  if (std::ranges::any_of(spec.command, hasNul)) reader.fail("/command", "must not contain NUL characters");
  for (const auto& [name, value] : spec.env) {
    if (name.empty() || name.find('=') != std::string::npos || hasNul(name) || hasNul(value)) {
      reader.fail("/env", "must have names without \"=\", and no NUL characters");
    }
  }
  if (hasNul(spec.cwd) || (!spec.cwd.empty() && !spec.cwd.starts_with('/'))) reader.fail("/cwd", "must be an absolute path");
}

std::expected<std::pair<Descriptor, Descriptor>, SpawnFailure> makePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return std::unexpected(SpawnFailure{126, format("Cannot create a pipe: {}.", ::strerror(errno))});
  return std::pair{Descriptor(ends[0]), Descriptor(ends[1])};
}

void setNonBlocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

winsize windowSize(std::int64_t columns, std::int64_t rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(std::clamp<std::int64_t>(columns, 1, kLargestTerminal));
  size.ws_row = static_cast<unsigned short>(std::clamp<std::int64_t>(rows, 1, kLargestTerminal));
  return size;
}

/// The agent's end and the command's.
std::expected<std::pair<Descriptor, Descriptor>, SpawnFailure> makeTerminal(const ExecSpec& spec, const UserRecord& user) {
  auto failed = [] { return std::unexpected(SpawnFailure{126, format("Cannot create a terminal: {}.", ::strerror(errno))}); };
  Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  int locked = 0;
  if (!master.valid() || ::ioctl(master.get(), TIOCSPTLCK, &locked) != 0) return failed();
  // TIOCGPTPEER needs no path, so a mount cannot redirect it.
  Descriptor slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.valid()) return failed();
  if (::fchown(slave.get(), user.uid, static_cast<gid_t>(-1)) != 0 && ::geteuid() == 0) return failed();
  winsize size = windowSize(spec.columns, spec.rows);
  ::ioctl(master.get(), TIOCSWINSZ, &size);
  return std::pair{std::move(master), std::move(slave)};
}

SpawnRequest requestFor(const ExecContext& context, const ExecSpec& spec, const UserRecord& user) {
  SpawnRequest request;
  request.argv = spec.command;
  Environment environment = loginEnvironment(context.base, user);
  if (spec.tty) environment["TERM"] = "xterm-256color";
  for (const auto& [name, value] : spec.env) environment[name] = value;
  request.env = toLines(environment);
  request.cwd = spec.cwd.empty() ? user.home : spec.cwd;
  request.cwdMayFail = spec.cwd.empty();
  request.user = user;
  return request;
}

using ExecResult = std::expected<std::unique_ptr<ExecProcess>, SpawnFailure>;

ExecResult startOnTerminal(ExecContext& context, SpawnRequest request, const ExecSpec& spec) {
  auto terminal = makeTerminal(spec, request.user);
  if (!terminal) return std::unexpected(terminal.error());
  auto& [master, slave] = *terminal;
  Descriptor input(::fcntl(master.get(), F_DUPFD_CLOEXEC, 3));
  if (!input.valid()) return std::unexpected(SpawnFailure{126, format("Cannot create a terminal: {}.", ::strerror(errno))});
  request.stdinFd = request.stdoutFd = request.stderrFd = slave.get();
  request.terminal = true;
  auto child = context.children.spawn(request);
  if (!child) return std::unexpected(child.error());
  setNonBlocking(master.get());  // a flag of the open file description: applies to both descriptors
  auto process = std::make_unique<ExecProcess>(context.executor, std::move(*child));
  process->tty = true;
  process->input.assign(input.release());
  process->output.assign(master.release());
  return process;
}

ExecResult startOnPipes(ExecContext& context, SpawnRequest request) {
  auto input = makePipe(), output = makePipe(), error = makePipe();
  for (auto* pipe : {&input, &output, &error}) {
    if (!*pipe) return std::unexpected(pipe->error());
  }
  request.stdinFd = input->first.get();
  request.stdoutFd = output->second.get();
  request.stderrFd = error->second.get();
  auto child = context.children.spawn(request);
  if (!child) return std::unexpected(child.error());
  auto process = std::make_unique<ExecProcess>(context.executor, std::move(*child));
  for (int fd : {input->second.get(), output->first.get(), error->first.get()}) setNonBlocking(fd);
  process->input.assign(input->second.release());
  process->output.assign(output->first.release());
  process->error.assign(error->first.release());
  return process;
}

}  // namespace

ExecSpec readExecSpec(const boost::json::value& json, ExecForm form) {
  ObjectReader reader(json);
  ExecSpec spec;
  spec.command = reader.require<std::vector<std::string>>("command");
  spec.env = reader.read<Environment>("env").value_or(Environment{});
  spec.cwd = reader.read<std::string>("cwd").value_or("");
  if (auto user = reader.read<std::string>("user"); user && !user->empty()) spec.user = std::move(*user);
  if (form == ExecForm::Stream) {
    spec.tty = reader.read<bool>("tty").value_or(false);
    spec.columns = reader.read<std::int64_t>("columns").value_or(spec.columns);
    spec.rows = reader.read<std::int64_t>("rows").value_or(spec.rows);
  } else {
    spec.stdinText = reader.read<std::string>("stdin").value_or("");
    double seconds = reader.read<double>("timeout").value_or(0);
    if (!(seconds >= 0 && seconds <= kLongestTimeout))
      reader.fail("/timeout", "must be 0 (none) to 86400 seconds");
    else
      spec.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  }
  checkWords(reader, spec);
  reader.finish();
  return spec;
}

std::optional<int> signalNumber(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  const auto* known = std::ranges::find(kSignals, name, &SignalName::name);
  return known != kSignals.end() ? std::optional(known->number) : std::nullopt;
}

void ExecProcess::resize(std::int64_t columns, std::int64_t rows) {
  if (!tty || !output.is_open()) return;
  winsize size = windowSize(columns, rows);
  ::ioctl(output.native_handle(), TIOCSWINSZ, &size);
}

void ExecProcess::signal(int number) {
  pid_t foreground = -1;
  if (tty && output.is_open() && ::ioctl(output.native_handle(), TIOCGPGRP, &foreground) == 0 && foreground > 0) {
    ::kill(-foreground, number);
  } else if (!child->exited()) {
    child->signalGroup(number);
  }
}

awaitable<void> hangUp(const ExecContext& context, std::shared_ptr<Child> child, std::chrono::milliseconds grace) {
  co_await context.whenThawed();
  if (child->exited()) co_return;
  // In turn: a command that saves its work at one of them must not be ended by the other.
  for (int number : {SIGHUP, SIGTERM}) {
    child->signalGroup(number);
    child->signalGroup(SIGCONT);  // a stopped process would not receive the signal
    auto ended = co_await async::attempt(
        async::withDeadline(child->wait(), Deadline::after(grace / 2), "The command did not end after its client disconnected."));
    if (ended) co_return;
  }
  child->signalGroup(SIGKILL);
}

void ExecProcess::closeInput() {
  boost::system::error_code ignored;
  if (input.is_open()) input.close(ignored);
}

void ExecProcess::closeAll() {
  boost::system::error_code ignored;
  for (auto* descriptor : {&input, &output, &error}) {
    if (descriptor->is_open()) descriptor->close(ignored);
  }
}

awaitable<void> ExecContext::whenThawed() const {
  if (freeze) co_await freeze->waitUntilThawed(Deadline::never());
}

std::expected<std::unique_ptr<ExecProcess>, SpawnFailure> startExec(ExecContext& context, const ExecSpec& spec) {
  auto user = context.users.find(spec.user);
  if (!user) return std::unexpected(SpawnFailure{126, format("User {} does not exist in this workspace.", spec.user)});
  SpawnRequest request = requestFor(context, spec, *user);
  return spec.tty ? startOnTerminal(context, std::move(request), spec) : startOnPipes(context, std::move(request));
}

}  // namespace swarm::agent
