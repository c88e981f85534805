// /emulator/…: controls of the emulator itself for tests and people, on the loopback interface only; not part of Fly's API.
#pragma once

#include "emulator/api/call.h"

namespace swarm::emulator {

/// Throws Refusal and swarm::Error.
awaitable<Answer> handleAdmin(Core& core, Call& call);

}  // namespace swarm::emulator
