#include "auth/limits/device.h"

#include "auth/session/jwt.h"
#include "base/text/json_access.h"

namespace swarm {
namespace {

namespace json = boost::json;

constexpr std::string_view kDeviceAudience = "swarm-device";
constexpr std::string_view kSecondFactorClaim = "factor";

}  // namespace

std::string signDevice(const Secret& key, std::string_view user, const Device& device) {
  json::object claims{{"sub", user}, {"jti", device.id}, {"aud", kDeviceAudience}};
  if (device.hasSecondFactor) claims[kSecondFactorClaim] = true;
  return signJwt(key, claims);
}

Device readDevice(const Secret& key, std::string_view value, std::string_view user) {
  const auto claims = value.empty() ? std::nullopt : verifyJwt(key, value);
  const bool is_own = claims && stringIn(*claims, "aud") == kDeviceAudience && stringIn(*claims, "sub") == user;
  if (!is_own) return {};
  return {stringIn(*claims, "jti"), boolAt(json::value(*claims), kSecondFactorClaim)};
}

}  // namespace swarm
