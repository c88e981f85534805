// MachineCache: what this server's own calls returned about Machines. For a while it is newer than Fly's lists.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "provider/flyio/api/machine.h"
#include "provider/flyio/flyio_config.h"
#include "provider/provider.h"

namespace swarm::flyio {

/// For one loop.
class MachineCache {
 public:
  struct Entry {
    std::string app;
    std::string machineId;
    OpenEnum<MachineState> state;
    std::string storage;  ///< its storage record
    SystemTime updatedAt{};
    SteadyTime learnt{};
    ProviderInstance details;
    bool isReader = false;
  };

  explicit MachineCache(const FlyIOProviderConfig& config) : config_(config) {}
  /// Is called when the first place becomes known.
  void onFirst(std::function<void()> callback) { on_first_ = std::move(callback); }

  void remember(const Machine& machine);
  void forget(const PlaceId& place_id) { places_.erase(place_id); }
  const Entry* find(const PlaceId& place_id) const;
  const Entry* findByMachine(const std::string& machine_id) const;
  const std::map<PlaceId, Entry>& places() const { return places_; }

  /// Instances that were recently searched for everywhere, and not found.
  void noteAbsent(const PlaceId& place_id) { absent_[place_id] = std::chrono::steady_clock::now(); }
  void clearAbsent(const PlaceId& place_id) { absent_.erase(place_id); }
  bool isAbsent(const PlaceId& place_id);

  /// Machines that this server created and has not read since.
  void noteCreated(const std::string& machine_id) { created_[machine_id] = std::chrono::steady_clock::now(); }
  void noteRead(const std::string& machine_id) { created_.erase(machine_id); }
  bool wasJustCreated(const std::string& machine_id, std::chrono::milliseconds within) const;

  /// Machines that this server destroyed: lists may show them a while longer.
  void noteDestroyed(const std::string& machine_id) { destroyed_[machine_id] = std::chrono::steady_clock::now(); }
  bool wasDestroyed(const std::string& machine_id) const { return destroyed_.contains(machine_id); }
  void forgetDestroyedBefore(SteadyTime time);

 private:
  const FlyIOProviderConfig& config_;
  std::function<void()> on_first_;
  std::map<PlaceId, Entry> places_;
  std::map<PlaceId, SteadyTime> absent_;
  std::map<std::string, SteadyTime> created_;
  std::map<std::string, SteadyTime> destroyed_;
};

}  // namespace swarm::flyio
