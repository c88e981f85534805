// JSON of an identity provider, as an object in which no name occurs twice: programs differ in which of two members they read. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace swarm::oidc {

inline constexpr std::size_t kMaxJsonValues = 4096;

/// Nothing: not JSON, not an object, deeper or larger than a provider's documents are, or with a repeated name.
std::optional<boost::json::object> parseStrictObject(std::string_view text);

/// RFC 7519 §2: seconds since the epoch, possibly with a fraction. Nothing: absent, or not such a number.
std::optional<std::int64_t> numericDate(const boost::json::object& object, std::string_view name);

std::int64_t toNumericDate(SystemTime time);

}  // namespace swarm::oidc
