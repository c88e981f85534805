#include "auth/second_factor/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/diagnostics/check.h"
#include "base/id.h"
#include "base/text/format.h"
#include "net/http/http.h"

namespace swarm::totp {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::int64_t kSkew = 1;  // steps

}  // namespace

Secret makeSeed() { return Secret(randomBytes(kSeedBytes)); }

std::int64_t stepAt(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count() / kStepSeconds; }

std::string codeOf(const Secret& seed, std::int64_t step, std::size_t digits) {
  unsigned char counter[8];
  for (int i = 0; i < 8; ++i) counter[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (56 - 8 * i));
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const std::string& key = seed.reveal();
  SWARM_CHECK(HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), counter, sizeof counter, mac, &length) != nullptr && length == 20);
  const unsigned char* at = mac + (mac[19] & 15);
  std::uint32_t number = (std::uint32_t{at[0]} & 0x7f) << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
  std::string code(digits, '0');
  for (auto digit = code.rbegin(); digit != code.rend(); ++digit, number /= 10) *digit = static_cast<char>('0' + number % 10);
  return code;
}

std::optional<std::int64_t> match(const Secret& seed, std::string_view code, SystemTime now, std::int64_t last_used) {
  std::optional<std::int64_t> matched;
  const std::int64_t present = stepAt(now);
  // Every step is compared: the time does not depend on which one matches.
  for (std::int64_t step = present - kSkew; step <= present + kSkew; ++step)
    if (equalConstantTime(codeOf(seed, step), code) && step > last_used && !matched) matched = step;
  return matched;
}

std::string toBase32(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const unsigned char byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5; count -= 5) text.push_back(kBase32[bits >> (count - 5) & 31]);
  }
  if (count > 0) text.push_back(kBase32[bits << (5 - count) & 31]);
  return text;
}

Secret uriOf(const Secret& seed, std::string_view issuer, std::string_view user) {
  const std::string name = net::percentEncode(issuer);
  return Secret(format("otpauth://totp/{}:{}?secret={}&issuer={}", name, net::percentEncode(user), toBase32(seed.reveal()), name));
}

}  // namespace swarm::totp
