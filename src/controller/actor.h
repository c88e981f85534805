// Actor: on whose behalf a change is made.
#pragma once

#include <functional>
#include <string>

#include "model/types/instance.h"

namespace swarm {

struct Actor {
  Actor() = default;
  Actor(std::string user) : name(std::move(user)) {}  // NOLINT: tests and the server itself have a name only
  Actor(const char* user) : name(user) {}             // NOLINT
  std::string name;
  /// Which instances a refusal may name.
  std::function<bool(const Instance&)> sees = [](const Instance&) { return false; };
};

}  // namespace swarm
