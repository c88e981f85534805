// The schema's history: numbered steps, each applied once, in its own transaction.
#pragma once

#include <filesystem>

#include "sqlite/database.h"

namespace swarm::sqlite {

/// Brings the schema up to date. Throws Error(Unprocessable) when the file is damaged, belongs to another program, or was written by a
/// newer version.
void migrate(Database& database, const std::filesystem::path& file);

/// The schema that this program writes: the number of the last step.
int latestSchema();

}  // namespace swarm::sqlite
