// Public keys of OpenSSH (RFC 4253, section 6.6).
#include "protocol/ssh.h"

#include <algorithm>
#include <array>

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

}  // namespace

std::optional<std::string> readSshPublicKey(std::string_view text) {
  if (text.size() > kMaxSshKey) return std::nullopt;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos) return std::nullopt;
  const auto first = text.find(' ');
  if (first == std::string_view::npos) return std::nullopt;
  const std::string_view type = text.substr(0, first);
  std::string_view key = text.substr(first + 1);
  key = key.substr(0, key.find(' '));
  if (std::ranges::find(kKeyTypes, type) == kKeyTypes.end()) return std::nullopt;
  const auto bytes = fromBase64(key);
  if (!bytes || !hasType(*bytes, type)) return std::nullopt;
  return std::string(type) + ' ' + std::string(key);
}

}  // namespace swarm::agent
