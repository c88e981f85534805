// One-time codes of an authenticator app: TOTP (RFC 6238) with SHA-1, 6 digits and 30 seconds, which every app knows. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace swarm::totp {

inline constexpr std::size_t kSeedBytes = 20;
inline constexpr std::size_t kDigits = 6;
inline constexpr std::int64_t kStepSeconds = 30;

Secret makeSeed();  ///< raw bytes

std::int64_t stepAt(SystemTime time);
/// The code of a step (RFC 4226).
std::string codeOf(const Secret& seed, std::int64_t step, std::size_t digits = kDigits);
/// The step whose code this is: the present one, or one before or after it, because clocks differ. Only steps after `last_used`, so that a
/// code counts once. Nothing: wrong, or used.
std::optional<std::int64_t> match(const Secret& seed, std::string_view code, SystemTime now, std::int64_t last_used);

std::string toBase32(std::string_view bytes);  ///< RFC 4648 §6, without padding
/// What a QR code contains: otpauth://totp/….
Secret uriOf(const Secret& seed, std::string_view issuer, std::string_view user);

}  // namespace swarm::totp
