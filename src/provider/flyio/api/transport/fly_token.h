// The token for Fly's API.
#pragma once

#include <filesystem>
#include <memory>

#include "base/secret.h"

namespace swarm::flyio {

/// Of the configuration, or of a file that is read again when it has changed: a token is replaced without a restart. Copies share what was
/// read. For one loop.
class FlyToken {
 public:
  /// The file counts when `fixed` is empty. Throws Error(InvalidArgument), without a token in it, when there is none.
  FlyToken(const Secret& fixed, std::filesystem::path file = {});  // NOLINT(google-explicit-constructor)

  /// The former one while the file cannot be read or has no token, which is logged once.
  const Secret& current() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace swarm::flyio
