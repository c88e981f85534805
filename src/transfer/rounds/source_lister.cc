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

  void enter(const VisitedDirectory& directory) override {
    if (links_storage_ != directory.storage) {
      // Storages may be on different file systems at the target: hard links are made within one storage only.
      links_.clear();
      links_storage_ = directory.storage;
    }
    part_ = Part();
    part_.head.storage = directory.storage;
    part_.head.path = directory.path;
    part_.head.facts = factsOf(directory.status);
    part_.head.attributes = attributesOf(directory, {}).value_or(Attributes{});
    part_.head.last = false;
    part_.listed.storage = directory.storage;
    part_.listed.path = std::make_shared<const std::string>(directory.path);
  }

  bool entry(const VisitedDirectory& directory, const std::string& name, const Sight& sight) override {
    const Storage& storage = state_.session.storages[directory.storage];
    if (part_.entries.size() >= kListingBytes || part_.listed.items.size() >= kMaxListingEntries) send();
    if (sight.error != 0)
      state_.unreadable(storage.describe(directory.path, name), sight.error);
    else if (sight.isNoteworthy())
      state_.notes.add(storage.describe(directory.path, name), sight.reason);
    if (sight.kind != Sight::Kind::Carried) return false;
    Entry entry;
    entry.name = name;
    entry.type = typeOf(sight.status);
    ListedUnit::Item item{name, 0, false};
    if (entry.type != EntryType::Directory) {
      if (!describe(entry, directory, sight.status)) return false;
      item.file = entry.type == EntryType::Regular && (entry.group == 0 || entry.groupFirst);
      item.bytes = item.file ? contentBytes(directory.directory, name, sight.status) : 0;
      ++part_.listed.files;
      part_.listed.bytes += item.bytes;
    }
    const std::string encoded = encode(entry);
    if (encoded.size() > kMaxEntryBytes) failAt("transfer all attributes of", storage.describe(directory.path, name), E2BIG);
    part_.entries += encoded;
    part_.listed.items.push_back(std::move(item));
    return entry.type == EntryType::Directory;
  }

  void leave() override {
    part_.head.last = true;
    send();
  }

  void unreadable(std::size_t storage, const std::string& path, int error) override {
    if (isVanished(error)) {
      ++state_.unstable;
    } else {
      state_.unreadable(state_.session.storages[storage].describe(path), error);
    }
  }

 private:
  struct Part {
    Listing head;
    std::string entries;
    ListedUnit listed;
  };

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
    if (auto known = state_.session.options.hashes->find(status)) entry.content = known->content;
    return true;
  }

  /// Empty when they are unreadable, which has then been reported.
  std::optional<Attributes> attributesOf(const VisitedDirectory& directory, const std::string& name) {
    try {
      return readAttributes(directory.directory, name);
    } catch (const std::system_error& error) {
      state_.unreadable(state_.session.storages[directory.storage].describe(directory.path, name), error.code().value());
      return std::nullopt;
    }
  }

  void send() {
    part_.head.unit = next_unit_++;
    Frame frame{Kind::Listing, encodeListing(part_.head, part_.entries, part_.listed.items.size()), {}};
    if (frame.size() > kMaxPayload) failAt("list", state_.session.storages[part_.head.storage].describe(part_.head.path), ENAMETOOLONG);
    state_.files += part_.listed.files;
    state_.bytes += part_.listed.bytes;
    part_.listed.cost = frame.size();
    ListedUnit next;
    next.storage = part_.listed.storage;
    next.path = part_.listed.path;
    state_.window.add(part_.head.unit, std::move(part_.listed));
    state_.session.outbox.push(std::move(frame));
    part_.head.first = false;
    part_.entries.clear();
    part_.listed = std::move(next);
  }

  SourceState& state_;
  Part part_;
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
  walk(state.session.storages, lister, state.session.stop);
  state.listed = true;
  state.session.inbox.nudge();
}

}  // namespace swarm::transfer
