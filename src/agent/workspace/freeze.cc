// Stops all processes from the top of the tree down, and resumes them from the bottom up.
#include "agent/workspace/freeze.h"

#include <signal.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <ranges>
#include <unordered_map>

#include "agent/process/all_processes.h"
#include "agent/process/process_state.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {
namespace asio = boost::asio;
constexpr std::chrono::milliseconds kStep{2};
constexpr int kMinScans = 50;   // on a heavily loaded machine, 2 s may cover only a few scans
constexpr int kQuietScans = 2;  // one scan can miss a process that was started during it

bool runs(pid_t process) {
  auto state = stateOf(process);
  return state && !state->still;
}
}  // namespace

async::awaitable<std::size_t> Freeze::freeze(std::string transfer) {
  if (ended_) throw Error(ErrorCode::Unavailable, "The workspace is stopping.");
  if (closed() && transfer_ != transfer)
    throw Error(ErrorCode::Conflict, format("This workspace is frozen for another transfer, {}.", transfer_));
  if (phase_ != Phase::Freezing) {
    transfer_ = std::move(transfer);
    if (phase_ == Phase::Running) parts_.setPaused(true);
    phase_ = Phase::Freezing;
    working_.insert(attempt_ + 1);
    asio::co_spawn(parts_.executor, work(++attempt_), asio::detached);
  }
  auto mine = attempt_;
  for (;;) {
    auto seen = changed_.version();
    if (!working_.contains(mine)) {
      if (failed_ == mine) throw Error(ErrorCode::Unavailable, failure_);
      if (attempt_ != mine || phase_ == Phase::Running) throw Error(ErrorCode::Conflict, "The freeze was superseded by a thaw.");
      if (phase_ == Phase::Frozen) co_return stopped_.size();
    }
    co_await changed_.wait(seen, Deadline::never());
  }
}

async::awaitable<void> Freeze::work(std::uint64_t attempt) {
  auto began = std::chrono::steady_clock::now();
  auto end = Deadline::after(parts_.patience);
  auto very_end = Deadline::after(5 * parts_.patience);
  int calm = 0;
  int scans = 0;
  while (attempt_ == attempt && phase_ == Phase::Freezing) {
    calm = stopThoseWhoRun() ? calm + 1 : 0;
    if (calm == kQuietScans) {
      phase_ = Phase::Frozen;
      beginLease();
      auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began).count();
      log::info("frozen", {{"transfer", transfer_}, {"processes", stopped_.size()}, {"milliseconds", took}});
    } else if (auto names =
                   (++scans > kMinScans && end.hasPassed()) || very_end.hasPassed() ? namesOfRemainingProcesses(runs) : std::string();
               !names.empty() || very_end.hasPassed()) {
      failed_ = attempt;
      failure_ = format("These processes could not be stopped: {}.", names.empty() ? "others are started again and again" : names);
      log::warning("failed to freeze the instance", {{"reason", failure_}});
      thaw();
    } else {
      co_await async::sleepFor(kStep);
    }
  }
  working_.erase(attempt);
  changed_.notifyAll();
}

bool Freeze::stopThoseWhoRun() {
  std::unordered_map<pid_t, ProcessState> all;
  for (pid_t process : otherProcesses()) {
    if (auto state = stateOf(process)) all.emplace(process, *state);
  }
  bool all_stopped = true;
  for (const auto& [process, state] : all) {
    if (state.still) continue;
    all_stopped = false;
    auto parent = all.find(state.parent);
    bool is_seen_by_parent = parent != all.end() && !parent->second.still;
    if (!is_seen_by_parent && ::kill(process, SIGSTOP) == 0) remember(process, state.started);
  }
  return all_stopped;
}

void Freeze::remember(pid_t pid, std::uint64_t started) {
  bool known = std::ranges::any_of(stopped_, [&](const Stopped& one) { return one.pid == pid && one.started == started; });
  if (!known) stopped_.push_back({pid, started});
}

void Freeze::thaw() {
  if (phase_ == Phase::Running) return;
  for (const Stopped& one : std::views::reverse(stopped_)) {
    auto state = stateOf(one.pid);
    if (state && state->started == one.started) ::kill(one.pid, SIGCONT);
  }
  log::info("thawed", {{"transfer", transfer_}, {"processes", stopped_.size()}});
  stopped_.clear();
  transfer_.clear();
  phase_ = Phase::Running;
  lease_.cancel();
  parts_.setPaused(false);
  changed_.notifyAll();
}

void Freeze::end() {
  ended_ = true;
  thaw();
}

async::awaitable<bool> Freeze::waitUntilThawed(Deadline deadline) const {
  for (auto seen = changed_.version(); closed(); seen = changed_.version()) {
    if (!co_await changed_.wait(seen, deadline)) co_return !closed();
  }
  co_return true;
}

void Freeze::beginLease() {
  lease_.expires_after(parts_.lease);
  lease_.async_wait([this](boost::system::error_code cancelled) {
    if (cancelled || phase_ != Phase::Frozen || lease_.expiry() > std::chrono::steady_clock::now()) return;
    log::warning("freeze lease expired without renewal");
    thaw();
  });
}

}  // namespace swarm::agent
