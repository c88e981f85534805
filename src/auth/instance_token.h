// Instance tokens: short-lived, HMAC-signed, for one instance and one scope (architecture.md §7). Linked into server and agent.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace swarm {

/// What a token opens at the agent. Each scope opens its own part and nothing else.
enum class TokenScope { Status, Exec, Vscode, Port, Ssh, Files };
std::string_view toString(TokenScope scope);  ///< "status", "exec", …

enum class TokenFault { Malformed, BadSignature, Expired, WrongAudience, WrongScope };

/// "v1.<payload>.<signature>", both base64url; payload: {"aud","scope","exp"} (seconds). ttl at most one hour.
std::string signInstanceToken(const Secret& key, std::string_view instance_id, TokenScope scope, std::chrono::seconds ttl,
                              const Clock& clock);
/// Checks signature first (constant time), then audience, expiry (no leeway backwards, exp exclusive) and scope. Thread-safe.
std::expected<void, TokenFault> verifyInstanceToken(std::string_view token, const Secret& key, std::string_view instance_id,
                                                    TokenScope scope, const Clock& clock);

}  // namespace swarm
