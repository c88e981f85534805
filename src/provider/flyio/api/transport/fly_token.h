// The token for Fly's API.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "base/secret.h"
#include "model/types/credentials/provider_token.h"

namespace swarm::flyio {

/// A stored one, else that of the configuration: a text, or a file that is read again when it has changed. A token is replaced without a
/// restart. Copies share what was read and stored. For one loop.
class FlyToken {
 public:
  /// The file counts when `fixed` is empty; without both there is none. Throws Error(InvalidArgument), without a token in it, for what is
  /// not a token.
  FlyToken(const Secret& fixed, std::filesystem::path file = {},  // NOLINT(google-explicit-constructor)
           TokenSource source_of_fixed = TokenSource::configuration);

  /// The former one while the file cannot be read or has no token, which is logged once. Throws Error(Unavailable) when there is none.
  const Secret& current() const;
  ProviderToken describe() const;
  /// Replaces the stored one; empty: there is none. Throws Error(InvalidArgument) for what is not a token.
  void store(const Secret& token, SystemTime set_at) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace swarm::flyio
