// Commands in a container by the Engine's exec: input, output and errors apart, and the exit code.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "model/types/usage.h"
#include "provider/docker/engine/engine_client.h"

namespace swarm::docker {

/// The body of POST /containers/{id}/exec; more members may be added.
json::object execBody(const std::vector<std::string>& command, const std::string& input);

/// Starts the exec that was made, gives it `input`, and reads until it ends. Of stdout and of stderr `most_output` bytes are kept each. A
/// program that is missing or no program ends with 127 or 126 and the reason on stderr, as in a shell. Throws Error(DeadlineExceeded); the
/// command may go on then.
awaitable<CommandResult> runExec(EngineClient& engine, std::string exec, std::string input, std::size_t most_output, Deadline deadline);

/// What is thrown for bytes that are no framed stream.
Error brokenStream();

}  // namespace swarm::docker
