// OpenSSH's form of private keys (PROTOCOL.key of OpenSSH), as far as an Ed25519 key without a passphrase needs it.
#include "ssh/host_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/id.h"
#include "base/text/format.h"
#include "protocol/ed25519.h"
#include "protocol/ssh.h"
#include "protocol/ssh_wire.h"

namespace swarm::ssh {
namespace {
namespace fs = std::filesystem;

constexpr std::string_view kFileName = "ssh_host_ed25519_key";
constexpr std::string_view kType = "ssh-ed25519";
constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----\n", kEnd = "-----END OPENSSH PRIVATE KEY-----\n";
constexpr std::string_view kMagic{"openssh-key-v1\0", 15};
constexpr std::size_t kLine = 70, kBlock = 8;

std::string publicBytes(const std::string& key) { return wireText(kType) + wireText(key); }

/// What precedes the bytes of the public key: no cipher, no key derivation, one key.
std::string headOfFile() { return std::string(kMagic) + wireText("none") + wireText("none") + wireText("") + wireNumber(1); }

std::string decodeLines(std::string_view text) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == '\n' || c == '\r'; });
  return fromBase64(digits).value_or("");
}

/// The line of the public key; empty: the text is not a key that encodePrivateKey() made, or ssh-keygen in the same way.
std::string publicKeyOf(std::string_view text) {
  const auto begin = text.find(kBegin), end = text.find(kEnd.substr(0, kEnd.size() - 1));
  if (begin != 0 || end == std::string_view::npos) return {};
  const std::string bytes = decodeLines(text.substr(kBegin.size(), end - kBegin.size()));
  const std::string head = headOfFile();
  const std::size_t size = publicBytes(std::string(ed25519::kPublicKeyBytes, ' ')).size();
  if (!bytes.starts_with(head) || bytes.size() < head.size() + 4 + size || bytes.substr(head.size(), 4) != wireNumber(size)) return {};
  return agent::readSshPublicKey(std::string(kType) + ' ' + toBase64(bytes.substr(head.size() + 4, size))).value_or("");
}

[[noreturn]] void fail(const fs::path& file, std::string_view what) {
  throw Error(ErrorCode::OutOfResources,
              format("The host key of the SSH listener, {}, could not be {}: {}.", file.native(), what, std::strerror(errno)));
}

/// A key is complete, and on the disk, before it gets its name; none is ever overwritten.
void writeNew(const fs::path& file, const std::string& text) {
  const fs::path draft = file.native() + ".new";
  ::unlink(draft.c_str());
  {
    const Descriptor out(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!out.valid() || ::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(out.get()) != 0)
      fail(file, "written");
  }
  if (::link(draft.c_str(), file.c_str()) != 0 && errno != EEXIST) fail(file, "written");
  ::unlink(draft.c_str());
  const Descriptor folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.valid()) ::fsync(folder.get());
}

}  // namespace

std::string encodePrivateKey(const Secret& seed) {
  const std::string key = ed25519::publicKeyOf(seed), check = randomBytes(4);
  std::string secret = check + check + wireText(kType) + wireText(key) + wireText(seed.reveal() + key) + wireText("");
  for (char padding = 1; secret.size() % kBlock != 0; ++padding) secret += padding;
  const std::string digits = toBase64(headOfFile() + wireText(publicBytes(key)) + wireText(secret));
  std::string text(kBegin);
  for (std::size_t at = 0; at < digits.size(); at += kLine) text += digits.substr(at, kLine) + '\n';
  return text + std::string(kEnd);
}

HostKey keepHostKey(const fs::path& data_dir) {
  const fs::path file = data_dir / kFileName;
  if (!fs::exists(file)) writeNew(file, encodePrivateKey(Secret(randomBytes(ed25519::kSeedBytes))));
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) fail(file, "read");
  if ((facts.st_mode & 077) != 0)
    throw Error(ErrorCode::Unprocessable,
                format("The host key of the SSH listener, {}, can be read by others. Run chmod 600 on it.", file.native()));
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) fail(file, "read");
  std::string public_key = publicKeyOf(text);
  if (public_key.empty())
    throw Error(ErrorCode::Unprocessable,
                format("{} is not an Ed25519 key in OpenSSH's form without a passphrase. Remove it, and the server makes another host key, "
                       "which clients must accept.",
                       file.native()));
  return {Secret(std::move(text)), std::move(public_key)};
}

}  // namespace swarm::ssh
