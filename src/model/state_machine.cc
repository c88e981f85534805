// The tables.
#include "model/state_machine.h"

#include "base/format.h"
#include "model/codec.h"

namespace swarm {
namespace {

using enum InstanceStatus;

struct Followers {
  InstanceStatus from;
  std::vector<InstanceStatus> to;
};

/// `stopped` and `running` follow from nearly everywhere because the provider may say so by itself: a container exits, or somebody starts
/// it behind our back.
const std::vector<Followers>& followers() {
  static const std::vector<Followers> table = {
      {creating, {running, stopped, failed, deleting}},
      {starting, {running, stopping, stopped, failed, deleting}},
      {running, {stopping, stopped, starting, failed, deleting}},
      {stopping, {stopped, running, failed, deleting}},
      {stopped, {starting, running, failed, deleting}},
      {failed, {starting, running, stopping, stopped, deleting}},
      {deleting, {deleted, failed}},
      {deleted, {}},
  };
  return table;
}

struct Rule {
  InstanceStatus status;
  Admission start, stop, restart, update;
};

constexpr Admission yes = Admission::Allowed;
constexpr Admission done = Admission::AlreadyDone;
constexpr Admission no = Admission::Refused;

/// Deleting is allowed in any state but deleted: it supersedes whatever goes on.
constexpr Rule kRules[] = {
    //            start  stop  restart update
    {creating, /**/ no, no, no, no},   {starting, /**/ done, yes, no, no},   {running, /* */ done, yes, yes, yes},
    {stopping, /**/ no, done, no, no}, {stopped, /* */ yes, done, yes, yes}, {failed, /*  */ yes, yes, yes, yes},
    {deleting, /**/ no, no, no, no},   {deleted, /* */ no, no, no, no},
};

std::string_view adviceFor(InstanceStatus status) {
  switch (status) {
    case creating:
      return "wait until it runs, or delete it";
    case starting:
    case stopping:
      return "wait until that has ended";
    case deleting:
    case deleted:
      return "create a new one";
    default:
      return "try again";
  }
}

/// "can't be …"
std::string_view participleOf(OperationKind kind) {
  switch (kind) {
    case OperationKind::create:
      return "created";
    case OperationKind::start:
      return "started";
    case OperationKind::stop:
      return "stopped";
    case OperationKind::restart:
      return "restarted";
    case OperationKind::update:
      return "updated";
    case OperationKind::remove:
      return "deleted";
  }
  return "changed";
}

}  // namespace

bool canFollow(InstanceStatus from, InstanceStatus to) {
  for (const Followers& row : followers()) {
    if (row.from == from) return std::find(row.to.begin(), row.to.end(), to) != row.to.end();
  }
  return false;
}

void requireCanFollow(InstanceStatus from, InstanceStatus to) {
  if (!canFollow(from, to))
    throw Error(ErrorCode::Internal, format("An instance that is {} can't become {}.", enumName(from), enumName(to)));
}

Admission admit(OperationKind kind, InstanceStatus status) {
  if (kind == OperationKind::create) return Admission::Refused;  // an instance that has a status was created before
  if (kind == OperationKind::remove) return status == deleted ? Admission::AlreadyDone : Admission::Allowed;
  for (const Rule& rule : kRules) {
    if (rule.status != status) continue;
    switch (kind) {
      case OperationKind::start:
        return rule.start;
      case OperationKind::stop:
        return rule.stop;
      case OperationKind::restart:
        return rule.restart;
      default:
        return rule.update;
    }
  }
  return Admission::Refused;
}

std::optional<Error> refusal(OperationKind kind, InstanceStatus status, std::string_view instance_name) {
  if (admit(kind, status) != Admission::Refused) return std::nullopt;
  if (kind == OperationKind::create) return Error(ErrorCode::Conflict, format("Instance {} was created before.", instance_name));
  bool transient = status == creating || status == starting || status == stopping;
  return Error(ErrorCode::Conflict, format("Instance {} can't be {} while it is {}: {}.", instance_name, participleOf(kind),
                                           enumName(status), adviceFor(status)))
      .withRetryable(transient);
}

std::optional<InstanceStatus> statusDuring(OperationKind kind) {
  switch (kind) {
    case OperationKind::create:
      return creating;
    case OperationKind::start:
    case OperationKind::restart:
      return starting;
    case OperationKind::stop:
      return stopping;
    case OperationKind::remove:
      return deleting;
    case OperationKind::update:
      break;
  }
  return std::nullopt;
}

std::optional<InstanceStatus> statusAfter(OperationKind kind) {
  switch (kind) {
    case OperationKind::create:
    case OperationKind::start:
    case OperationKind::restart:
      return running;
    case OperationKind::stop:
      return stopped;
    case OperationKind::remove:
      return deleted;
    case OperationKind::update:
      break;
  }
  return std::nullopt;
}

}  // namespace swarm
