// Internal: the target's half of a round. One thread creates directories and names and requests content; another writes it.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

#include "transfer/rounds/core.h"

namespace swarm::transfer {

/// A requested file whose content has not completely arrived.
struct PendingFile {
  std::size_t storage = 0;
  std::shared_ptr<const std::string> directory;
  std::string name;
  Attributes attributes;
  std::size_t signatureBytes = 0;
};

/// The outstanding requests; thread-safe.
class PendingFiles {
 public:
  explicit PendingFiles(Inbox& inbox) : inbox_(inbox) {}
  /// To be called before the request is sent. Blocks while too many signatures are in flight.
  void add(std::uint64_t unit, std::uint64_t index, PendingFile file);
  /// Throws Error(UpstreamFailed) for content that was not requested.
  PendingFile at(std::uint64_t unit, std::uint64_t index) const;
  void remove(std::uint64_t unit, std::uint64_t index);
  bool empty() const { return count_ == 0; }

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  Inbox& inbox_;
  mutable std::mutex mutex_;
  std::map<Key, PendingFile> files_;
  std::atomic<std::size_t> signature_bytes_ = 0;
  std::atomic<std::size_t> count_ = 0;
};

struct TargetState {
  explicit TargetState(Core& its_core);
  Core& core;
  Trust trust;
  PendingFiles pending;
  std::atomic<bool> listed = false;  ///< RoundEnd has arrived
  std::int64_t deleted = 0;
};

/// Opens a regular file of the target; makes it accessible if its owner may not use it. Invalid with errno when it cannot be opened.
Descriptor openTargetFile(int directory, const std::string& name, int access);

/// Applies listings.
class TargetLister {
 public:
  explicit TargetLister(TargetState& state);
  void run();

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

  void apply(Listing listing);
  void enter(const Listing& listing);
  void finishDirectory(const Listing& listing);
  void applyEntry(std::uint64_t unit, std::uint64_t index, Entry& entry, bool exists);
  void applyDirectory(const Entry& entry, bool exists);
  void applySymlink(const Entry& entry, bool exists);
  void applyRegular(std::uint64_t unit, std::uint64_t index, Entry& entry, const struct stat* own);
  void linkTo(const Entry& entry, const struct stat* own);
  bool compare(Entry& entry, const struct stat& own, HashRuns& signature);
  void want(std::uint64_t unit, std::uint64_t index, Entry& entry, HashRuns signature);
  void sendWants(bool last);
  std::size_t encodedCount(const HashRuns& signature) const;
  void applyFileFacts(const Entry& entry, const struct stat& own);
  void createEmpty(const std::string& name);
  void removeExtra(const std::string& name);
  void remove(const std::string& name);
  void finish();

  const Storage& storage() const { return state_.core.storages[current_.storage]; }
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

/// Writes packs.
class TargetWriter {
 public:
  explicit TargetWriter(TargetState& state) : state_(state) {}
  void run();

 private:
  void write(const PackHead& head, std::string_view raw);
  void open(const Segment& segment);
  void writeData(std::int64_t offset, std::string_view bytes);
  void punchHole(std::int64_t offset, std::int64_t length);
  void end(const Segment& segment);

  TargetState& state_;
  std::string buffer_;
  std::uint64_t expected_ = 1;
  Descriptor file_;
  std::pair<std::uint64_t, std::uint64_t> open_{0, 0};
  PendingFile open_file_;
  std::int64_t size_ = 0;
  std::string shown_;
  Descriptor directory_;
  std::shared_ptr<const std::string> directory_path_;
};

}  // namespace swarm::transfer
