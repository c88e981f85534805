// Makes fresh storage usable: a new volume belongs to root and is empty, and VS Code's user could not write a thing into it.
#pragma once

#include <filesystem>
#include <vector>

#include "agent/users.h"

namespace swarm::agent {

/// Creates the user's home when it is missing; when it is missing, or root's and empty (a fresh volume; "lost+found" does not count), fills
/// it from `skeleton` and gives it to the user. In a home with files only the directory itself changes its owner, when it is root's. Logs
/// what fails, and goes on.
void prepareHome(const UserRecord& user, const std::filesystem::path& skeleton = "/etc/skel");

/// Gives other mount points that are root's and empty to the user; what holds files is somebody's, and stays.
void prepareMounts(const UserRecord& user, const std::vector<std::filesystem::path>& mounts);

/// A directory of the user's own, 0700, for the socket. Throws Error(Internal) when it can't be made.
void prepareSocketDirectory(const UserRecord& user, const std::filesystem::path& directory);

}  // namespace swarm::agent
