// Instance tokens: short-lived, signed, for one instance and one scope (docs/adr/0010-instance-tokens-with-a-public-key.md). Linked into
// server and agent.
//
// New agents have a public key only (Ed25519, "v2" tokens): code in a workspace cannot forge tokens. Agents that were given a secret before
// (HMAC, "v1" tokens) continue to work until their container is replaced. The key determines the version, never the token.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace swarm {

/// What a token permits at the agent. Each scope covers its own part only. Control is the server's own: it is never issued.
enum class TokenScope { Status, Exec, Vscode, Port, Ssh, Files, Control };
std::string_view toString(TokenScope scope);  ///< "status", "exec", …
/// The scopes of tokens that clients may receive: all except Control.
inline constexpr TokenScope kIssuedScopes[] = {TokenScope::Status, TokenScope::Exec, TokenScope::Vscode,
                                               TokenScope::Port,   TokenScope::Ssh,  TokenScope::Files};
std::string issuedScopeNames();  ///< "status, exec, …"
std::optional<TokenScope> issuedScopeFromString(std::string_view text);

enum class TokenFault { Malformed, BadSignature, Expired, WrongAudience, WrongScope };

enum class TokenAlgorithm { Ed25519, Hmac };

/// The server's signing key.
struct SigningKey {
  TokenAlgorithm algorithm = TokenAlgorithm::Ed25519;
  Secret bytes;  ///< Ed25519: the seed of 32 bytes
};
/// The agent's verification key.
struct VerifyingKey {
  TokenAlgorithm algorithm = TokenAlgorithm::Ed25519;
  Secret bytes;  ///< Ed25519: the public key, which is not a secret; HMAC: the server's key
};
VerifyingKey verifyingKeyOf(const SigningKey& key);

struct TokenClaims {
  std::string session;  ///< of the sign-in or API token that caused it, with which it ends; empty: the server's own
};

inline constexpr std::chrono::seconds kLongestTokenLife = std::chrono::hours(1);
/// Lifetime of a token issued to a client: even an agent that was not notified of a sign-out refuses it after this time.
inline constexpr std::chrono::seconds kLongestIssuedLife = std::chrono::minutes(5);

/// "v2.<payload>.<signature>" ("v1" for HMAC), both base64url; payload: {"aud","scope","exp"} (seconds) and, if present, "sid". HMAC tokens
/// have no session. ttl at most kLongestTokenLife.
std::string signInstanceToken(const SigningKey& key, std::string_view instance_id, TokenScope scope, std::chrono::seconds ttl,
                              const Clock& clock, std::string_view session = {});
/// Checks the signature first (HMAC: in constant time), then audience, expiry (no leeway backwards, exp exclusive) and scope. Thread-safe.
std::expected<TokenClaims, TokenFault> verifyInstanceToken(std::string_view token, const VerifyingKey& key, std::string_view instance_id,
                                                           TokenScope scope, const Clock& clock);

}  // namespace swarm
