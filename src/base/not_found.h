// The error for something that is not there.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

/// Error(NotFound): `There is no snapshot "monday".`
inline Error notFound(std::string_view kind, std::string_view name) {
  return Error(ErrorCode::NotFound, format("There is no {} \"{}\".", kind, name));
}

inline Error noSuchWorkspace(std::string_view ref) {
  return Error(ErrorCode::NotFound, format("There is no workspace \"{}\". Run `swarm list` to see yours.", ref));
}

}  // namespace swarm
