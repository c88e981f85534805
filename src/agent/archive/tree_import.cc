// Everything is created relative to an open directory.
#include "agent/archive/tree_import.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm::agent {
namespace {

using transfer::Storage;

/// The archive alone determines the shape of the new tree: a path through a file or a link, and a link to nothing, are its faults.
[[noreturn]] void failEntry(const char* doing, const std::string& path, int error) {
  const bool is_shape = error == ELOOP || error == ENOTDIR || error == EISDIR || error == ENOENT || error == EEXIST;
  if (!is_shape) transfer::failAt(doing, path, error);
  throw Error(ErrorCode::Unprocessable,
              format("The archive contradicts itself: could not {} \"{}\" ({}).", doing, path, std::generic_category().message(error)));
}

/// The destination of an entry.
struct Destination {
  std::size_t storage = 0;
  std::string folder;  ///< below the storage's top
  std::string name;    ///< empty: the top itself
  std::string path() const { return folder.empty() ? name : folder + "/" + name; }
};

class TreeImporter {
 public:
  TreeImporter(ArchiveReader& reader, Staging& staging, const transfer::StopFlag& stop) : reader_(reader), staging_(staging), stop_(stop) {}

  void run() {
    while (auto entry = reader_.next()) {
      stop_.check();
      take(*entry);
    }
    // In reverse: the contents of a directory before the directory itself, whose time they would change.
    folder_.reset();
    for (auto late = late_.rbegin(); late != late_.rend(); ++late) {
      const Storage& storage = staging_.staged()[late->storage];
      const Descriptor folder = transfer::openBelow(storage.top.get(), late->path);
      if (!folder.valid()) failEntry("open", storage.describe(late->path), errno);
      applyTo(folder.get(), late->facts, late->attributes, storage.describe(late->path));
    }
  }

 private:
  struct Late {
    std::size_t storage;
    std::string path;
    transfer::Facts facts;
    transfer::Attributes attributes;
  };

  Destination destinationOf(const std::string& path) const {
    Destination destination;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < staging_.staged().size(); ++i) {
      const std::string top = staging_.staged()[i].mountPath.substr(1);
      if (top.size() < longest || !path.starts_with(top) || (path.size() > top.size() && path[top.size()] != '/')) continue;
      longest = top.size();
      destination.storage = i;
    }
    const std::string below = path.size() > longest ? path.substr(longest + 1) : std::string();
    const auto slash = below.rfind('/');
    destination.folder = slash == std::string::npos ? std::string() : below.substr(0, slash);
    destination.name = slash == std::string::npos ? below : below.substr(slash + 1);
    return destination;
  }
  std::string shown(const Destination& destination) const {
    return staging_.staged()[destination.storage].describe(destination.folder, destination.name);
  }

  void take(const ArchiveEntry& entry) {
    const Destination destination = destinationOf(entry.path);
    if (destination.name.empty()) {
      if (entry.kind != ArchiveKind::Directory) throw Error(ErrorCode::Unprocessable, "A storage of the archive is not a folder.");
      return staging_.setTopFacts(destination.storage, entry.facts, entry.attributes);
    }
    if (const char* why = staging_.obstacle(destination.storage, destination.path(), entry.kind == ArchiveKind::Directory)) {
      reader_.notes().add(transfer::readable(entry.path), why);
      return;
    }
    const int folder = folderOf(destination);
    const char* name = destination.name.c_str();
    if (entry.kind == ArchiveKind::Directory) return makeDirectory(folder, destination, entry);
    // Of several entries with one name the last counts.
    if (::unlinkat(folder, name, 0) != 0 && errno != ENOENT) failEntry("replace", shown(destination), errno);
    switch (entry.kind) {
      case ArchiveKind::Symlink:
        if (::symlinkat(entry.link.c_str(), folder, name) != 0) failEntry("create the symbolic link", shown(destination), errno);
        return transfer::applyLinkFacts(folder, destination.name, entry.facts, shown(destination));
      case ArchiveKind::Fifo:
        if (::mkfifoat(folder, name, 0600) != 0) failEntry("create the pipe", shown(destination), errno);
        transfer::applyLinkFacts(folder, destination.name, entry.facts, shown(destination));
        if (::fchmodat(folder, name, entry.facts.mode, 0) != 0) failEntry("set the mode of", shown(destination), errno);
        return;
      case ArchiveKind::HardLink:
        return link(folder, destination, entry);
      default:
        return makeFile(folder, destination, entry);
    }
  }

