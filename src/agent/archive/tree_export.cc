// Uses the same walk as moves (transfer/tree/storages.h).
#include "agent/archive/tree_export.h"

#include <errno.h>
#include <fcntl.h>

#include <map>
#include <system_error>

#include "base/error.h"

namespace swarm::agent {
namespace {

using transfer::Extent;
using transfer::FileId;
using transfer::Sight;
using transfer::Storage;

constexpr std::size_t kPieceBytes = 1 << 20;
constexpr std::size_t kMaxExtents = 65'536;  // kept in the reader's memory; everything after them counts as data

/// The data ranges of an open file.
std::vector<Extent> extentsOf(int file, std::int64_t size) {
  std::vector<Extent> extents;
  Extent data;
  while ((data = transfer::nextExtent(file, data.offset + data.length, size)).length > 0) {
    if (extents.size() + 1 == kMaxExtents) data.length = size - data.offset;
    extents.push_back(data);
  }
  return extents;
}

class TreeExporter final : public transfer::Visitor {
 public:
  TreeExporter(const std::vector<Storage>& storages, ArchiveWriter& writer, ArchiveNotes& notes, const transfer::StopFlag& stop)
      : storages_(storages), writer_(writer), notes_(notes), stop_(stop) {}

  void enter(const transfer::VisitedDirectory& directory) override {
    // Hard links are made within one storage only: each may be unpacked onto a file system of its own.
    if (directory.path.empty()) links_.clear();
    ArchiveEntry own{pathOf(directory.storage, directory.path), ArchiveKind::Directory, transfer::factsOf(directory.status), {}, {}};
    try {
      own.attributes = transfer::readAttributes(directory.directory);
    } catch (const std::system_error& error) {
      transfer::failAt("read the attributes of", transfer::readable(own.path), error.code().value());
    }
    writer_.add(own);
  }

  bool entry(const transfer::VisitedDirectory& directory, const std::string& name, const Sight& sight) override {
    const Storage& storage = storages_[directory.storage];
    const std::string path = pathOf(directory.storage, transfer::join(directory.path, name));
    if (sight.error != 0) transfer::failAt("examine", storage.describe(directory.path, name), sight.error);
    if (sight.kind == Sight::Kind::LeftOut) return false;
    if (sight.kind == Sight::Kind::Vanished) {
      note(path, "vanished while it was read");
      return false;
    }
    const mode_t mode = sight.status.st_mode;
    const bool fifo = sight.kind == Sight::Kind::Skipped && S_ISFIFO(mode) && sight.status.st_dev == storage.device;
    if (sight.kind != Sight::Kind::Carried && !fifo) {
      note(path, S_ISSOCK(mode) ? "socket ignored" : sight.reason);
      return false;
    }
    if (S_ISDIR(mode)) return true;
    ArchiveEntry entry{path, fifo ? ArchiveKind::Fifo : ArchiveKind::File, transfer::factsOf(sight.status), {}, {}};
    if (sight.status.st_nlink > 1) {
      auto [first, is_new] = links_.try_emplace({sight.status.st_dev, sight.status.st_ino}, path);
      if (!is_new) {
        entry.kind = ArchiveKind::HardLink;
        entry.link = first->second;
        writer_.add(entry);
        return false;
      }
    }
    if (S_ISLNK(mode)) {
      entry.kind = ArchiveKind::Symlink;
      entry.link = transfer::readLink(directory.directory, name);
    }
    const bool there = S_ISREG(mode) ? addFile(directory, name, entry) : fifo || !entry.link.empty();
    if (there && !S_ISREG(mode)) writer_.add(entry);
    if (!there) {
      links_.erase({sight.status.st_dev, sight.status.st_ino});
      note(path, "vanished while it was read");
    }
    return false;
  }

  void unreadable(std::size_t storage, const std::string& path, int error) override {
    if (!transfer::isVanished(error)) transfer::failAt("read the directory", storages_[storage].describe(path), error);
    note(pathOf(storage, path), "vanished while it was read");
  }

 private:
  std::string pathOf(std::size_t storage, const std::string& path) const {
    const std::string top = storages_[storage].mountPath.substr(1);
    return path.empty() ? top : transfer::join(top, path);
  }
  void note(const std::string& path, const char* reason) { notes_.add(transfer::readable(path), reason); }

  bool addFile(const transfer::VisitedDirectory& directory, const std::string& name, ArchiveEntry& entry) {
    const Descriptor file(::openat(directory.directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat before{};
    if (!file.valid() || ::fstat(file.get(), &before) != 0) {
      if (!transfer::isVanished(errno)) transfer::failAt("read", storages_[directory.storage].describe(directory.path, name), errno);
      return false;
    }
    if (!S_ISREG(before.st_mode) || before.st_dev != storages_[directory.storage].device) return false;  // another entry has taken its name
    entry.facts = transfer::factsOf(before);
    try {
      entry.attributes = transfer::readAttributes(file.get());
      entry.data = extentsOf(file.get(), before.st_size);
      writer_.add(entry);
      addContent(file.get(), entry);
    } catch (const std::system_error& error) {
      transfer::failAt("read", storages_[directory.storage].describe(directory.path, name), error.code().value());
    }
    struct stat after{};
    if (::fstat(file.get(), &after) == 0 && !transfer::isUnchanged(before, after)) note(entry.path, "changed while it was read");
    return true;
  }

  /// Exactly the size in the header: a file that was truncated is padded with zeros.
  void addContent(int file, const ArchiveEntry& entry) {
    std::int64_t at = 0;
    for (const Extent& extent : entry.data) {
      writer_.hole(extent.offset - at);
      for (std::int64_t done = 0; done < extent.length;) {
        stop_.check();
        const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(extent.length - done, kPieceBytes));
        const std::size_t got = transfer::readAt(file, extent.offset + done, wanted, buffer_.data());
        std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(got), buffer_.begin() + static_cast<std::ptrdiff_t>(wanted), '\0');
        writer_.write({buffer_.data(), wanted});
        done += static_cast<std::int64_t>(wanted);
      }
      at = extent.offset + extent.length;
    }
    writer_.hole(entry.facts.size - at);
  }

  const std::vector<Storage>& storages_;
  ArchiveWriter& writer_;
  ArchiveNotes& notes_;
  const transfer::StopFlag& stop_;
  std::map<FileId, std::string> links_;  // the first name of each file that has several
  std::vector<char> buffer_ = std::vector<char>(kPieceBytes);
};

}  // namespace

void exportTree(const std::vector<Storage>& storages, ArchiveWriter& writer, ArchiveNotes& notes, const transfer::StopFlag& stop) {
  TreeExporter exporter(storages, writer, notes, stop);
  transfer::walk(storages, exporter, stop);
}

}  // namespace swarm::agent
