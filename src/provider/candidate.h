// A provider's configuration that came in a request, to be checked and dropped: what its endpoint answers is not the caller's to read.
#pragma once

#include <string>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

/// The detail of a check that failed.
inline std::string failureDetail(const Error& error, bool is_candidate) {
  if (!is_candidate || error.upstream().status == 0) return error.message();
  return format("The endpoint responded with status {}, unlike an endpoint of this provider.", error.upstream().status);
}

}  // namespace swarm
