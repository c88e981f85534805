// SessionCredentials: the API tokens and cookies of sessions. They are signed, and valid as long as their session.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "auth/limits/device.h"
#include "auth/session/sessions.h"
#include "auth/session/token_keys.h"

namespace swarm {

/// Verification does no I/O. Thread-safe after load().
class SessionCredentials {
 public:
  struct Parts {
    Store& store;
    const Clock& clock;
    const SessionTable& sessions;
    const TokenKeys& keys;
    std::string issuer;
  };
  explicit SessionCredentials(Parts parts) : parts_(std::move(parts)) {}

  /// Loads the key of cookies; the first start makes one.
  awaitable<void> load();

  Secret apiToken(const Principal& principal) const;
  std::optional<Principal> verifyApiToken(std::string_view token) const;

  std::string sessionCookie(const Principal& principal) const;
  std::optional<Principal> verifySessionCookie(std::string_view value) const;
  std::string instanceCookie(const Principal& principal, std::string_view instance_id) const;
  std::optional<Principal> verifyInstanceCookie(std::string_view value, std::string_view instance_id) const;
  std::optional<Principal> verifyAnyInstanceCookie(std::string_view value) const;

  std::string deviceCookie(std::string_view user, const Device& device) const { return signDevice(cookie_key_, user, device); }
  Device deviceOf(std::string_view value, std::string_view user) const { return readDevice(cookie_key_, value, user); }
  std::string markOf(std::string_view audience) const;

 private:
  std::string sign(const Principal& principal, std::string_view audience) const;
  template <std::predicate<std::string_view> Audience>
  std::optional<Principal> verify(std::string_view token, const Secret& key, Audience is_audience,
                                  SystemTime replaced = SystemTime::max()) const;
  bool isOfBefore(SystemTime replaced, std::int64_t issued_at, std::string_view session_id) const;

  Parts parts_;
  Secret former_api_key_;  ///< of versions before Ed25519 (HS256): their tokens are valid until they expire
  Secret cookie_key_;
};

}  // namespace swarm
