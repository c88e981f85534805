// SSH between a client and the sshd of a workspace: the agent's path, its headers, and public keys as lines of text.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::agent {

/// GET, Upgrade: swarm-tunnel, scope ssh: an sshd for this connection alone, which admits the keys of kSshKeyHeader, certificates of
/// kSshAuthorityHeader, and nothing else. 422 when the image lacks sshd. The API's route has the same headers, without kSshAuthorityHeader.
inline constexpr std::string_view kSshTunnelPath = "/tunnel/ssh";
inline constexpr std::string_view kSshKeyHeader = "Swarm-Ssh-Key";  ///< of the request: a public key of the client; may be repeated
/// Of the request: a user's name and the public key of a CA, whose certificates for this user are admitted. Older agents ignore it.
inline constexpr std::string_view kSshAuthorityHeader = "Swarm-Ssh-Authority";
inline constexpr std::string_view kSshHostKeyHeader = "Swarm-Ssh-Host-Key";  ///< of the 101: the workspace's public key
inline constexpr std::string_view kInstanceHeader = "Swarm-Instance";        ///< of the API's 101: the instance's id
inline constexpr std::string_view kSshUser = "coder";                        ///< whom sshd admits
inline constexpr std::size_t kMaxSshKey = 4 * 1024;                          ///< RSA with 16,384 bits has 2.8 KiB

/// "TYPE BASE64", without the comment, if `text` is a public key in OpenSSH's form of a type that is in use; its bytes are those of that
/// type. The result contains neither options nor line breaks, so it is safe in authorized_keys and known_hosts.
std::optional<std::string> readSshPublicKey(std::string_view text);

/// The line of authorized_keys that a value of kSshAuthorityHeader stands for. It is safe there.
std::optional<std::string> readSshAuthority(std::string_view text);

/// A key that a user may register: complete, and strong enough.
struct SshPublicKey {
  std::string type;
  std::string line;         ///< "TYPE BASE64", always the same for one key
  std::string fingerprint;  ///< "SHA256:…", as ssh-keygen prints it
  std::string comment;      ///< as given: any bytes except line breaks and NUL
};
/// The key, or what a text must be, as the end of a sentence: "must be …".
std::expected<SshPublicKey, std::string_view> parseSshPublicKey(std::string_view text);
std::expected<SshPublicKey, std::string_view> parseSshKeyBytes(std::string_view bytes);  ///< the same, without a comment
std::string sshFingerprint(std::string_view bytes);                                      ///< of the bytes of a key

}  // namespace swarm::agent
