// Supervises one process.
#include "agent/server/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include <array>

#include "agent/process/log_pipe.h"
#include "async/attempt.h"
#include "async/deadline.h"
#include "async/io_wait.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "net/connect.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kEagerProbe{5};  // while a user waits for VS Code
constexpr milliseconds kSlowStartProbe{250};
constexpr milliseconds kCalmProbe{5'000};
constexpr milliseconds kEagerTime{15'000};
constexpr milliseconds kProbeDeadline{2'000};
constexpr milliseconds kLastWords{200};  // for the remaining output in the pipe of an ended process
constexpr std::size_t kLongestQuote = 300;
constexpr int kMissedProbes = 3;  // a loaded machine responds late: only this many missed probes make it not ready
}  // namespace

milliseconds Backoff::after(std::chrono::steady_clock::duration life) {
  if (life >= limits_.healthy) next_ = limits_.first;
  auto pause = next_;
  next_ = std::min(next_ * 2, limits_.longest);
  return pause;
}

std::string_view toString(ServiceState state) {
  constexpr std::array<std::string_view, 5> names{"starting", "running", "waiting", "ended", "stopped"};  // in the order of ServiceState
  return names[static_cast<std::size_t>(state)];
}

Service::Service(Executor executor, Children& children, Environment base, ServiceOptions options, UserDatabase users)
    : executor_(executor),
      children_(children),
      base_(std::move(base)),
      options_(std::move(options)),
      users_(std::move(users)),
      pause_(executor) {
  reason_ = format("{} has not been started yet.", options_.title);
}

awaitable<void> Service::run() {
  stopping_ = false;
  running_ = true;
  return runUntilEnd();
}

awaitable<void> Service::runUntilEnd() {
  std::exception_ptr failure;
  try {
    co_await supervise();
  } catch (...) {
    failure = std::current_exception();
  }
  running_ = false;
  run_ended_.notifyAll();
  if (failure) std::rethrow_exception(failure);
}

awaitable<void> Service::supervise() {
  Backoff backoff(options_.backoff);
  while (!stopping_) {
    auto started = std::chrono::steady_clock::now();
    state_ = ServiceState::Starting;
    milliseconds pause{};
    co_await waitWhilePaused();
    if (stopping_) break;
    if (auto result = start(); !result) {
      exit_code_ = result.error().exitCode;
      if (options_.restart == Restart::Never) co_return end(result.error().message);
      pause = backoff.after({});
      reason_ = format("{} could not be started: {} Retrying in {:.1f} s.", options_.title, result.error().message,
                       static_cast<double>(pause.count()) / 1000);
    } else {
      co_await watch();
      if (stopping_) break;
      bool is_over = options_.restart == Restart::Never || (options_.restart == Restart::OnFailure && exit_code_ == 0);
      if (is_over) co_return end(format("{} has ended.", options_.title));
      co_await waitForLastWords();
      if (stopping_) break;
      pause = backoff.after(std::chrono::steady_clock::now() - started);
      explainEnd(pause);
    }
    log::warning(reason_, {{"service", options_.name}});
    state_ = ServiceState::Waiting;
    co_await pauseFor(pause);
    // Processes left over by the old one would hold its files and ports.
    if (child_) child_->signalGroup(SIGKILL);
  }
  state_ = ServiceState::Stopped;
  ready_ = false;
  reason_ = format("{} is stopped.", options_.title);
}

void Service::end(std::string reason) {
  state_ = ServiceState::Ended;
  reason_ = std::move(reason);
  log::info("ended", {{"service", options_.name}, {"exitCode", exit_code_}});
}

void Service::refuse(std::string reason) {
  state_ = ServiceState::Stopped;
  reason_ = std::move(reason);
}

std::expected<void, SpawnFailure> Service::start() {
  child_.reset();
  auto user = users_.find(options_.user);
  if (!user) return std::unexpected(SpawnFailure{126, format("User {} does not exist.", options_.user)});
  if (!options_.socket.empty()) {
    std::error_code ignored;
    std::filesystem::remove(options_.socket, ignored);
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(SpawnFailure{126, format("No pipe: {}.", ::strerror(errno))});
  Descriptor log(ends[0]), output(ends[1]);
  SpawnRequest request;
  request.argv = options_.command;
  request.env = toLines(loginEnvironment(base_, *user));
  request.cwd = options_.cwd.empty() ? user->home : options_.cwd;
  request.cwdMayFail = true;
  request.user = std::move(*user);
  request.stdoutFd = request.stderrFd = output.get();
  auto child = children_.spawn(request);
  if (!child) return std::unexpected(child.error());
  child_ = std::move(*child);
  generation_ = toHex(randomBytes(8));
  reason_ = format("{} is starting.", options_.title);
  output_ = std::make_shared<Output>();
  asio::co_spawn(executor_, carry(executor_, std::move(log), options_, output_), asio::detached);
  log::info("started", {{"service", options_.name}, {"pid", child_->pid()}, {"generation", generation_}});
  return {};
}

awaitable<void> Service::carry(Executor executor, Descriptor source, ServiceOptions options, std::shared_ptr<Output> output) {
  co_await forwardLines(executor, std::move(source), options.name, options.logFd, &output->lastLine);
  output->ended = true;
  output->end.notifyAll();
}

/// A surviving helper may hold the pipe open.
awaitable<void> Service::waitForLastWords() const {
  std::shared_ptr<Output> output = output_;
  if (!output->ended) co_await output->end.wait(output->end.version(), Deadline::after(kLastWords));
}

awaitable<void> Service::watch() {
  auto child = child_;
  if (options_.socket.empty()) {
    state_ = ServiceState::Running;
    ready_ = true;
    reason_.clear();
    became_ready_.notifyAll();
    co_await child->wait();
  } else {
    co_await async::race(child->wait(), probeUntilCancelled());
  }
  ready_ = false;
  exit_code_ = child->exitCode();
  // Its helpers should end with it; those that ignore the signal are killed before the next start.
  child->signalGroup(SIGTERM);
}

awaitable<void> Service::probeUntilCancelled() {
  auto started = std::chrono::steady_clock::now();
  int missed = 0;
  for (;;) {
    co_await waitWhilePaused();
    auto pauses = pauses_;
    bool responding = co_await probe();
    if (pauses != pauses_) continue;  // paused, so it could not respond
    if (responding) {
      if (!std::exchange(ready_, true)) {
        became_ready_.notifyAll();
        auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started).count();
        log::info("ready", {{"service", options_.name}, {"milliseconds", took}});
      }
      missed = 0;
      state_ = ServiceState::Running;
      reason_.clear();
    } else if (ready_ && ++missed >= kMissedProbes) {
      ready_ = false;
      reason_ = format("{} is running but not responding.", options_.title);
      log::warning(reason_, {{"service", options_.name}});
    }
    bool eager = std::chrono::steady_clock::now() - started < kEagerTime;
    co_await async::sleepFor(ready_ ? kCalmProbe : eager ? kEagerProbe : kSlowStartProbe);
  }
}

awaitable<void> Service::waitUntilReady(Deadline deadline) const {
  auto seen = became_ready_.version();
  while (!ready_ && co_await became_ready_.wait(seen, deadline)) seen = became_ready_.version();
}

awaitable<bool> Service::probe() {
  // One read is enough: a server that writes a status line is alive. A missing socket is normal during startup.
  std::error_code error;
  if (!std::filesystem::exists(options_.socket, error)) co_return false;
  try {
    auto deadline = Deadline::after(kProbeDeadline);
    auto stream = co_await net::connectUnix(options_.socket, deadline);
    stream->setDeadline(deadline.time());
    auto sent = co_await stream->writeAll("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    if (sent.error) co_return false;
    std::array<char, 512> response{};
    auto got = co_await stream->readSome(asio::buffer(response));
    co_return !got.error && std::string_view(response.data(), got.bytes).starts_with("HTTP/1.1 200");
  } catch (const Error&) {
    co_return false;
  }
}

awaitable<void> Service::pauseFor(milliseconds duration) {
  pause_.expires_after(duration);
  if (!stopping_) co_await async::waitTimer(pause_);
}

void Service::explainEnd(milliseconds pause) {
  std::string how = child_->wasKilled() ? format("was ended by signal {} ({})", child_->signal(), ::strsignal(child_->signal()))
                                        : format("ended with exit code {}", exit_code_);
  if (!output_->lastLine.empty()) how += format(" ({})", output_->lastLine.substr(0, kLongestQuote));
  reason_ = format("{} {}. Restarting in {:.1f} s.", options_.title, how, static_cast<double>(pause.count()) / 1000);
}

void Service::setPaused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  ++pauses_;
  unpaused_.notifyAll();
}

awaitable<void> Service::waitWhilePaused() {
  for (auto seen = unpaused_.version(); paused_ && !stopping_; seen = unpaused_.version()) co_await unpaused_.wait(seen, Deadline::never());
}

awaitable<void> Service::stop(Deadline deadline) {
  stopping_ = true;
  unpaused_.notifyAll();
  pause_.cancel();
  if (auto child = child_; child && !child->exited()) {
    child->signalGroup(SIGTERM);
    auto ended = co_await async::attempt(async::withDeadline(child->wait(), deadline, options_.title + " did not stop in time."));
    if (!ended) log::warning("service did not stop in time and was killed", {{"service", options_.name}});
    child->signalGroup(SIGKILL);
    co_await child->wait();
  }
  auto seen = run_ended_.version();
  while (running_ && stopping_ && co_await run_ended_.wait(seen, Deadline::never())) seen = run_ended_.version();
}

}  // namespace swarm::agent
