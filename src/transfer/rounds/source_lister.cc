// The source's walk: lists the tree in parts, as far as the window permits.
#include <fcntl.h>

#include <map>
#include <system_error>

#include "base/error.h"
#include "base/text/format.h"
#include "transfer/rounds/source_round.h"

namespace swarm::transfer {
namespace {

/// Walks and sends listings.
class SourceLister final : public Visitor {
 public:
  explicit SourceLister(SourceState& state) : state_(state) {}

  std::vector<std::string> visit(VisitedDirectory directory) override {
    if (links_storage_ != directory.storage) {
      // Storages may be on different file systems at the target: hard links are made within one storage only.
      links_.clear();
      links_storage_ = directory.storage;
    }
    Part part;
    part.head.storage = directory.storage;
    part.head.path = directory.path;
    part.head.facts = factsOf(directory.status);
    part.head.attributes = attributesOf(directory, {}).value_or(Attributes{});
    part.listed.storage = directory.storage;
    part.listed.path = std::make_shared<const std::string>(directory.path);
    std::vector<std::string> below;
    for (const std::string& name : directory.names) {
      state_.core.stop.check();
      if (part.entries.size() >= kListingBytes || part.listed.items.size() >= kMaxListingEntries) send(part, false);
      addChild(part, directory, name, below);
    }
    send(part, true);
    return below;
  }

  void unreadable(std::size_t storage, const std::string& path, int error) override {
    if (isVanished(error)) {
      ++state_.unstable;
    } else {
      state_.unreadable(state_.core.storages[storage].describe(path), error);
    }
  }

 private:
  struct Part {
    Listing head;
    std::string entries;
    ListedUnit listed;
  };

  void addChild(Part& part, const VisitedDirectory& directory, const std::string& name, std::vector<std::string>& below) {
    const Storage& storage = state_.core.storages[directory.storage];
    const Sight sight = examine(storage, directory.directory, directory.path, name);
    if (sight.error != 0) return state_.unreadable(storage.describe(directory.path, name), sight.error);
    if (sight.isNoteworthy()) state_.notes.add(storage.describe(directory.path, name), sight.reason);
    if (sight.kind != Sight::Kind::Carried) return;
    Entry entry;
    entry.name = name;
    entry.type = typeOf(sight.status);
    ListedUnit::Item item{name, 0, false};
    if (entry.type == EntryType::Directory) {
      below.push_back(name);
    } else {
      if (!describe(entry, directory, sight.status)) return;
      item.file = entry.type == EntryType::Regular && (entry.group == 0 || entry.groupFirst);
      item.bytes = item.file ? contentBytes(directory.directory, name, sight.status) : 0;
      ++part.listed.files;
      part.listed.bytes += item.bytes;
    }
    const std::string encoded = encode(entry);
    if (encoded.size() > kMaxEntryBytes) failAt("transfer all attributes of", storage.describe(directory.path, name), E2BIG);
    part.entries += encoded;
    part.listed.items.push_back(std::move(item));
  }

  /// False when it vanished, or cannot be described completely.
  bool describe(Entry& entry, const VisitedDirectory& directory, const struct stat& status) {
    entry.facts = factsOf(status);
    if (entry.type == EntryType::Symlink) {
      entry.linkTarget = readLink(directory.directory, entry.name);
      return !entry.linkTarget.empty();
    }
    auto attributes = attributesOf(directory, entry.name);
    if (!attributes) return false;
    entry.attributes = std::move(*attributes);
    if (status.st_nlink > 1) {
      const auto [group, first] = links_.try_emplace({status.st_dev, status.st_ino}, next_group_);
      if (first) ++next_group_;
      entry.group = group->second;
      entry.groupFirst = first;
      if (!first) return true;
    }
    if (auto known = state_.core.options.hashes->find(status)) entry.content = known->content;
    return true;
  }

  /// Empty when they are unreadable, which has then been reported.
  std::optional<Attributes> attributesOf(const VisitedDirectory& directory, const std::string& name) {
    try {
      return readAttributes(directory.directory, name);
    } catch (const std::system_error& error) {
      state_.unreadable(state_.core.storages[directory.storage].describe(directory.path, name), error.code().value());
      return std::nullopt;
    }
  }

  void send(Part& part, bool last) {
    part.head.unit = next_unit_++;
    part.head.last = last;
    Frame frame{Kind::Listing, encodeListing(part.head, part.entries, part.listed.items.size()), {}};
    if (frame.size() > kMaxPayload) failAt("list", state_.core.storages[part.head.storage].describe(part.head.path), ENAMETOOLONG);
    state_.files += part.listed.files;
    state_.bytes += part.listed.bytes;
    part.listed.cost = frame.size();
    ListedUnit next;
    next.storage = part.listed.storage;
    next.path = part.listed.path;
    state_.window.add(part.head.unit, std::move(part.listed));
    state_.core.outbox.push(std::move(frame));
    part.head.first = false;
    part.entries.clear();
    part.listed = std::move(next);
  }

  SourceState& state_;
  std::uint64_t next_unit_ = 1;
  std::size_t links_storage_ = 0;
  std::map<FileId, std::uint64_t> links_;  ///< groups of names in the current storage
  std::uint64_t next_group_ = 1;
};

}  // namespace

void SourceState::unreadable(const std::string& shown, int error) {
  if (kind == RoundKind::Final) failAt("read", shown, error);
  notes.add(shown, "could not be read: " + std::generic_category().message(error));
}

void listSource(SourceState& state) {
  SourceLister lister(state);
  walk(state.core.storages, lister, state.core.stop);
  state.listed = true;
  state.core.inbox.nudge();
}

}  // namespace swarm::transfer