  /// The parent folder of an entry. Created if the archive has not listed it before.
  int folderOf(const Destination& destination) {
    if (folder_.valid() && folder_storage_ == destination.storage && folder_path_ == destination.folder) return folder_.get();
    const Storage& storage = staging_.staged()[destination.storage];
    folder_ = transfer::openBelow(storage.top.get(), destination.folder);
    if (!folder_.valid() && errno == ENOENT) {
      for (std::size_t at = 0; at != std::string::npos;) {
        at = destination.folder.find('/', at + 1);
        makeMissing(storage, destination.folder.substr(0, at));
      }
      folder_ = transfer::openBelow(storage.top.get(), destination.folder);
    }
    if (!folder_.valid()) failEntry("open", storage.describe(destination.folder), errno);
    folder_storage_ = destination.storage;
    folder_path_ = destination.folder;
    return folder_.get();
  }

  static void makeMissing(const Storage& storage, const std::string& path) {
    const auto slash = path.rfind('/');
    const Descriptor above = transfer::openBelow(storage.top.get(), slash == std::string::npos ? std::string() : path.substr(0, slash));
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (!above.valid() || (::mkdirat(above.get(), name.c_str(), 0755) != 0 && errno != EEXIST))
      failEntry("create the directory", storage.describe(path), errno);
  }

  void makeDirectory(int folder, const Destination& destination, const ArchiveEntry& entry) {
    if (::mkdirat(folder, destination.name.c_str(), 0700) != 0) {
      struct stat status{};
      const int error = errno;
      const bool there = ::fstatat(folder, destination.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
      if (!there) failEntry("create the directory", shown(destination), error);
    }
    late_.push_back({destination.storage, destination.path(), entry.facts, entry.attributes});
  }

  void makeFile(int folder, const Destination& destination, const ArchiveEntry& entry) {
    const Descriptor file(::openat(folder, destination.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) failEntry("create the file", shown(destination), errno);
    std::int64_t offset = 0;
    for (std::string_view data; reader_.read(offset, data);) {
      stop_.check();
      while (!data.empty()) {
        const ssize_t put = ::pwrite(file.get(), data.data(), data.size(), offset);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) failEntry("write", shown(destination), errno);
        data.remove_prefix(static_cast<std::size_t>(put));
        offset += put;
      }
    }
    if (::ftruncate(file.get(), entry.facts.size) != 0) failEntry("write", shown(destination), errno);
    applyTo(file.get(), entry.facts, entry.attributes, shown(destination));
  }

  void link(int folder, const Destination& destination, const ArchiveEntry& entry) {
    const Destination first = destinationOf(entry.link);
    const Storage& storage = staging_.staged()[first.storage];
    const Descriptor there = transfer::openBelow(storage.top.get(), first.folder, O_PATH);
    if (first.name.empty() || !there.valid() || ::linkat(there.get(), first.name.c_str(), folder, destination.name.c_str(), 0) != 0)
      failEntry("link", shown(destination), first.name.empty() ? EISDIR : errno);
  }

  /// On a file system without attributes the files are kept, and a note is added.
  void applyTo(int file, const transfer::Facts& facts, const transfer::Attributes& attributes, const std::string& its_name) {
    std::string why;
    try {
      return transfer::applyFacts(file, facts, attributes, its_name);
    } catch (const Error& error) {
      if (attributes.empty() || error.code() != ErrorCode::Unprocessable) throw;
      why = error.message();
    }
    transfer::applyFacts(file, facts, {}, its_name);
    reader_.notes().add(its_name, why);
  }

  ArchiveReader& reader_;
  Staging& staging_;
  const transfer::StopFlag& stop_;
  Descriptor folder_;  // the last one written into
  std::size_t folder_storage_ = 0;
  std::string folder_path_;
  std::vector<Late> late_;
};

}  // namespace

void importTree(ArchiveReader& reader, Staging& staging, const transfer::StopFlag& stop) { TreeImporter(reader, staging, stop).run(); }

}  // namespace swarm::agent
