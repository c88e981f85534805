// WrongUse: an invalid command line. Exit code 2, as for unknown flags.
#pragma once

#include "base/error.h"

namespace swarm::cli {

class WrongUse final : public Error {
 public:
  explicit WrongUse(std::string message) : Error(ErrorCode::InvalidArgument, std::move(message)) {}
};

}  // namespace swarm::cli
