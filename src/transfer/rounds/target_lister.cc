// Applies listings: creates directories first, removes surplus names, compares the rest.
#include <errno.h>
#include <fcntl.h>

#include <map>
#include <set>
#include <system_error>

#include "base/error.h"
#include "base/text/format.h"
#include "transfer/rounds/target_round.h"

namespace swarm::transfer {
namespace {

/// The part of it that is compared.
HashRuns firstOf(const HashRuns& all, bool runs) {
  HashRuns first;
  std::uint64_t left = kMaxSignature;
  for (const HashRun& run : all.runs()) {
    const std::uint64_t taken = runs ? run.count : std::min(run.count, left);
    first.add(run.hash, taken);
    left -= runs ? 1 : taken;
    if (left == 0) break;
  }
  return first;
}

/// Applies listings.
class TargetLister {
 public:
  explicit TargetLister(TargetState& state) : state_(state), hasher_(*state.session.options.hashes, state.trust, state.session.stop) {}

  void run() {
    for (;;) {
      Arrived frame = state_.session.inbox.take(Inbox::Listings);
      if (frame.kind == Kind::RoundEnd) break;
      auto listing = decode<Listing>(frame.payload);
      frame.payload = {};
      apply(std::move(listing));
    }
    if (current_.directory.valid()) brokenPeer("a listing has no end");
    if (!state_.pending.empty()) brokenPeer("the round ended before all content had arrived");
    finish();
    state_.listed = true;
    state_.session.inbox.nudge();
  }

 private:
  struct Current {
    std::size_t storage = 0;
    std::shared_ptr<const std::string> path;
    Descriptor directory;
    std::vector<std::string> names;  ///< names that the target has
    std::size_t next = 0;
    std::string before;  ///< the last name of the previous part
  };
  struct FirstName {
    std::shared_ptr<const std::string> directory;
    std::string name;
  };
  struct Deferred {
    std::size_t storage;
    std::string path;
    std::uint32_t mode;
  };

  void apply(Listing listing) {
    if (listing.unit <= last_unit_) brokenPeer("listings are out of order");
    last_unit_ = listing.unit;
    if (listing.storage >= state_.session.storages.size()) brokenPeer("an unknown storage");
    enter(listing);
    wants_ = Wants{listing.unit, false, {}, state_.session.otherUnderstandsRuns()};
    wants_bytes_ = 0;
    for (std::size_t index = 0; index < listing.entries.size(); ++index) {
      state_.session.stop.check();
      Entry& entry = listing.entries[index];
      if (entry.name <= current_.before && !current_.before.empty()) brokenPeer("names are out of order");
      while (current_.next < current_.names.size() && current_.names[current_.next] < entry.name) {
        removeExtra(current_.names[current_.next++]);
      }
      const bool exists = current_.next < current_.names.size() && current_.names[current_.next] == entry.name;
      if (exists) ++current_.next;
      current_.before = entry.name;
      applyEntry(listing.unit, index, entry, exists);
    }
    if (listing.last) {
      while (current_.next < current_.names.size()) removeExtra(current_.names[current_.next++]);
      finishDirectory(listing);
    }
    wants_.last = true;
    sendWants();
  }

  void enter(const Listing& listing) {
    if (listing.first == current_.directory.valid()) brokenPeer("parts of listings are mixed");
    if (!listing.first) {
      if (listing.storage != current_.storage || listing.path != *current_.path) brokenPeer("parts of listings are mixed");
      return;
    }
    if (groups_storage_ != listing.storage) {
      groups_.clear();
      groups_storage_ = listing.storage;
    }
    current_ = Current{};
    current_.storage = listing.storage;
    current_.path = std::make_shared<const std::string>(listing.path);
    for (std::string_view rest = listing.path;;) {
      if (storage().leftOut.contains(rest) || (storage().leavesLostAndFound && rest == "lost+found")) brokenPeer("a path that is excluded");
      const std::size_t slash = rest.rfind('/');
      if (slash == rest.npos) break;
      rest = rest.substr(0, slash);
    }
    current_.directory = openTargetDirectory(storage(), listing.path);
    current_.names = namesIn(current_.directory.get(), describe({}));
  }

  void finishDirectory(const Listing& listing) {
    Facts facts = listing.facts;
    // Files in it will be opened by name, which requires an accessible mode unless this is the superuser.
    if (::geteuid() != 0 && (facts.mode & 0700) != 0700) {
      deferred_.push_back({current_.storage, listing.path, facts.mode});
      facts.mode |= 0700;
    }
    applyFacts(current_.directory.get(), facts, listing.attributes, describe({}));
    current_.directory.reset();
  }

