// The digest of a tree, and the lines that it hashes. Each agent computes it from its own file system.
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>

#include <system_error>

#include "base/diagnostics/check.h"
#include "base/error.h"
#include "base/text/format.h"
#include "transfer/hash/hash_workers.h"
#include "transfer/rounds/session_state.h"

namespace swarm::transfer {
namespace {

class TreeHash {
 public:
  TreeHash() : context_(::EVP_MD_CTX_new()) { SWARM_CHECK(context_ && ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) == 1); }
  void add(std::string_view bytes) { SWARM_CHECK(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }
  std::string finish() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    SWARM_CHECK(::EVP_DigestFinal_ex(context_.get(), bytes, &length) == 1);
    std::string text;
    for (unsigned int at = 0; at < length; ++at) text += format("{:02x}", bytes[at]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { ::EVP_MD_CTX_free(context); })> context_;
};

std::string attributeText(const Attributes& attributes) {
  if (attributes.empty()) return "-";
  Encoder all;
  for (const Attribute& attribute : attributes) all.bytes(attribute.name).bytes(attribute.value);
  return hexadecimal(hashBytes(all.text()));
}

std::string commonText(const struct stat& status, const Attributes& attributes) {
  return format("mode={:o} uid={} gid={} mtime={}.{:09} attributes={}", status.st_mode & 07777, status.st_uid, status.st_gid,
                static_cast<std::int64_t>(status.st_mtim.tv_sec), static_cast<std::int64_t>(status.st_mtim.tv_nsec),
                attributeText(attributes));
}

using LineSink = std::function<void(ManifestLine)>;

class Digester final : public Visitor {
 public:
  Digester(SessionState& session, bool held, LineSink sink)
      : session_(session),
        trust_(session.storages, held || session.options.role == Role::Target ? Trust::Sync::WritersStopped : Trust::Sync::Needed),
        sink_(std::move(sink)),
        workers_(*session.options.hashes, trust_, session.stop, session.counters.bytes) {}

  void enter(const VisitedDirectory& directory) override {
    if (directory.path.empty()) links_.clear();
    line(directory, {}, "type=directory " + commonText(directory.status, attributesOf(directory, {})));
  }

  bool entry(const VisitedDirectory& directory, const std::string& name, const Sight& sight) override {
    if (sight.error != 0) failAt("examine", session_.storages[directory.storage].describe(directory.path, name), sight.error);
    if (sight.kind != Sight::Kind::Carried) return false;
    if (S_ISDIR(sight.status.st_mode)) return true;
    file(directory, name, sight.status);
    return false;
  }

  void unreadable(std::size_t storage, const std::string& path, int error) override {
    if (!isVanished(error)) failAt("read the directory", session_.storages[storage].describe(path), error);
  }

  DigestReport report() {
    workers_.finish();
    return {hash_.finish(), files_, bytes_};
  }

 private:
  Attributes attributesOf(const VisitedDirectory& directory, const std::string& name) const {
    try {
      return readAttributes(directory.directory, name);
    } catch (const std::system_error& error) {
      failAt("read the attributes of", session_.storages[directory.storage].describe(directory.path, name), error.code().value());
    }
  }

  void file(const VisitedDirectory& directory, const std::string& name, const struct stat& status) {
    ++files_;
    ++session_.counters.files;
    if (S_ISLNK(status.st_mode)) {
      const std::string target = readLink(directory.directory, name);
      line(directory, name, "type=link " + commonText(status, {}) + " target=" + hexadecimal(hashBytes(target)));
      return;
    }
    std::string text = "type=file " + commonText(status, attributesOf(directory, name)) + format(" size={}", status.st_size);
    if (status.st_nlink > 1) {
      // The first name carries the content; further names refer to the first.
      const Hash path = hashBytes(join(directory.path, name));
      const auto [first, is_first] = links_.try_emplace(FileId{status.st_dev, status.st_ino}, path);
      if (!is_first) return line(directory, name, text + " linked=" + hexadecimal(first->second));
    }
    bytes_ += contentBytes(directory.directory, name, status);
    content(directory, name, status, std::move(text));
  }

  /// Adds the line of a file with content, in order, once the content's hash is known.
  void content(const VisitedDirectory& directory, const std::string& name, const struct stat& status, std::string text) {
    if (const auto known = session_.options.hashes->find(status)) {
      session_.counters.bytes += contentBytes(directory.directory, name, status);
      return line(directory, name, text + " content=" + hexadecimal(known->content));
    }
    const std::string shown = session_.storages[directory.storage].describe(directory.path, name);
    Descriptor file(::openat(directory.directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat opened{};
    const bool there = file.valid() && ::fstat(file.get(), &opened) == 0;
    if (!there && !isVanished(errno)) failAt("read", shown, errno);
    // A file that is being written has no content that both sides could agree on.
    if (!there || !isUnchanged(status, opened) || opened.st_ino != status.st_ino) {
      return line(directory, name, text + " content=changing");
    }
    workers_.add(
        std::move(file), opened,
        [this, storage = directory.storage, path = directory.path, name, text = std::move(text)](std::optional<FileHashes> hashes) {
          write({storage, path, name, text + " content=" + (hashes ? hexadecimal(hashes->content) : "changing")});
        },
        [shown](int error) { failAt("read", shown, error); });
  }

  void line(const VisitedDirectory& directory, const std::string& name, std::string facts) {
    workers_.add([this, made = ManifestLine{directory.storage, directory.path, name, std::move(facts)}](std::optional<FileHashes>) mutable {
      write(std::move(made));
    });
  }

  void write(ManifestLine made) {
    Encoder encoded;
    encoded.number(made.storage).bytes(made.directory).bytes(made.name).bytes(made.facts);
    hash_.add(encoded.text());
    if (sink_) sink_(std::move(made));
  }

  SessionState& session_;
  Trust trust_;
  LineSink sink_;
  TreeHash hash_;
  std::map<FileId, Hash> links_;
  std::int64_t files_ = 0;
  std::int64_t bytes_ = 0;
  HashWorkers workers_;
};

}  // namespace

DigestReport runDigest(SessionState& session, bool held) {
  session.options.hashes->beginPass();
  Digester digester(session, held, {});
  walk(session.storages, digester, session.stop);
  return digester.report();
}

void runManifest(SessionState& session, bool held) {
  std::vector<ManifestLine> lines;
  std::size_t bytes = 0;
  const auto send = [&] {
    session.outbox.push({Kind::ManifestLines, encode(lines), {}});
    lines.clear();
    bytes = 0;
  };
  session.options.hashes->beginPass();
  Digester digester(session, held, [&](ManifestLine line) {
    bytes += line.directory.size() + line.name.size() + line.facts.size() + 16;
    lines.push_back(std::move(line));
    if (bytes > kListingBytes) send();
  });
  walk(session.storages, digester, session.stop);
  static_cast<void>(digester.report());
  send();
}

}  // namespace swarm::transfer
