// JSON Web Tokens (RFC 7519) with HS256, for cookies, and for API tokens of versions before Ed25519: compact form, strict header.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace swarm {

std::string signJwt(const Secret& key, const boost::json::object& claims);
/// The claims if the header is exactly {"alg":"HS256","typ":"JWT"} and the signature is valid. The caller checks their meaning.
std::optional<boost::json::object> verifyJwt(const Secret& key, std::string_view token);

}  // namespace swarm