  void applyEntry(std::uint64_t unit, std::uint64_t index, Entry& entry, bool exists) {
    const Sight sight = examine(storage(), current_.directory.get(), *current_.path, entry.name);
    if (sight.kind == Sight::Kind::LeftOut) brokenPeer("a path that is excluded");
    exists = exists && sight.kind != Sight::Kind::Vanished;
    if (exists && sight.status.st_dev != storage().device) failAt("replace the file system mounted at", describe(entry.name), EBUSY);
    if (exists && (!isCarried(sight.status) || typeOf(sight.status) != entry.type)) {
      remove(entry.name);
      exists = false;
    }
    switch (entry.type) {
      case EntryType::Directory:
        return applyDirectory(entry, exists);
      case EntryType::Symlink:
        return applySymlink(entry, exists);
      case EntryType::Regular:
        return applyRegular(unit, index, entry, exists ? &sight.status : nullptr);
    }
  }

  void applyDirectory(const Entry& entry, bool exists) {
    if (!exists && ::mkdirat(current_.directory.get(), entry.name.c_str(), 0700) != 0)
      failAt("create the directory", describe(entry.name), errno);
  }

  void applySymlink(const Entry& entry, bool exists) {
    const int directory = current_.directory.get();
    if (exists && readLink(directory, entry.name) != entry.linkTarget) {
      if (::unlinkat(directory, entry.name.c_str(), 0) != 0) failAt("remove", describe(entry.name), errno);
      exists = false;
    }
    if (!exists && ::symlinkat(entry.linkTarget.c_str(), directory, entry.name.c_str()) != 0) {
      failAt("create the symbolic link", describe(entry.name), errno);
    }
    applyLinkFacts(directory, entry.name, entry.facts, describe(entry.name));
  }

  void applyRegular(std::uint64_t unit, std::uint64_t index, Entry& entry, const struct stat* own) {
    if (entry.group != 0 && !entry.groupFirst) return linkTo(entry, own);
    // Write in place only if no other name refers to the file: a file whose names this round has already reassigned, or one that had
    // several names and is to have one, is created again.
    if (own && own->st_nlink > 1 && (entry.group == 0 || !claimed_.insert({own->st_dev, own->st_ino}).second)) {
      if (::unlinkat(current_.directory.get(), entry.name.c_str(), 0) != 0) failAt("remove", describe(entry.name), errno);
      own = nullptr;
    }
    if (entry.group != 0) groups_[entry.group] = {current_.path, entry.name};
    struct stat fresh{};
    if (!own) {
      createEmpty(entry.name);
      if (::fstatat(current_.directory.get(), entry.name.c_str(), &fresh, AT_SYMLINK_NOFOLLOW) != 0) {
        failAt("examine", describe(entry.name), errno);
      }
      own = &fresh;
    }
    HashRuns signature;
    if (compare(entry, *own, signature)) return applyFileFacts(entry, *own);
    want(unit, index, entry, std::move(signature));
  }

  void linkTo(const Entry& entry, const struct stat* own) {
    const auto first = groups_.find(entry.group);
    if (first == groups_.end()) brokenPeer("a further name comes before the first");
    const Descriptor directory = openTargetDirectory(storage(), *first->second.directory);
    struct stat wanted{};
    if (::fstatat(directory.get(), first->second.name.c_str(), &wanted, AT_SYMLINK_NOFOLLOW) != 0) {
      failAt("examine", storage().describe(*first->second.directory, first->second.name), errno);
    }
    if (own && own->st_ino == wanted.st_ino && own->st_dev == wanted.st_dev) return;
    if (own && ::unlinkat(current_.directory.get(), entry.name.c_str(), 0) != 0) failAt("remove", describe(entry.name), errno);
    if (::linkat(directory.get(), first->second.name.c_str(), current_.directory.get(), entry.name.c_str(), 0) != 0) {
      failAt("link", describe(entry.name), errno);
    }
  }

  bool compare(Entry& entry, const struct stat& own, HashRuns& signature) {
    if (entry.facts.size == 0 && own.st_size == 0) return true;
    if (own.st_size == 0) return false;
    // A small file of a different size is requested as a whole.
    constexpr std::int64_t kSmall = 64 * 1024;
    if (own.st_size != entry.facts.size && entry.facts.size <= kSmall) return false;
    const Descriptor file = openTargetFile(current_.directory.get(), entry.name, O_RDONLY);
    struct stat status{};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) failAt("read", describe(entry.name), errno);
    std::optional<FileHashes> hashes;
    try {
      hashes = hasher_.hash(file.get(), status, hashed_);
    } catch (const std::system_error& error) {
      failAt("read", describe(entry.name), error.code().value());
    }
    if (!hashes)
      throw Error(ErrorCode::UpstreamFailed, format("Another process is writing to \"{}\" at the target.", describe(entry.name)));
    if (entry.content && *entry.content == hashes->content && status.st_size == entry.facts.size) return true;
    signature = firstOf(hashes->chunks, state_.session.otherUnderstandsRuns());
    return false;
  }

