// Makes fresh storage usable: a new volume is empty and belongs to root, so VS Code's user could not write to it.
#pragma once

#include <filesystem>
#include <vector>

#include "agent/workspace/users.h"

namespace swarm::agent {

/// Creates the user's home if it is missing; if it was missing, or is empty and root's (a fresh volume; "lost+found" does not count), fills
/// it from `skeleton` and gives it to the user. In a home with files only the directory itself changes its owner, if it is root's. Logs
/// failures, and continues.
void prepareHome(const UserRecord& user, const std::filesystem::path& skeleton = "/etc/skel");

/// Gives other mount points that are empty and root's to the user; those with files keep their owners.
void prepareMounts(const UserRecord& user, const std::vector<std::filesystem::path>& mounts);

/// A directory owned by the user, 0700, for the socket. Throws Error(Internal) when it cannot be created.
void prepareSocketDirectory(const UserRecord& user, const std::filesystem::path& directory);

}  // namespace swarm::agent
