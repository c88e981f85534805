// Public keys of OpenSSH (RFC 4253, section 6.6).
#include "protocol/ssh.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "base/id.h"
#include "protocol/ssh_wire.h"

namespace swarm::agent {
namespace {

constexpr std::array<std::string_view, 7> kKeyTypes{"ssh-ed25519",
                                                    "ecdsa-sha2-nistp256",
                                                    "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521",
                                                    "ssh-rsa",
                                                    "sk-ssh-ed25519@openssh.com",
                                                    "sk-ecdsa-sha2-nistp256@openssh.com"};

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

constexpr std::string_view kNotAKey =
    "must be a public key in OpenSSH's form (ssh-ed25519, ecdsa-sha2-…, ssh-rsa or sk-…), as in ~/.ssh/id_ed25519.pub";
constexpr std::size_t kMinRsaBits = 3072, kMaxRsaBits = 16'384, kMaxExponentBits = 64;

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
  ssh::WireReader fields(bytes);
  fields.text();
  bool is_right = false;
  if (type == "ssh-rsa") {
    const std::string_view exponent = fields.text(), modulus = fields.text();
    const std::size_t exponent_bits = bitsOf(exponent), bits = bitsOf(modulus);
    is_right =
        exponent_bits > 1 && exponent_bits <= kMaxExponentBits && isOdd(exponent) && bits > 0 && bits <= kMaxRsaBits && isOdd(modulus);
    is_weak = is_right && bits < kMinRsaBits;
  } else if (type.starts_with(ecdsa)) {
    const std::string_view curve = fields.text();
    is_right = curve == type.substr(ecdsa.size()) && isCurvePoint(curve, fields.text());
  } else if (type == "sk-ecdsa-sha2-nistp256@openssh.com") {
    const std::string_view curve = fields.text();
    is_right = curve == "nistp256" && isCurvePoint(curve, fields.text()) && !fields.text().empty();
  } else {
    is_right = fields.text().size() == 32 && (type == "ssh-ed25519" || !fields.text().empty());
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
  if (!line) return std::unexpected(kNotAKey);
  auto key = parseSshKeyBytes(line->bytes);
  if (key) key->comment = line->comment;
  return key;
}

std::expected<SshPublicKey, std::string_view> parseSshKeyBytes(std::string_view bytes) {
  const std::string type(ssh::WireReader(bytes).text());
  bool is_weak = false;
  if (std::ranges::find(kKeyTypes, type) == kKeyTypes.end() || !isComplete(type, bytes, is_weak)) return std::unexpected(kNotAKey);
  if (is_weak) return std::unexpected("must be an RSA key of at least 3072 bits, or better an Ed25519 key (ssh-keygen -t ed25519)");
  return SshPublicKey{type, type + ' ' + toBase64(bytes), sshFingerprint(bytes), {}};
}

std::optional<std::string> readSshAuthority(std::string_view text) {
  const auto end = std::min(text.find(' '), text.size());
  const std::string_view user = text.substr(0, end);
  const auto is_harmless = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  const auto key = readSshPublicKey(text.substr(std::min(end + 1, text.size())));
  if (user.empty() || !std::ranges::all_of(user, is_harmless) || !key) return std::nullopt;
  return "cert-authority,principals=\"" + std::string(user) + "\" " + *key;
}

}  // namespace swarm::agent
