// Waiting for processes.
#include "agent/process/children.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/io_wait.h"

namespace swarm::agent {

awaitable<void> Child::wait() {
  while (!exited_) co_await async::waitTimer(exited_timer_);
}

void Child::signalGroup(int number) const { ::kill(-pid_, number); }

void Child::setExited(int status) {
  exited_ = true;
  signal_ = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + signal_;
  exited_timer_.cancel();
}

Children::Children(Executor executor) : executor_(executor), signals_(executor, SIGCHLD) {}

awaitable<void> Children::run() {
  for (;;) {
    reap();
    boost::system::error_code error;
    co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error || stopped_) co_return;
  }
}

void Children::stop() {
  stopped_ = true;
  signals_.cancel();
}

void Children::reap() {
  for (;;) {
    int status = 0;
    pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    auto found = children_.find(pid);
    if (found == children_.end()) {
      ++orphans_;
      continue;
    }
    auto child = std::move(found->second);
    children_.erase(found);
    child->setExited(status);
  }
}

std::expected<std::shared_ptr<Child>, SpawnFailure> Children::spawn(const SpawnRequest& request) {
  // Only this thread reaps, so the child cannot be reaped between its start and its entry here.
  auto pid = spawnProcess(request);
  if (!pid) return std::unexpected(pid.error());
  auto child = std::make_shared<Child>(executor_, *pid);
  children_.emplace(*pid, child);
  return child;
}

}  // namespace swarm::agent
