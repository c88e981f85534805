// Calls that find what an earlier call created.
#include "provider/flyio/app/apps.h"

#include <algorithm>

#include "base/diagnostics/fault.h"
#include "base/id.h"
#include "base/text/format.h"
#include "provider/flyio/api/transport/backoff.h"

namespace swarm::flyio {
namespace {

constexpr int kConfirmations = 2;

bool hasKind(const std::vector<IpAddress>& addresses, IpKind kind) {
  return std::ranges::find(addresses, kind, &IpAddress::kind) != addresses.end();
}

}  // namespace

awaitable<AppState> Apps::ensure(std::string app, Deadline deadline) {
  Backoff backoff(client_.tuning(), client_.tuning().lookFor);
  for (;;) {
    faultPoint("flyio.create.app.before");
    FlyResult<void> created = co_await client_.createApp(app, deadline);
    faultPoint("flyio.create.app.after");
    if (created) co_return AppState::New;
    const FlyFailure& failure = created.error();
    if (!isNameTaken(failure.fault()) && !failure.isFateOpen()) throw failure.error();
    if (co_await client_.findApp(app, deadline)) co_return AppState::Existing;
    // Taken, but not found: it was just deleted, or is not known everywhere yet (§12, pitfalls 4 and 11).
    if (!backoff.isPatient()) {
      if (failure.isFateOpen()) throw failure.error();
      throw Error(ErrorCode::Unavailable, format("The app name {} is still taken by an app that was deleted. Try again in a minute.", app));
    }
    co_await backoff.pause(deadline, format("Timed out creating the app {}.", app));
  }
}

awaitable<bool> Apps::isGone(std::string app, Confirmation confirmation, Deadline deadline) {
  std::chrono::milliseconds delay = client_.tuning().firstPause;
  for (int left = confirmation == Confirmation::Repeated ? kConfirmations : 1;; --left) {
    if (co_await client_.findApp(app, deadline)) co_return false;
    if (left == 0) co_return true;
    co_await pauseFor(delay, deadline, format("Timed out determining whether the app {} exists.", app));
    delay *= 2;
  }
}

awaitable<void> Apps::remove(std::string app, Deadline deadline) {
  faultPoint("flyio.delete.app.before");
  FlyResult<void> removed = co_await client_.deleteApp(app, deadline);
  faultPoint("flyio.delete.app.after");
  records_.forget(app);
  if (!removed && !removed.error().isAbsent()) throw removed.error().error();
}

awaitable<void> Apps::assignAddress(std::string app, IpKind kind, Deadline deadline) {
  faultPoint("flyio.create.address.before");
  FlyResult<void> assigned = co_await client_.assignIp(app, kind, deadline);
  faultPoint("flyio.create.address.after");
  if (assigned) co_return;
  const FlyFailure& failure = assigned.error();
  int status = failure.fault().status;
  if (!failure.isFateOpen() && status != 409 && status != 422) throw failure.error();
  // The list shows whether it was assigned.
  Backoff backoff(client_.tuning(), client_.tuning().lookFor);
  for (;;) {
    std::vector<IpAddress> addresses = co_await client_.listIps(app, deadline);
    if (hasKind(addresses, kind)) co_return;
    if (!failure.isFateOpen() || !backoff.isPatient()) throw failure.error();
    co_await backoff.pause(deadline, "Timed out assigning the app's addresses.");
  }
}

awaitable<void> Apps::ensureAddresses(const InstancePlan& plan, AppState state, Deadline deadline) {
  std::vector<IpAddress> present;
  if (state == AppState::Existing) present = co_await client_.listIps(plan.app, deadline);
  std::vector<IpKind> wanted{IpKind::PrivateV6};
  if (!plan.privateOnly) wanted = {IpKind::SharedV4};
  if (!plan.privateOnly && plan.ipv6) wanted.push_back(IpKind::V6);
  for (IpKind kind : wanted) {
    if (!hasKind(present, kind)) co_await assignAddress(plan.app, kind, deadline);
  }
}

awaitable<void> Apps::releaseAddresses(std::string app, Deadline deadline) {
  std::vector<IpAddress> addresses = co_await client_.listIps(app, deadline);
  for (const IpAddress& address : addresses) {
    faultPoint("flyio.delete.address.before");
    FlyResult<void> released = co_await client_.releaseIp(app, address.ip, deadline);
    faultPoint("flyio.delete.address.after");
    if (!released && !released.error().isAbsent()) throw released.error().error();
  }
}

awaitable<std::int64_t> Apps::writeSecrets(const InstancePlan& plan, Deadline deadline) {
  json::object values;
  if (!plan.agentFile.empty()) values[kAgentSecret] = toBase64(plan.agentFile.reveal());
  // Volumes have no metadata: the record says what is on one after its Machine was destroyed.
  StorageRecord record{plan.storage, plan.volumeId, plan.copyName};
  if (!plan.storage.empty()) values[kStorageSecret] = writeRecord(record);
  records_.updateKept(plan.app, record);
  if (values.empty()) co_return 0;
  faultPoint("flyio.create.secrets.before");
  std::int64_t version = co_await client_.setSecrets(plan.app, std::move(values), deadline);
  faultPoint("flyio.create.secrets.after");
  co_return version;
}

}  // namespace swarm::flyio
