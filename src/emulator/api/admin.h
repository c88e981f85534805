// /emulator/…: what tests and people do to the emulator itself, on the loopback interface only; not a part of Fly.
#pragma once

#include "emulator/api/call.h"

namespace swarm::emulator {

/// Throws Refusal and swarm::Error.
awaitable<Answer> handleAdmin(Core& core, Call& call);

}  // namespace swarm::emulator