  void want(std::uint64_t unit, std::uint64_t index, Entry& entry, HashRuns signature) {
    constexpr std::size_t kBytesPerFrame = 512 * 1024;
    const std::size_t each = wants_.runs ? 26 : 16;  // a hash, and a count
    const std::size_t bytes = encodedCount(signature) * each;
    // Pending requests must be sent before this thread waits for content.
    if (wants_bytes_ + bytes > kBytesPerFrame) sendWants();
    state_.pending.add({unit, index}, {current_.storage, current_.path, entry.name, std::move(entry.attributes), bytes});
    HashRuns part;
    std::size_t part_count = 0;
    for (const HashRun& run : signature.runs()) {
      // Without run counts, a run takes one hash per chunk.
      for (std::uint64_t left = run.count; left > 0;) {
        const std::uint64_t step = wants_.runs ? left : std::min<std::uint64_t>(left, kBytesPerFrame / each - part_count);
        part.add(run.hash, step);
        part_count += wants_.runs ? 1 : static_cast<std::size_t>(step);
        left -= step;
        if (part_count < kBytesPerFrame / each) continue;
        wants_.wants.push_back({index, true, std::exchange(part, {})});
        part_count = 0;
        sendWants();
      }
    }
    wants_bytes_ += part_count * each + 16;
    wants_.wants.push_back({index, false, std::move(part)});
  }

  void sendWants() {
    if (!wants_.last && wants_.wants.empty()) return;
    state_.session.outbox.push({wants_.runs ? Kind::WantsRuns : Kind::Wants, encode(wants_), {}});
    wants_.wants.clear();
    wants_bytes_ = 0;
  }

  std::size_t encodedCount(const HashRuns& signature) const {
    return wants_.runs ? signature.runs().size() : static_cast<std::size_t>(signature.chunks());
  }

  void applyFileFacts(const Entry& entry, const struct stat& own) {
    if (factsOf(own) == entry.facts) {
      try {
        if (readAttributes(current_.directory.get(), entry.name) == entry.attributes) return;
      } catch (const std::system_error& error) {
        failAt("read the attributes of", describe(entry.name), error.code().value());
      }
    }
    const Descriptor file = openTargetFile(current_.directory.get(), entry.name, O_RDONLY);
    if (!file.valid()) failAt("open", describe(entry.name), errno);
    applyFacts(file.get(), entry.facts, entry.attributes, describe(entry.name));
  }

  void createEmpty(const std::string& name) {
    const Descriptor file(::openat(current_.directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) failAt("create the file", describe(name), errno);
  }

  void removeExtra(const std::string& name) {
    const Sight sight = examine(storage(), current_.directory.get(), *current_.path, name);
    const bool stays = sight.kind == Sight::Kind::LeftOut || sight.kind == Sight::Kind::FileSystems;
    if (stays || sight.kind == Sight::Kind::Vanished || sight.status.st_dev != storage().device) return;
    remove(name);
  }

  void remove(const std::string& name) {
    struct stat status{};
    if (::fstatat(current_.directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) failAt("examine", describe(name), errno);
    if (S_ISDIR(status.st_mode)) {
      removeTree(storage(), current_.directory.get(), *current_.path, name, state_.session.stop, state_.deleted);
      return;
    }
    if (::unlinkat(current_.directory.get(), name.c_str(), 0) != 0) failAt("remove", describe(name), errno);
    ++state_.deleted;
  }

  void finish() {
    // In reverse: the contents of a directory before the directory itself.
    for (auto at = deferred_.rbegin(); at != deferred_.rend(); ++at) {
      const Storage& place = state_.session.storages[at->storage];
      const Descriptor directory = openBelow(place.top.get(), at->path);
      if (!directory.valid() || ::fchmod(directory.get(), at->mode) != 0) failAt("set the mode of", place.describe(at->path), errno);
    }
  }

  const Storage& storage() const { return state_.session.storages[current_.storage]; }
  std::string describe(const std::string& name) const { return storage().describe(*current_.path, name); }

  TargetState& state_;
  ContentHasher hasher_;
  Current current_;
  std::uint64_t last_unit_ = 0;
  Wants wants_;
  std::size_t wants_bytes_ = 0;
  std::map<std::uint64_t, FirstName> groups_;
  std::size_t groups_storage_ = 0;
  std::set<FileId> claimed_;  ///< files with several names to which this round has already assigned one
  std::vector<Deferred> deferred_;
  std::atomic<std::int64_t> hashed_ = 0;
};

}  // namespace

TargetState::TargetState(SessionState& its_session)
    : session(its_session),
      trust(session.storages, Trust::Sync::WritersStopped),
      pending(session.inbox, SIZE_MAX, kSignatureWindowBytes, "content of a file that was not requested") {}

void listTarget(TargetState& state) { TargetLister(state).run(); }

}  // namespace swarm::transfer
