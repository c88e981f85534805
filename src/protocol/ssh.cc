// Public keys of OpenSSH (RFC 4253, section 6.6).
#include "protocol/ssh.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/id.h"

namespace swarm::agent {
namespace {

constexpr std::array<std::string_view, 7> kKeyTypes{"ssh-ed25519",
                                                    "ecdsa-sha2-nistp256",
                                                    "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521",
                                                    "ssh-rsa",
                                                    "sk-ssh-ed25519@openssh.com",
                                                    "sk-ecdsa-sha2-nistp256@openssh.com"};

std::optional<std::string> fromBase64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != std::string_view::npos) return std::nullopt;
  std::string url(text);
  for (int padding = 0; padding < 2 && url.ends_with('='); ++padding) url.pop_back();
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return fromBase64Url(url);
}

/// The bytes of every key begin with the length and the name of its type.
bool hasType(std::string_view bytes, std::string_view type) {
  const std::string prefix{'\0', '\0', '\0', static_cast<char>(type.size())};
  return bytes.size() > prefix.size() + type.size() && bytes.starts_with(prefix) && bytes.substr(prefix.size()).starts_with(type);
}

/// The words of a line, of which the first is a known type, and the bytes begin with it.
struct KeyLine {
  std::string_view type;
  std::string_view base64;
  std::string_view comment;
  std::string bytes;
};

std::optional<KeyLine> splitKeyLine(std::string_view text) {
  if (text.size() > kMaxSshKey) return std::nullopt;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos) return std::nullopt;
  const auto first = text.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = std::min(text.find(' ', first + 1), text.size());
  KeyLine line{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(std::min(second + 1, text.size())), {}};
  if (std::ranges::find(kKeyTypes, line.type) == kKeyTypes.end()) return std::nullopt;
  auto bytes = fromBase64(line.base64);
  if (!bytes || !hasType(*bytes, line.type)) return std::nullopt;
  line.bytes = std::move(*bytes);
  return line;
}

constexpr std::size_t kMinRsaBits = 3072, kMaxRsaBits = 16'384, kMaxExponentBits = 64;

/// Reads the fields of a key, which are texts with their lengths (RFC 4251, section 5).
class KeyFields {
 public:
  explicit KeyFields(std::string_view bytes) : rest_(bytes) {}

  /// Empty when it is missing.
  std::string_view next() {
    std::uint32_t size = 0;
    if (rest_.size() < sizeof size) return fail();
    for (int i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(sizeof size);
    if (size > rest_.size()) return fail();
    const std::string_view field = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return field;
  }
  bool isAtEnd() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view fail() {
    failed_ = true;
    rest_ = {};
    return {};
  }
  std::string_view rest_;
  bool failed_ = false;
};

/// Of a positive number in its shortest form; 0: it is not one.
std::size_t bitsOf(std::string_view number) {
  if (number.empty() || static_cast<unsigned char>(number[0]) >= 0x80) return 0;
  if (number[0] == '\0') {
    number.remove_prefix(1);
    if (number.empty() || static_cast<unsigned char>(number[0]) < 0x80) return 0;
  }
  return 8 * (number.size() - 1) + static_cast<std::size_t>(std::bit_width(static_cast<unsigned char>(number[0])));
}
bool isOdd(std::string_view number) { return (static_cast<unsigned char>(number.back()) & 1) != 0; }

bool isCurvePoint(std::string_view curve, std::string_view point) {
  const std::size_t size = curve == "nistp256" ? 65 : curve == "nistp384" ? 97 : curve == "nistp521" ? 133 : 0;
  return size != 0 && point.size() == size && point[0] == '\x04';  // uncompressed
}

/// Whether the fields are those of the type. `is_weak`: the only fault is the strength.
bool isComplete(std::string_view type, std::string_view bytes, bool& is_weak) {
  constexpr std::string_view ecdsa = "ecdsa-sha2-";
  KeyFields fields(bytes);
  fields.next();
  bool is_right = false;
  if (type == "ssh-rsa") {
    const std::string_view exponent = fields.next(), modulus = fields.next();
    const std::size_t exponent_bits = bitsOf(exponent), bits = bitsOf(modulus);
    is_right =
        exponent_bits > 1 && exponent_bits <= kMaxExponentBits && isOdd(exponent) && bits > 0 && bits <= kMaxRsaBits && isOdd(modulus);
    is_weak = is_right && bits < kMinRsaBits;
  } else if (type.starts_with(ecdsa)) {
    const std::string_view curve = fields.next();
    is_right = curve == type.substr(ecdsa.size()) && isCurvePoint(curve, fields.next());
  } else if (type == "sk-ecdsa-sha2-nistp256@openssh.com") {
    const std::string_view curve = fields.next();
    is_right = curve == "nistp256" && isCurvePoint(curve, fields.next()) && !fields.next().empty();
  } else {
    is_right = fields.next().size() == 32 && (type == "ssh-ed25519" || !fields.next().empty());
  }
  return is_right && fields.isAtEnd();
}

}  // namespace

std::optional<std::string> readSshPublicKey(std::string_view text) {
  const auto line = splitKeyLine(text);
  if (!line) return std::nullopt;
  return std::string(line->type) + ' ' + std::string(line->base64);
}

std::string sshFingerprint(std::string_view bytes) {
  std::string digest = toBase64(sha256(bytes));
  while (digest.ends_with('=')) digest.pop_back();
  return "SHA256:" + digest;
}

std::expected<SshPublicKey, std::string_view> parseSshPublicKey(std::string_view text) {
  const auto line = splitKeyLine(text);
  bool is_weak = false;
  if (!line || !isComplete(line->type, line->bytes, is_weak))
    return std::unexpected(
        "must be a public key in OpenSSH's form (ssh-ed25519, ecdsa-sha2-…, ssh-rsa or sk-…), as in ~/.ssh/id_ed25519.pub");
  if (is_weak) return std::unexpected("must be an RSA key of at least 3072 bits, or better an Ed25519 key (ssh-keygen -t ed25519)");
  const std::string type(line->type);
  return SshPublicKey{type, type + ' ' + toBase64(line->bytes), sshFingerprint(line->bytes), std::string(line->comment)};
}

}  // namespace swarm::agent
