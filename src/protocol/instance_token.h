// Instance tokens: short-lived, signed, for one instance and one scope (docs/adr/0010-instance-tokens-with-a-public-key.md). Linked into
// server and agent.
//
// New agents hold a public key only (Ed25519, "v2" tokens): what is in a workspace can forge nothing. Agents that were given a secret
// before (HMAC, "v1" tokens) go on to work until their container is replaced. The key decides which version counts, never the token.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace swarm {

/// What a token opens at the agent. Each scope opens its own part and nothing else. Control is the server's own: it is never issued.
enum class TokenScope { Status, Exec, Vscode, Port, Ssh, Files, Control };
std::string_view toString(TokenScope scope);  ///< "status", "exec", …
/// The scopes of tokens that clients may be given: all but Control.
inline constexpr TokenScope kIssuedScopes[] = {TokenScope::Status, TokenScope::Exec, TokenScope::Vscode,
                                               TokenScope::Port,   TokenScope::Ssh,  TokenScope::Files};
std::string issuedScopeNames();  ///< "status, exec, …"
std::optional<TokenScope> issuedScopeFromString(std::string_view text);

enum class TokenFault { Malformed, BadSignature, Expired, WrongAudience, WrongScope };

enum class TokenAlgorithm { Ed25519, Hmac };

/// What the server signs with.
struct SigningKey {
  TokenAlgorithm algorithm = TokenAlgorithm::Ed25519;
  Secret bytes;  ///< Ed25519: the seed of 32 bytes
};
/// What an agent checks with.
struct VerifyingKey {
  TokenAlgorithm algorithm = TokenAlgorithm::Ed25519;
  Secret bytes;  ///< Ed25519: the public key, which is no secret; HMAC: the same as at the server
};
VerifyingKey verifyingKeyOf(const SigningKey& key);

struct TokenClaims {
  std::string session;  ///< of the sign-in or API token that caused it, with which it ends; empty: the server's own
};

inline constexpr std::chrono::seconds kLongestTokenLife = std::chrono::hours(1);
/// Of a token that was issued to a client: also an agent that could not be told of a sign-out refuses it after this time.
inline constexpr std::chrono::seconds kLongestIssuedLife = std::chrono::minutes(5);

/// "v2.<payload>.<signature>" ("v1" for HMAC), both base64url; payload: {"aud","scope","exp"} (seconds) and, where it has one, "sid". HMAC
/// tokens carry no session. ttl at most kLongestTokenLife.
std::string signInstanceToken(const SigningKey& key, std::string_view instance_id, TokenScope scope, std::chrono::seconds ttl,
                              const Clock& clock, std::string_view session = {});
/// Checks signature first (HMAC: constant time), then audience, expiry (no leeway backwards, exp exclusive) and scope. Thread-safe.
std::expected<TokenClaims, TokenFault> verifyInstanceToken(std::string_view token, const VerifyingKey& key, std::string_view instance_id,
                                                           TokenScope scope, const Clock& clock);

}  // namespace swarm
