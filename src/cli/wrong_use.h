// WrongUse: what was written on the command line has no meaning. Exit code 2, as for flags that do not exist.
#pragma once

#include "base/error.h"

namespace swarm::cli {

class WrongUse final : public Error {
 public:
  explicit WrongUse(std::string message) : Error(ErrorCode::InvalidArgument, std::move(message)) {}
};

}  // namespace swarm::cli
