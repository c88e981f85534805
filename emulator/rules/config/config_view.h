// Lenient accessors for a configuration that is stored as the original JSON (§3: unknown keys survive), and its strict validation.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/state/world.h"

namespace swarm::emulator {

std::string_view goKind(const json::value& value);  ///< Go's word for the type, in its error texts
// Empty when the member is absent or of another type.
std::string textOf(const json::object& object, std::string_view name);
bool flagOf(const json::object& object, std::string_view name);
std::optional<std::int64_t> integerOf(const json::object& object, std::string_view name);
const json::object* objectOf(const json::object& object, std::string_view name);
const json::array* arrayOf(const json::object& object, std::string_view name);
std::vector<std::string> textsOf(const json::object& object, std::string_view name);
/// The first element of the list `name`, if it is an object.
const json::object* firstObject(const json::object& object, std::string_view name);
/// A duration in Fly's formats: a Go string, or nanoseconds.
std::optional<std::chrono::milliseconds> durationOf(const json::object& object, std::string_view name);

/// config.guest with its defaults; also accepts config.size ("shared-cpu-1x"). Throws Refusal with the texts of §3 "Guest sizes".
GuestSize checkGuest(const json::object& config);
GuestSize checkGuestObject(const json::object& guest);
/// Validates everything except guest and the mounts' volumes: image, number of mounts, services, restart, stop_config, files. Throws
/// Refusal.
void checkConfig(const json::object& config);

/// restart.policy: how often the main process is restarted (§3).
struct RestartPolicy {
  enum class When { Never, Always, OnFailure };
  When when = When::OnFailure;
  std::int64_t maxRetries = 10;
};
RestartPolicy restartPolicyOf(const json::object& config);

/// The backend's plan of a Machine: configuration, secrets and Fly's own variables, combined (§3).
MachinePlan planOf(const Machine& machine);
ImageReference parseImage(std::string_view reference);
std::string imageName(const ImageReference& image);  ///< registry/repository:tag
/// The backend's name for it: a response's image_ref, which clients send back, contains Docker Hub and the digest after the tag.
std::string backendName(std::string_view reference);

}  // namespace swarm::emulator
