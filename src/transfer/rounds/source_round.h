// Internal: the source's half of a round. One thread walks and lists, another reads and sends what the target requests.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "transfer/rounds/core.h"
#include "transfer/tree/pack.h"

namespace swarm::transfer {

/// A listing that was sent and not yet answered completely.
struct ListedUnit {
  struct Item {
    std::string name;
    std::int64_t bytes = 0;  ///< size of the content, for progress
    bool file = false;       ///< a regular file with content: may be requested
  };
  std::size_t storage = 0;
  std::shared_ptr<const std::string> path;
  std::vector<Item> items;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  std::size_t cost = 0;
};

/// The listings in flight, bounded by the listing window. Thread-safe.
class ListingWindow {
 public:
  explicit ListingWindow(Inbox& inbox) : inbox_(inbox) {}
  void add(std::uint64_t unit, ListedUnit listed);  ///< blocks until there is room
  ListedUnit& at(std::uint64_t unit);  ///< throws Error(UpstreamFailed) for an unknown unit; the reference is valid until remove()
  void remove(std::uint64_t unit);
  bool empty() const;

 private:
  Inbox& inbox_;
  mutable std::mutex mutex_;
  std::map<std::uint64_t, ListedUnit> units_;
  std::atomic<std::size_t> bytes_ = 0;
  std::atomic<std::size_t> count_ = 0;
};

/// Notes of both threads.
struct RoundNotes {
  std::mutex mutex;
  Notes notes;
  void add(std::string path, std::string reason) {
    const std::lock_guard lock(mutex);
    notes.add(std::move(path), std::move(reason));
  }
};

/// State shared by both threads of the source.
struct SourceState {
  SourceState(Core& its_core, RoundKind its_kind);
  Core& core;
  RoundKind kind;
  Trust trust;
  ListingWindow window;
  RoundNotes notes;
  /// Handles an unreadable entry: a note in a Live round, an error in a Final one.
  void unreadable(const std::string& shown, int error);

  std::atomic<bool> listed = false;        ///< the walk is complete
  std::atomic<std::int64_t> unstable = 0;  ///< entries that changed or vanished during the round
};

/// Walks and sends listings.
class SourceLister final : public Visitor {
 public:
  explicit SourceLister(SourceState& state) : state_(state) {}
  std::vector<std::string> visit(VisitedDirectory directory) override;
  void unreadable(std::size_t storage, const std::string& path, int error) override;

  std::int64_t files = 0;
  std::int64_t bytes = 0;

 private:
  struct Part;
  void addChild(Part& part, const VisitedDirectory& directory, const std::string& name, std::vector<std::string>& below);
  bool describe(Entry& entry, const VisitedDirectory& directory, const struct stat& status);
  std::optional<Attributes> attributesOf(const VisitedDirectory& directory, const std::string& name);
  void send(Part& part, bool last);

  SourceState& state_;
  std::uint64_t next_unit_ = 1;
  std::size_t links_storage_ = 0;
  std::map<FileId, std::uint64_t> links_;  ///< groups of names in the current storage
  std::uint64_t next_group_ = 1;
};

/// Answers Wants with content.
class SourceSender {
 public:
  explicit SourceSender(SourceState& state) : state_(state), packs_(state.core) {}
  void run();
  std::int64_t filesSent = 0;

 private:
  void serve(const Wants& wants);
  void sendFile(std::uint64_t unit, const ListedUnit& listed, const Want& want);
  void sendContent(std::uint64_t unit, std::uint64_t index, int file, const struct stat& before, const HashRuns& signature,
                   const ListedUnit::Item& item);
  bool sendHoles(std::uint64_t unit, std::uint64_t index, std::int64_t offset, std::uint64_t chunks, HashCursor& theirs);
  void sendChunk(std::uint64_t unit, std::uint64_t index, const ChunkReader& reader, std::int64_t offset, char* room, std::size_t length);
  void giveUp(std::uint64_t unit, std::uint64_t index, const ListedUnit& listed, int error);
  int directoryOf(const ListedUnit& listed);

  SourceState& state_;
  PackSender packs_;
  std::map<std::uint64_t, Want> unfinished_;  ///< by index: requests whose signature continues
  Descriptor directory_;
  std::size_t directory_storage_ = 0;
  std::shared_ptr<const std::string> directory_path_;
};

}  // namespace swarm::transfer
