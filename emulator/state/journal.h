// Journal: the world's documents on disk, several changes per fsync. A request's changes are written before it is answered.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "emulator/state/world.h"

namespace swarm::emulator {

/// One loop. Without a folder nothing is stored, at no cost.
class Journal {
 public:
  /// Throws Error: Conflict (another process uses the folder), PermissionDenied, OutOfResources, Unprocessable (damaged).
  explicit Journal(const std::filesystem::path& folder);
  ~Journal();

  void load(World& world);
  void changed(const AppPtr& app);
  void changed(const MachinePtr& machine);
  void changed(const VolumePtr& volume);
  void forgotten(const AppPtr& app);
  void forgotten(const MachinePtr& machine);
  void forgotten(const VolumePtr& volume);

  /// When it completes, all changes until now are durable. Throws Error when the disk fails.
  awaitable<void> flush();

 private:
  struct Disk;
  using Key = std::pair<std::string, std::string>;  ///< kind and id
  /// The last change of an object counts. A null `document`: the object is gone.
  void note(Key key, std::function<json::object()> document);

  std::unique_ptr<Disk> disk_;
  std::map<Key, std::function<json::object()>> changes_;
};

}  // namespace swarm::emulator
