// The transitions between running and held.
#include "agent/workspace/hold.h"

#include <vector>

#include "agent/process/all_processes.h"
#include "async/deadline.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/text/format.h"
#include "protocol/agent.h"

namespace swarm::agent {
namespace {
using std::chrono::milliseconds;
constexpr milliseconds kKillPatience{5'000};  // a killed process may have many resources to release, or wait for a disk
constexpr std::string_view kDefaultReason = "This workspace is moving.";
}  // namespace

Hold::Hold(HoldParts parts) : parts_(std::move(parts)) {}

void Hold::begin(const std::string& transfer) {
  if (transfer.empty()) return parts_.start();
  requested_ = held_ = transfer;
  phase_ = Phase::Held;
  reason_ = transfer == kEgressHold ? "The rules of the workspace's network are being set." : kDefaultReason;
  log::info("started held", {{"transfer", transfer}});
  changed_.notifyAll();
}

awaitable<void> Hold::hold(std::string transfer, std::string reason) {
  reason_ = reason.empty() ? std::string(kDefaultReason) : std::move(reason);
  if (requested_ != transfer) requestTransfer(std::move(transfer));
  co_await settled(requests_);
}

awaitable<void> Hold::release() {
  if (!requested_.empty()) requestTransfer("");
  co_await settled(requests_);
}

void Hold::end() {
  ending_ = true;
  changed_.notifyAll();
}

void Hold::requestTransfer(std::string transfer) {
  requested_ = std::move(transfer);
  ++requests_;
  changed_.notifyAll();
  if (std::exchange(working_, true)) return;
  asio::co_spawn(parts_.executor, work(), asio::detached);
}

awaitable<void> Hold::settled(std::uint64_t request) {
  for (;;) {
    auto seen = changed_.version();
    if (failed_ == request) throw Error(ErrorCode::Unavailable, failure_);
    if (requests_ != request) throw Error(ErrorCode::Conflict, "The request was superseded by a newer hold or release.");
    if (isSettled()) co_return;
    if (ending_) throw Error(ErrorCode::Unavailable, "The workspace is stopping.");
    co_await changed_.wait(seen, Deadline::never());
  }
}

bool Hold::isSettled() const { return requested_.empty() ? phase_ == Phase::Running : phase_ == Phase::Held && held_ == requested_; }

awaitable<void> Hold::waitUntilHeld(Deadline deadline) const {
  auto seen = changed_.version();
  while (held_.empty() && co_await changed_.wait(seen, deadline)) seen = changed_.version();
}

awaitable<void> Hold::work() {
  while (!isSettled() && !ending_) {
    std::string problem;
    try {
      co_await step();
    } catch (...) {
      problem = describeCurrentException();
    }
    if (!problem.empty()) giveUp(problem);
    changed_.notifyAll();
  }
  working_ = false;
}

awaitable<void> Hold::step() {
  if (!requested_.empty() && phase_ != Phase::Held) co_return co_await becomeHeld();
  held_.clear();
  if (parts_.leave) co_await parts_.leave();
  held_ = requested_;
  if (!requested_.empty()) co_return;  // for another transfer than before
  phase_ = Phase::Running;
  log::info("released");
  parts_.start();
}

awaitable<void> Hold::becomeHeld() {
  auto began = std::chrono::steady_clock::now();
  auto since = [began] { return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began).count(); };
  std::string transfer = requested_;
  phase_ = Phase::Holding;
  for (Guest* guest : std::vector<Guest*>(guests_.begin(), guests_.end())) guest->notify();
  if (parts_.vscode.ready() && !guests_.empty()) co_await async::sleepFor(parts_.quiet);
  co_await stopServices();
  auto stopped = since();
  for (Guest* guest : std::vector<Guest*>(guests_.begin(), guests_.end())) guest->dismiss();
  if (!co_await terminateAll(parts_.patience, Deadline::after(parts_.patience + kKillPatience))) {
    throw Error(ErrorCode::Unavailable,
                format("These processes could not be ended: {}. The workspace continues to run in its current place.",
                       namesOfRemainingProcesses()));
  }
  phase_ = Phase::Held;
  held_ = transfer;
  log::info("held", {{"transfer", transfer}, {"milliseconds", since()}, {"servicesStoppedAfter", stopped}});
}

awaitable<void> Hold::stopServices() {
  co_await async::both(parts_.vscode.stop(Deadline::after(parts_.vscodePatience)), parts_.stopOthers(Deadline::after(parts_.patience)));
}

/// The next step starts again what was stopped.
void Hold::giveUp(std::string why) {
  log::error("failed to hold the instance", {{"reason", why}});
  if (requested_.empty()) return;  // superseded by a release: the failure no longer matters
  failed_ = requests_++;
  failure_ = std::move(why);
  requested_.clear();
}

Guest::Guest(Hold& hold) : hold_(hold), notified_(hold.closed()) { hold_.guests_.insert(this); }

Guest::~Guest() { hold_.guests_.erase(this); }

void Guest::whenNotified(std::function<void()> quiet) {
  quiet_ = std::move(quiet);
  if (notified_) quiet_();
}

void Guest::whenDismissed(std::function<void()> leave) {
  leave_ = std::move(leave);
  if (dismissed_) leave_();
}

void Guest::notify() {
  if (!std::exchange(notified_, true) && quiet_) quiet_();
}

void Guest::dismiss() {
  notify();
  if (!std::exchange(dismissed_, true) && leave_) leave_();
}

}  // namespace swarm::agent
