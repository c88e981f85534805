// Which states follow which, and what may be asked for in which: one table, without a side effect.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "model/types.h"

namespace swarm {

/// What is to be done about a request for an operation on an instance in some state.
enum class Admission {
  Allowed,      ///< do it
  AlreadyDone,  ///< it is so already: answer success without doing anything
  Refused,      ///< Conflict; refusal() says why
};

/// Whether `to` may follow `from`. The same status again is no transition: false.
bool canFollow(InstanceStatus from, InstanceStatus to);
/// Throws Error(Internal) when `to` may not follow `from`: a bug of ours, not of the request.
void requireCanFollow(InstanceStatus from, InstanceStatus to);

Admission admit(OperationKind kind, InstanceStatus status);
/// Error(Conflict) that says why `kind` is refused in `status` and what to do; nothing when it is not refused.
std::optional<Error> refusal(OperationKind kind, InstanceStatus status, std::string_view instance_name);
/// The status while `kind` runs ("starting"), and when it has succeeded ("running"). `update` keeps what is there: nothing.
std::optional<InstanceStatus> statusDuring(OperationKind kind);
std::optional<InstanceStatus> statusAfter(OperationKind kind);

}  // namespace swarm
