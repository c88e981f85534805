// The plan is written before anything is unpacked, the commit mark before anything is moved.
#include "agent/archive/staging.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "agent/archive/exchange.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::agent {
namespace {

using transfer::failAt;
using transfer::Storage;

transfer::Scope scopeOf(std::vector<std::string> replaced, const transfer::Scope& all) {
  transfer::Scope scope{std::move(replaced), all.excluded};
  scope.excluded.insert(scope.excluded.end(), all.storages.begin(), all.storages.end());
  return scope;
}

std::string planOf(const transfer::Scope& scope) {
  std::vector<std::string> storages = scope.storages;
  std::ranges::sort(storages);
  return boost::json::serialize(
      boost::json::object{{"id", toHex(randomBytes(16))}, {"storages", toJson(storages)}, {"excluded", toJson(scope.excluded)}});
}

transfer::Scope readPlan(const std::string& text) {
  ObjectReader reader(parseJson(text, "the plan of an import"), UnknownFields::Ignore);
  transfer::Scope scope{reader.require<std::vector<std::string>>("storages"), reader.require<std::vector<std::string>>("excluded")};
  reader.finish();
  return scope;
}

void makeFolder(int at, const char* name, const std::string& shown) {
  if (::mkdirat(at, name, 0700) != 0) failAt("create the directory", shown, errno);
}

/// Every storage of the plan is emptied and filled before the first one loses its staging folder, which holds the commit mark.
void exchange(const std::vector<Storage>& storages, const std::string& plan, const Passed& passed) {
  auto each = [&](auto move) {
    for (const Storage& storage : storages) {
      const Descriptor staging = openStaging(storage);
      if (!staging.valid() || stagedText(staging.get(), kStagedPlan) != plan) continue;
      move(storage, staging.get(), passed);
      passed();
    }
  };
  each(moveOut);
  each(moveIn);
  each([](const Storage& storage, int, const Passed& its_passed) { removeStaging(storage, its_passed); });
}

void recover(const std::string& plan, const std::filesystem::path& root, const Passed& passed) {
  const std::vector<Storage> storages = transfer::openStorages(readPlan(plan), root);
  const Descriptor first = openStaging(storages.front());
  if (first.valid() && stagedText(first.get(), kStagedCommitted) == plan) {
    exchange(storages, plan, passed);
    log::info("finished an import that was interrupted");
    return;
  }
  for (const Storage& storage : storages) {
    const Descriptor staging = openStaging(storage);
    if (staging.valid() && stagedText(staging.get(), kStagedPlan) == plan) removeStaging(storage, passed);
  }
  log::info("rolled back an import that was interrupted");
}

}  // namespace

Staging::Staging(std::vector<std::string> replaced, const transfer::Scope& all, const std::filesystem::path& root,
                 std::function<void()> passed)
    : passed_(passed ? std::move(passed) : [] {}) {
  recoverStaging(replaced, root);
  const transfer::Scope scope = scopeOf(std::move(replaced), all);
  storages_ = transfer::openStorages(scope, root);
  plan_ = planOf(scope);
  try {
    for (std::size_t index = 0; index < storages_.size(); ++index) stage(index);
  } catch (...) {
    discard();
    throw;
  }
}

const char* Staging::obstacle(std::size_t index, const std::string& path, bool is_folder) const {
  const Storage& storage = storages_[index];
  const std::string_view first = std::string_view(path).substr(0, path.find('/'));
  if (first == kStagingName) return "has the name of the folder in which imports are unpacked";
  for (std::string_view above = path;;) {
    if (storage.leftOut.contains(above)) return "another volume, or the SSH keys of this workspace, are there";
    const auto slash = above.rfind('/');
    if (slash == std::string_view::npos) break;
    above = above.substr(0, slash);
  }
  if (is_folder) return nullptr;
  if (isAboveMount(storage, path)) return "another volume is below it";
  struct stat status{};
  const bool stays =
      ::fstatat(storage.top.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && transfer::isLostAndFound(path, status);
  return stays ? "has the name of the file system's own folder" : nullptr;
}

void Staging::stage(std::size_t index) {
  const Storage& storage = storages_[index];
  const std::string name(kStagingName);
  if (::mkdirat(storage.top.get(), name.c_str(), 0700) != 0) {
    if (errno != EEXIST) failAt("create the directory", storage.describe(name), errno);
    throw Error(ErrorCode::Unprocessable,
                format("{} blocks the import: its name is reserved for imports. Rename or remove it.", storage.describe(name)));
  }
  const Descriptor staging = openStaging(storage);
  if (!staging.valid()) failAt("open", storage.describe(name), errno);
  passed_();
  writeStaged(staging.get(), kStagedPlan, plan_);
  passed_();
  for (const char* folder : {kStagedNew, kStagedOld, kStagedTop}) makeFolder(staging.get(), folder, storage.describe(name, folder));
  Storage fresh;
  fresh.mountPath = storage.mountPath;
  fresh.top = Descriptor(::openat(staging.get(), kStagedNew, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  fresh.device = storage.device;
  if (!fresh.top.valid()) failAt("open", storage.describe(name, kStagedNew), errno);
  setTopFacts(index, storage);
  staged_.push_back(std::move(fresh));
  passed_();
}

/// The top keeps its facts unless the archive has an entry for it.
void Staging::setTopFacts(std::size_t index, const Storage& like) {
  struct stat status{};
  if (::fstat(like.top.get(), &status) != 0) failAt("examine", like.describe({}), errno);
  setTopFacts(index, transfer::factsOf(status), transfer::readAttributes(like.top.get()));
}

void Staging::setTopFacts(std::size_t index, const transfer::Facts& facts, const transfer::Attributes& attributes) {
  const Descriptor top = transfer::openBelow(storages_[index].top.get(), std::string(kStagingName) + "/" + kStagedTop);
  if (!top.valid()) failAt("open", storages_[index].describe(kStagingName, kStagedTop), errno);
  transfer::applyFacts(top.get(), facts, attributes, storages_[index].describe({}));
}

void Staging::commit() {
  for (const Storage& storage : storages_) {
    if (::syncfs(storage.top.get()) != 0) failAt("write to the disk of", storage.describe({}), errno);
    passed_();
  }
  const Descriptor first = openStaging(storages_.front());
  writeStaged(first.get(), kStagedCommitted, plan_);
  committed_ = true;
  passed_();
  exchange(storages_, plan_, passed_);
}

void Staging::discard() {
  for (const Storage& storage : storages_) {
    const Descriptor staging = openStaging(storage);
    if (staging.valid() && stagedText(staging.get(), kStagedPlan) == plan_) removeStaging(storage, passed_);
  }
}

void recoverStaging(const std::vector<std::string>& storages, const std::filesystem::path& root, std::function<void()> passed) {
  if (!passed) passed = [] {};
  for (const std::string& path : storages) {
    try {
      const std::vector<Storage> opened = transfer::openStorages({{path}, {}}, root);
      const Descriptor staging = openStaging(opened.front());
      if (!staging.valid()) continue;
      const std::string plan = stagedText(staging.get(), kStagedPlan);
      if (plan.empty())
        removeUnplanned(opened.front(), staging.get());
      else
        recover(plan, root, passed);
    } catch (const Error& error) {
      log::warning("failed to clean up after an import", {{"storage", path}, {"reason", error.message()}});
    }
  }
}

}  // namespace swarm::agent
