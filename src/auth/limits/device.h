// Device: a browser in which a user has signed in, by its device cookie. It is counted for itself (throttle.h), and is not a credential.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace swarm {

struct Device {
  std::string id{};              ///< empty: no cookie, or another user's
  bool hasSecondFactor = false;  ///< the user has signed in there with one
};

/// The value of the cookie.
std::string signDevice(const Secret& key, std::string_view user, const Device& device);
/// In this user's cookie.
Device readDevice(const Secret& key, std::string_view value, std::string_view user);

}  // namespace swarm
