// Counts what a move would transfer.
#include <sys/statvfs.h>

#include <set>
#include <system_error>

#include "base/error.h"
#include "transfer/tree/content.h"
#include "transfer/tree/storages.h"

namespace swarm::transfer {
namespace {

class Scanner final : public Visitor {
 public:
  Scanner(const std::vector<Storage>& storages, std::atomic<std::int64_t>& files, std::atomic<std::int64_t>& bytes)
      : storages_(storages), files_(files), bytes_(bytes) {}

  void enter(const VisitedDirectory&) override { ++report_.directories; }

  bool entry(const VisitedDirectory& directory, const std::string& name, const Sight& sight) override {
    if (sight.isNoteworthy()) notes_.add(storages_[directory.storage].describe(directory.path, name), sight.reason);
    if (sight.kind != Sight::Kind::Carried) return false;
    if (S_ISDIR(sight.status.st_mode)) return true;
    count(directory.directory, name, sight.status);
    return false;
  }

  void unreadable(std::size_t storage, const std::string& path, int error) override {
    if (!isVanished(error)) notes_.add(storages_[storage].describe(path), "could not be read: " + std::generic_category().message(error));
  }

  ScanReport take() {
    report_.files = files_;
    report_.bytes = bytes_;
    report_.skipped = std::move(notes_.first);
    report_.skippedCount = notes_.count;
    return std::move(report_);
  }

 private:
  void count(int directory, const std::string& name, const struct stat& status) {
    ++files_;
    if (!S_ISREG(status.st_mode)) return;
    if (status.st_nlink > 1 && !links_.insert({status.st_dev, status.st_ino}).second) return;
    bytes_ += contentBytes(directory, name, status);
  }

  const std::vector<Storage>& storages_;
  std::atomic<std::int64_t>& files_;
  std::atomic<std::int64_t>& bytes_;
  std::set<FileId> links_;
  ScanReport report_;
  Notes notes_;
};

}  // namespace

ScanReport scanStorages(const std::vector<Storage>& storages, std::atomic<std::int64_t>& files, std::atomic<std::int64_t>& bytes,
                        const StopFlag& stop) {
  Scanner scanner(storages, files, bytes);
  walk(storages, scanner, stop);
  ScanReport report = scanner.take();
  for (const Storage& storage : storages) {
    struct statvfs space{};
    if (::fstatvfs(storage.top.get(), &space) != 0) failAt("determine the free space of", readable(storage.mountPath), errno);
    report.space.push_back({storage.mountPath, static_cast<std::int64_t>(space.f_blocks * space.f_frsize),
                            static_cast<std::int64_t>(space.f_bavail * space.f_frsize)});
  }
  return report;
}

}  // namespace swarm::transfer
