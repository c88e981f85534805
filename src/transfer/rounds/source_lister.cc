// The source's walk: lists the tree in parts, as far as the window permits.
#include <fcntl.h>

#include <system_error>

#include "base/error.h"
#include "base/text/format.h"
#include "transfer/rounds/source_round.h"

namespace swarm::transfer {

void ListingWindow::add(std::uint64_t unit, ListedUnit listed) {
  inbox_.wait([&] { return count_ == 0 || (count_ < kListingWindowCount && bytes_ + listed.cost <= kListingWindowBytes); });
  bytes_ += listed.cost;
  ++count_;
  const std::lock_guard lock(mutex_);
  units_.emplace(unit, std::move(listed));
}

ListedUnit& ListingWindow::at(std::uint64_t unit) {
  const std::lock_guard lock(mutex_);
  const auto found = units_.find(unit);
  if (found == units_.end()) brokenPeer("it requested files of a listing that was not sent");
  return found->second;
}

void ListingWindow::remove(std::uint64_t unit) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = units_.find(unit);
    bytes_ -= found->second.cost;
    --count_;
    units_.erase(found);
  }
  inbox_.nudge();
}

bool ListingWindow::empty() const { return count_ == 0; }

struct SourceLister::Part {
  Listing head;
  std::string entries;
  ListedUnit listed;
};

std::vector<std::string> SourceLister::visit(VisitedDirectory directory) {
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

void SourceLister::addChild(Part& part, const VisitedDirectory& directory, const std::string& name, std::vector<std::string>& below) {
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
  const std::string encoded = encodeEntry(entry);
  if (encoded.size() > kMaxEntryBytes) failAt("transfer all attributes of", storage.describe(directory.path, name), E2BIG);
  part.entries += encoded;
  part.listed.items.push_back(std::move(item));
}

void SourceState::unreadable(const std::string& shown, int error) {
  if (kind == RoundKind::Final) failAt("read", shown, error);
  notes.add(shown, "could not be read: " + std::generic_category().message(error));
}

/// Empty when they are unreadable, which has then been reported.
std::optional<Attributes> SourceLister::attributesOf(const VisitedDirectory& directory, const std::string& name) {
  try {
    return readAttributes(directory.directory, name);
  } catch (const std::system_error& error) {
    state_.unreadable(state_.core.storages[directory.storage].describe(directory.path, name), error.code().value());
    return std::nullopt;
  }
}

/// False when it vanished, or cannot be described completely.
bool SourceLister::describe(Entry& entry, const VisitedDirectory& directory, const struct stat& status) {
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

void SourceLister::send(Part& part, bool last) {
  part.head.unit = next_unit_++;
  part.head.last = last;
  Frame frame{Kind::Listing, encodeListing(part.head, part.entries, part.listed.items.size()), {}};
  if (frame.size() > kMaxPayload) failAt("list", state_.core.storages[part.head.storage].describe(part.head.path), ENAMETOOLONG);
  files += part.listed.files;
  bytes += part.listed.bytes;
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

void SourceLister::unreadable(std::size_t storage, const std::string& path, int error) {
  if (isVanished(error)) {
    ++state_.unstable;
  } else {
    state_.unreadable(state_.core.storages[storage].describe(path), error);
  }
}

}  // namespace swarm::transfer
