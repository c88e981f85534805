// The Store on SQLite (WAL, synchronous=FULL): one file, one thread that writes, several queued writes per fsync.
#pragma once

#include <filesystem>
#include <memory>

#include "store/store.h"

namespace swarm {

/// Opens (and creates, with mode 0700) `data_dir` and the database swarm.db in it (mode 0600), and brings its schema up to date. Holds the
/// folder's lock until destroyed. Throws Error: Conflict when another server holds the lock (names its pid), PermissionDenied,
/// OutOfResources (disk full), Unprocessable when the database is damaged or was written by a newer version. `key_file`: of the secrets
/// (sealing.h, with its errors); empty: secrets.key in `data_dir`.
std::unique_ptr<Store> openSqliteStore(const std::filesystem::path& data_dir, const std::filesystem::path& key_file = {});

}  // namespace swarm
