// Classification of responses.
#include "provider/flyio/api/transport/fly_reply.h"

#include "base/text/format.h"

namespace swarm::flyio {

bool FlyReply::isAbsent() const { return status == 404 && !isUnroutedPath(body); }

bool FlyReply::isFateOpen() const {
  if (status == 0 || status == 408) return true;
  if (ok()) return true;  // the caller did not find what it expected in the response
  return status >= 500 && shortageOf(fault()) == Shortage::None;
}

FlyFault FlyReply::fault() const {
  if (status == 0) return {0, trouble, {}, requestId};
  return readFault(status, body, requestId);
}

FlyFailure::FlyFailure(const FlyReply& reply, std::string doing, std::string base_url)
    : fault_(reply.fault()),
      doing_(std::move(doing)),
      base_url_(std::move(base_url)),
      is_absent_(reply.isAbsent()),
      is_fate_open_(reply.isFateOpen()),
      is_cut_(reply.isCut()) {}

Error FlyFailure::error(std::string_view detail) const {
  std::string doing = doing_ + std::string(detail);
  if (is_cut_) {
    return Error(ErrorCode::UpstreamFailed,
                 format("Fly's response to the request to {} was empty or incomplete (status {}). Try again.", doing, fault_.status))
        .withRetryable(true)
        .withUpstream({.status = fault_.status, .requestId = fault_.requestId});
  }
  if (fault_.status != 0) return flyError(fault_, doing);
  return Error(ErrorCode::Unavailable,
               format("Fly's Machines API at {} did not respond to the request to {}: {}.", base_url_, doing, fault_.text));
}

}  // namespace swarm::flyio
