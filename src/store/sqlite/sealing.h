// The secrets in the tables are sealed; those of earlier versions become so.
#pragma once

#include <filesystem>

#include "secrets/secret_box.h"
#include "sqlite/database.h"

namespace swarm::sqlite {

/// The key of the database is in `key_file`, which is made for a database that has no key yet. Then seals what an earlier version stored in
/// plain text, and removes what is left of that from the files. Safe to end at any point. Throws Error when the key file is missing,
/// damaged, another database's or readable by other users.
SecretBox openSecretBox(Database& database, const std::filesystem::path& database_file, const std::filesystem::path& key_file);

}  // namespace swarm::sqlite
