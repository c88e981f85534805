// What each decorator does around a call.
#include "provider/decorators/decorators.h"

#include <random>

#include "async/deadline.h"
#include "base/diagnostics/log.h"

namespace swarm {
namespace {

std::chrono::milliseconds jittered(std::chrono::milliseconds pause) {
  thread_local std::minstd_rand random(std::random_device{}());
  std::int64_t half = pause.count() / 2;
  return std::chrono::milliseconds(half + std::uniform_int_distribution<std::int64_t>(0, half)(random));
}

bool mayRetry(const CallContext& context, const Error& error) {
  if (context.call == ProviderCall::ExecuteCommand) return false;
  return error.retryable() && error.code() != ErrorCode::DeadlineExceeded && error.code() != ErrorCode::Cancelled;
}

}  // namespace

awaitable<void> RetryProvider::around(CallContext context, Attempt attempt) {
  std::chrono::milliseconds pause = policy_.firstPause;
  for (int made = 1;; ++made) {
    std::optional<Error> failure;
    try {
      co_await attempt();
      co_return;
    } catch (const Error& error) {
      failure = error;
    }
    std::chrono::milliseconds wait = jittered(pause);
    if (!mayRetry(context, *failure) || made >= policy_.attempts || context.deadline.left() <= wait) throw *failure;
    log::debug("a provider call is made again",
               {{"call", toString(context.call)}, {"subject", context.subject}, {"attempt", made + 1}, {"error", failure->message()}});
    co_await async::sleepFor(wait);
    pause = std::min(pause * 2, policy_.longestPause);
  }
}

void FlakyProvider::fail(ProviderCall call, When when, Error error, int nth) { plans_.push_back({call, when, std::move(error), nth}); }

int FlakyProvider::calls(ProviderCall call) const {
  auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}

void FlakyProvider::throwIfPlanned(ProviderCall call, When when) {
  std::optional<Error> failure;
  for (Plan& plan : plans_) {
    if (plan.call == call && plan.when == when && --plan.left == 0) failure = plan.error;
  }
  std::erase_if(plans_, [](const Plan& plan) { return plan.left <= 0; });
  if (failure) throw *failure;
}

awaitable<void> FlakyProvider::before(CallContext context) {
  ++calls_[context.call];
  throwIfPlanned(context.call, When::Before);
  co_return;
}

awaitable<void> FlakyProvider::after(CallContext context) {
  throwIfPlanned(context.call, When::After);
  co_return;
}

awaitable<void> SlowProvider::before(CallContext context) {
  if (context.deadline.left() <= delay_) {
    co_await async::sleepUntil(context.deadline);
    throw Error(ErrorCode::DeadlineExceeded, "The provider is too slow.");
  }
  co_await async::sleepFor(delay_);
}

awaitable<void> RecordingProvider::around(CallContext context, Attempt attempt) {
  std::size_t index = calls_.size();
  calls_.push_back(std::string(toString(context.call)) + (context.subject.empty() ? "" : " " + context.subject));
  try {
    co_await attempt();
  } catch (const Error& error) {
    calls_[index] += " failed: " + std::string(swarm::toString(error.code()));
    throw;
  }
}

}  // namespace swarm
