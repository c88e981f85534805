// How long the tests of net wait.
#pragma once

#include "async/deadline.h"

namespace swarm::net {

inline Deadline soon() { return Deadline::after(std::chrono::seconds(10)); }

}  // namespace swarm::net
