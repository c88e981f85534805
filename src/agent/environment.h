// The environment of the processes that the agent starts: the container's, made into what a login of that user would see.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/users.h"

namespace swarm::agent {

using Environment = std::map<std::string, std::string>;

/// The agent's own environment ("K=V" lines), without SWARM_*: that is ours, and may hold what a person need not see.
Environment containerEnvironment(char** environment);

/// Adds HOME, USER, LOGNAME, SHELL of `user`, puts /opt/swarm/bin into PATH, and sets LANG=C.UTF-8 where nothing is set. `extra` wins.
Environment loginEnvironment(Environment base, const UserRecord& user, const Environment& extra = {});

std::vector<std::string> toLines(const Environment& environment);  ///< "K=V"

}  // namespace swarm::agent
