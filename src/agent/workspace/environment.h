// The environment of the agent's children: the container's, adapted to a login of that user.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/workspace/users.h"

namespace swarm::agent {

using Environment = std::map<std::string, std::string>;

/// The agent's own environment ("K=V" lines), without SWARM_*: those variables are internal, and users need not see them.
Environment containerEnvironment(char** environment);

/// Adds HOME, USER, LOGNAME, SHELL of `user`, puts /opt/swarm/bin into PATH, and sets LANG=C.UTF-8 unless set. `extra` takes precedence.
Environment loginEnvironment(Environment base, const UserRecord& user, const Environment& extra = {});

std::vector<std::string> toLines(const Environment& environment);  ///< "K=V"

}  // namespace swarm::agent
