// Decorators of a provider: retry (production), and flaky, slow and recording (tests).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "provider/decorators/forwarding.h"

namespace swarm {

struct RetryPolicy {
  int attempts = 4;                           ///< including the first
  std::chrono::milliseconds firstPause{100};  ///< doubled each time; the real pause is a random part, 50 to 100 %
  std::chrono::milliseconds longestPause{2000};
};

/// Repeats a call when its error is retryable and the deadline leaves time for it. Every call of the contract may be repeated except
/// executeCommand: a command may have run. DeadlineExceeded and Cancelled are final.
class RetryProvider final : public ForwardingProvider {
 public:
  RetryProvider(ProviderPtr inner, RetryPolicy policy = {}) : ForwardingProvider(std::move(inner)), policy_(policy) {}

 private:
  awaitable<void> around(CallContext context, Attempt attempt) override;
  RetryPolicy policy_;
};

/// Fails planned calls, before they are made or after they took effect (the response is lost).
class FlakyProvider final : public ForwardingProvider {
 public:
  enum class When { Before, After };
  explicit FlakyProvider(ProviderPtr inner) : ForwardingProvider(std::move(inner)) {}
  /// The n-th call (1: the next) of this kind from now on throws `error`.
  void fail(ProviderCall call, When when, Error error, int nth = 1);
  int calls(ProviderCall call) const;  ///< how many were made so far

 private:
  struct Plan {
    ProviderCall call;
    When when;
    Error error;
    int left;
  };
  void throwIfPlanned(ProviderCall call, When when);
  awaitable<void> before(CallContext context) override;
  awaitable<void> after(CallContext context) override;
  std::vector<Plan> plans_;
  std::map<ProviderCall, int> calls_;
};

/// Waits before each call; Error(DeadlineExceeded) when the call's deadline comes first.
class SlowProvider final : public ForwardingProvider {
 public:
  SlowProvider(ProviderPtr inner, std::chrono::milliseconds delay) : ForwardingProvider(std::move(inner)), delay_(delay) {}

 private:
  awaitable<void> before(CallContext context) override;
  std::chrono::milliseconds delay_;
};

/// Remembers the calls: "createInstance i-1", and " failed: unavailable" after those that threw.
class RecordingProvider final : public ForwardingProvider {
 public:
  explicit RecordingProvider(ProviderPtr inner) : ForwardingProvider(std::move(inner)) {}
  const std::vector<std::string>& calls() const { return calls_; }

 private:
  awaitable<void> around(CallContext context, Attempt attempt) override;
  std::vector<std::string> calls_;
};

}  // namespace swarm
