// Refusals of the Engine and failures of its connection as swarm::Error: the only place that matches the texts that Engines respond with.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/transport/endpoint.h"

namespace swarm::engine {

inline constexpr std::size_t kMaxErrorBody = 64 * 1024;  ///< the rest is not read

/// The Engine's `message`, or the raw body when that is not JSON: printable, cut to a reasonable length.
std::string engineMessage(std::string_view body);

/// A response of 400 and above. `doing` completes "could not …": "create the container".
Error engineError(int status, std::string_view body, std::string_view doing);

/// A connection that could not be made or broke, with what to do about it.
Error transportError(const Error& cause, const Endpoint& endpoint);

/// Why the Engine refused a request, as far as a caller acts on it.
enum class Refusal {
  Other,
  NoContainer,       ///< the Engine does not have the container
  NoImage,           ///< nor the image, of a create
  NoNetwork,         ///< nor the network, of a start
  NameTaken,         ///< another container has the name, or one that is being created
  AmbiguousNetwork,  ///< several networks have the name
  RangeTaken,        ///< the address range of a new network overlaps with another one's
  BelowUsage,        ///< a memory limit below what is in use
  Unsupported,       ///< not a request of this Engine (podman 4.3)
};
Refusal refusalOf(int status, std::string_view body);

struct Refused {
  Refusal reason = Refusal::Other;
  Error error;
  bool isNotFound() const { return error.upstream().status == 404; }
  bool isConflict() const { return error.upstream().status == 409; }
};

template <typename T>
using Outcome = std::expected<T, Refused>;

/// The result of a request. Throws what the Engine refused it with.
template <typename T>
T orThrow(Outcome<T> outcome) {
  if (!outcome) throw std::move(outcome.error().error);
  if constexpr (!std::is_void_v<T>) return std::move(*outcome);
}

/// The result, or nothing where the Engine does not have the object. Throws other refusals.
template <typename T>
std::optional<T> orNothing(Outcome<T> outcome) {
  if (outcome) return std::optional<T>(std::move(*outcome));
  if (outcome.error().isNotFound()) return std::nullopt;
  throw std::move(outcome.error().error);
}

/// The exit code that a shell gives for a program that could not be started (127: missing, 126: not executable), from what the Engine
/// reports about an exec; nothing: it was started.
std::optional<int> codeOfUnstarted(std::string_view text);

/// Why a pull failed, in words of ours: what a registry responded is not for the user, who chose the registry.
std::string pullTrouble(std::string_view engine_text);

}  // namespace swarm::engine
