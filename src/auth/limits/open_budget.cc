// Counters by user and by instance, under one lock.
#include "auth/limits/open_budget.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {
namespace {

/// Streams end when their clients close them, which cannot be predicted: clients retry periodically.
constexpr std::chrono::seconds kTryAgain{5};
constexpr std::size_t kReservedPart = 4;  // one in four

Error full(std::string message) { return Error(ErrorCode::TooManyRequests, std::move(message)).withRetryAfter(kTryAgain); }

}  // namespace

struct OpenBudget::State {
  struct Use {
    std::size_t streams = 0;
    std::size_t bytes = 0;
  };
  template <typename Name>
  using Uses = std::map<Name, Use>;

  explicit State(OpenLimits its_limits) : limits(its_limits) {}

  /// Removes names without use: they come from requests.
  template <typename Name>
  static void release(Uses<Name>& uses, const Name& name, std::size_t streams, std::size_t bytes) {
    auto found = uses.find(name);
    if (found == uses.end()) return;
    found->second.streams -= streams;
    found->second.bytes -= bytes;
    if (found->second.streams == 0 && found->second.bytes == 0) uses.erase(found);
  }
  template <typename Name>
  static Use useOf(const Uses<Name>& uses, const Name& name) {
    auto found = uses.find(name);
    return found == uses.end() ? Use{} : found->second;
  }

  void checkBytes(const std::string& user, std::size_t bytes) const {
    const std::size_t used = useOf(users, user).bytes;
    // A single response is always sent: the client cannot request a smaller one.
    if (used == 0 || bytes <= limits.bytesPerUser - std::min(used, limits.bytesPerUser)) return;
    throw full(
        format("Limit of {} MiB of large requests, unread responses and command output of one user or client address reached. Finish or "
               "close the open ones and try again.",
               limits.bytesPerUser / (1024 * 1024)));
  }

  const OpenLimits limits;
  std::mutex mutex;
  Uses<std::string> users;
  Uses<InstanceId> instances;
  std::size_t open = 0;
};

OpenBudget::OpenBudget(OpenLimits limits) : state_(std::make_shared<State>(limits)) {}
OpenBudget::~OpenBudget() = default;

OpenBudget::Share::Share(std::shared_ptr<State> state, std::string user, InstanceId instance, std::size_t streams, std::size_t bytes)
    : state_(std::move(state)), user_(std::move(user)), instance_(std::move(instance)), streams_(streams), bytes_(bytes) {}

OpenBudget::Share::~Share() {
  if (!state_) return;
  std::lock_guard lock(state_->mutex);
  State::release(state_->users, user_, streams_, bytes_);
  if (!instance_.empty()) State::release(state_->instances, instance_, streams_, 0);
  state_->open -= streams_;
}

OpenBudget::Share OpenBudget::take(const std::string& user, const InstanceId& instance, std::size_t bytes, Claim claim) {
  State& state = *state_;
  std::lock_guard lock(state.mutex);
  const OpenLimits& limits = state.limits;
  const bool reserves = claim == Claim::Usual && !limits.reservedFor.empty();
  const auto check = [&](std::size_t used, std::size_t limit, std::string_view whose, std::string_view advice) {
    if (reserves) limit -= limit / kReservedPart;
    if (used < limit) return;
    const std::string rest = reserves ? format(" (more are reserved for {})", limits.reservedFor) : std::string();
    throw full(format("Limit of {} {} of {} reached{}. {}", limit, limits.things, whose, rest, advice));
  };
  check(State::useOf(state.users, user).streams, limits.perUser, "one user", "Close one and try again.");
  if (!instance.empty())
    check(State::useOf(state.instances, instance).streams, limits.perInstance, "one workspace", "Close one and try again.");
  check(state.open, limits.total, "this server", "Try again later.");
  if (bytes > 0) state.checkBytes(user, bytes);
  State::Use& use = state.users[user];
  ++use.streams;
  use.bytes += bytes;
  if (!instance.empty()) ++state.instances[instance].streams;
  ++state.open;
  return Share(state_, user, instance, 1, bytes);
}

OpenBudget::Share OpenBudget::takeBytes(const std::string& user, std::size_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->checkBytes(user, bytes);
  state_->users[user].bytes += bytes;
  return Share(state_, user, {}, 0, bytes);
}

std::size_t OpenBudget::open() const {
  std::lock_guard lock(state_->mutex);
  return state_->open;
}

}  // namespace swarm
