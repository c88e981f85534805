// ProviderToken: where the token of a provider's API comes from. The token itself is in no response.
#pragma once

#include <boost/describe.hpp>
#include <optional>

#include "base/clock.h"

namespace swarm {

/// In rising order of precedence, after none.
enum class TokenSource { none, file, configuration, environment, stored };
BOOST_DESCRIBE_ENUM(TokenSource, none, file, configuration, environment, stored)

struct ProviderToken {
  TokenSource source = TokenSource::none;
  std::optional<SystemTime> setAt{};  ///< of a stored one, and of a file
};
BOOST_DESCRIBE_STRUCT(ProviderToken, (), (source, setAt))

}  // namespace swarm
