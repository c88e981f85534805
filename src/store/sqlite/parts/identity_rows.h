// Identities in SQLite.
#pragma once

#include "sqlite/writer.h"
#include "store/store.h"

namespace swarm::sqlite {

/// A part of the store, on its writer thread.
class SqliteIdentities final : public IdentityStore {
 public:
  explicit SqliteIdentities(Writer& writer) : writer_(writer) {}

  awaitable<std::vector<Identity>> list(IdentityFilter filter) override;
  awaitable<void> put(Identity identity) override;
  awaitable<void> putWithUser(Identity identity, UserRecord user) override;

 private:
  Writer& writer_;
};

}  // namespace swarm::sqlite
