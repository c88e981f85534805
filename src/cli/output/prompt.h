// Secrets that a person types.
#pragma once

#include <string>

#include "base/secret.h"

namespace swarm::cli {

/// A line from the terminal, without echo; with `from_stdin`, or without a terminal, the next line of standard input.
Secret readSecret(const std::string& what, bool from_stdin = false);
/// The same, typed twice on a terminal. Throws Error(InvalidArgument) when the two differ.
Secret readNewPassword(const std::string& what, bool from_stdin);

}  // namespace swarm::cli
