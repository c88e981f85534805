// ProviderTokens: the tokens of providers that an administrator stored. The store seals them, as "provider.<type>.token".
#pragma once

#include "async/lock/semaphore.h"
#include "controller/state/context.h"

namespace swarm::control {

/// For the control loop only.
class ProviderTokens {
 public:
  explicit ProviderTokens(const Context& context) : context_(context) {}

  /// Before the providers are opened. A token that cannot be read is not used, which is logged: another can be stored.
  awaitable<void> load();
  /// See SwarmController::setProviderToken().
  awaitable<ProviderToken> set(ProviderType type, Secret token, bool unchecked);
  awaitable<ProviderToken> remove(ProviderType type);

 private:
  ApiToken& require(ProviderType type) const;

  const Context& context_;
  async::Semaphore turns_{1, "Another change of a provider's token takes long. Try again."};  ///< the stored one is the one in use
};

}  // namespace swarm::control
