// Ids, encodings and digests over OpenSSL's primitives.
#include "base/id.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/diagnostics/check.h"

namespace swarm {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const unsigned char* bytesOf(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

int hexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

/// Milliseconds since 1970 in the upper bits, a counter within the millisecond in the lower ten: each call returns a larger value than the
/// last.
std::uint64_t nextMoment() {
  static std::atomic<std::uint64_t> last{0};
  auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::uint64_t now = static_cast<std::uint64_t>(milliseconds) << 10;
  std::uint64_t before = last.load();
  std::uint64_t moment = 0;
  do {
    moment = std::max(now, before + 1);
  } while (!last.compare_exchange_weak(before, moment));
  return moment;
}

}  // namespace

std::string randomBytes(std::size_t bytes) {
  std::string out(bytes, '\0');
  SWARM_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)) == 1);
  return out;
}

std::string newId(std::string_view prefix) {
  constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's base 32
  std::uint64_t moment = nextMoment();
  std::string out(prefix);
  out.push_back('-');
  for (int shift = 55; shift >= 0; shift -= 5) out.push_back(digits[(moment >> shift) & 31]);
  for (unsigned char byte : randomBytes(14)) out.push_back(digits[byte & 31]);
  return out;
}

std::string toHex(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    out.push_back(kHexDigits[byte >> 4]);
    out.push_back(kHexDigits[byte & 15]);
  }
  return out;
}

std::optional<std::string> fromHex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hexValue(text[i]), low = hexValue(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::string toBase64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and the terminator that OpenSSL writes
  out.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytesOf(bytes), static_cast<int>(bytes.size()))));
  return out;
}

std::string toBase64Url(std::string_view bytes) {
  std::string out = toBase64(bytes);
  out.resize(out.find_last_not_of('=') + 1);
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

std::optional<std::string> fromBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (char digit : text) {
    auto value = kBase64Url.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((buffer >> bits) & 255));
    }
  }
  if ((buffer & ((1u << bits) - 1)) != 0) return std::nullopt;  // reject a second spelling of the same bytes
  return out;
}

std::optional<std::string> fromBase64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
  std::string url(text);
  for (int padding = 0; padding < 2 && url.ends_with('='); ++padding) url.pop_back();
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return fromBase64Url(url);
}

std::string hmacSha256(std::string_view key, std::string_view message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned int length = 0;
  SWARM_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytesOf(message), message.size(),
                   reinterpret_cast<unsigned char*>(out.data()), &length) != nullptr);
  return out;
}

std::string sha256(std::string_view message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytesOf(message), message.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

bool equalConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace swarm
