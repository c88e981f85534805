// The file with the key of the sealed secrets.
#pragma once

#include <filesystem>
#include <optional>

#include "base/secret.h"

namespace swarm {

/// The key; nothing: the file does not exist. Throws Error(PermissionDenied) when other users may read the file, or this one may not, and
/// Error(Unprocessable) when it is not a key.
std::optional<Secret> readKeyFile(const std::filesystem::path& file);
/// Makes a random key. The file (0600) is durable and complete when it appears, and never replaces another. Throws Error.
Secret createKeyFile(const std::filesystem::path& file);

}  // namespace swarm
