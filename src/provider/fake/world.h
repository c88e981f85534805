// FakeWorld: what exists at the fake provider. It lives outside of the provider, so that a restarted controller finds what was there.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "provider/fake/fault_plan.h"
#include "provider/provider.h"

namespace swarm::fake {

struct FakeVolume {
  std::string name;
  std::string swarmId;
  PlaceId placeId;  ///< the one it was created for
  std::string owner;
  std::string mountPath;
  bool persistent = true;
  SystemTime createdAt{};
  std::map<std::string, std::string> files;  ///< path inside the volume → contents
};

struct FakeContainer {
  std::string id;  ///< changes when the container is created again
  std::string swarmId;
  InstanceSpec spec;
  InstanceStatus status = InstanceStatus::creating;  ///< creating (never started), running, stopped or failed
  std::string reason;
  SystemTime createdAt{};
  SystemTime startedAt{};
  std::vector<std::string> volumes;
  std::string network;
  std::vector<PortMapping> ports;
  std::string generation;               ///< of the VS Code server inside
  SteadyTime readyAt{};                 ///< when VS Code inside responds
  std::string boot{};                   ///< of its agent's process, another one after each start
  std::string held;                     ///< its agent waits for the end of this transfer, and runs no process of the user
  std::string image;                    ///< FakeWorld::imageId() at its creation
  std::optional<EgressConfig> rules{};  ///< of its network, since its start
  ResourceUsage usage{.cpu = {.usage = 1},
                      .memory = {.usage = 16},
                      .storage = {}};  ///< what the provider measures; its limits are those of the configuration
};

/// A snapshot that the world took of an instance's volumes.
struct FakeVolumeSnapshot {
  std::string id;
  PlaceId placeId;
  SystemTime createdAt{};
  SystemTime expiresAt{};
  std::vector<FakeVolume> volumes;  ///< in the order of the instance's storages
};

struct FakeNetwork {
  std::string name;
  std::string swarmId;
  std::string owner;
};

/// Thread-safe, except for faults' gates. All changes are reported to the subscribers, as a real Engine's events are.
class FakeWorld {
 public:
  explicit FakeWorld(const Clock& clock) : clock_(clock) {}

  FaultPlan faults;

  // What happens outside of the server.
  void exitContainer(const PlaceId& place_id, int exit_code);  ///< its process ends
  void removeContainer(const PlaceId& place_id);               ///< by hand; its volumes stay
  void killAtMemoryLimit(const PlaceId& place_id);             ///< one of its processes; the container continues
  void dropVolume(const std::string& name);                    ///< by hand
  void stopAll();                                              ///< the machine was rebooted: everything exists and is stopped
  void hold(const PlaceId& place_id, std::string transfer);    ///< the effects of the agent's POST /hold and /release
  void release(const PlaceId& place_id);
  EgressRules setRules(const PlaceId& place_id, EgressConfig rules);  ///< gives what stood before
  void use(const PlaceId& place_id, const ResourceUsage& usage);
  void restartVscode(const PlaceId& place_id);  ///< the agent replaced VS Code's server
  void setDown(bool down);                      ///< calls throw Unavailable; Disconnected and Reconnected are reported
  bool isDown() const;
  void setListsPartial(bool partial);  ///< listInstances() omits every second one and marks the list as incomplete
  bool areListsPartial() const;
  void listImages(std::vector<std::string> patterns);  ///< only these may be chosen by everyone; checkRequest refuses others
  std::vector<std::string> listedImages() const;
  void addMissingImage(std::string image);       ///< createInstance fails with Unprocessable
  void rebuildImage(const std::string& image);   ///< its name means another image from now on; no event reports that
  void addImageWithoutAgent(std::string image);  ///< runs, but the agent's port does not respond
  void emitEvents(bool on);                      ///< off: changes are not reported (events are lost), for tests of the safety net

  // What exists, for assertions.
  std::vector<FakeContainer> containers() const;
  std::vector<FakeVolume> volumes() const;
  std::vector<FakeNetwork> networks() const;
  std::optional<FakeContainer> container(const PlaceId& place_id) const;
  std::optional<FakeVolume> volume(const std::string& name) const;
  std::set<PlaceId> unlimited() const;  ///< where a program of the user ran without the rules of its policy
  void writeFile(const std::string& volume, std::string path, std::string contents);
  std::string takeVolumeSnapshot(const PlaceId& place_id);  ///< "vs_fake-1"; kept for two weeks
  void dropVolumeSnapshot(const std::string& id);           ///< it has expired
  std::vector<FakeVolumeSnapshot> volumeSnapshots() const;
  /// Something that an earlier, crashed server left behind.
  void plant(FakeContainer container, std::vector<FakeVolume> volumes);

  // For the provider.
  using Sink = std::function<void(const ProviderEvent&)>;
  std::uint64_t subscribe(Sink sink);
  void unsubscribe(std::uint64_t subscription);
  bool isImageMissing(const std::string& image) const;
  std::string imageId(const std::string& image) const;
  bool hasAgent(const std::string& image) const;
  std::string ensureNetwork(const std::string& swarm_id, const std::string& owner);
  std::string ensureVolume(const std::string& swarm_id, const InstanceSpec& spec, std::size_t index);
  /// The same, with the files of a snapshot's volume; throws Unprocessable for one that does not exist any more.
  std::string ensureCopy(const std::string& swarm_id, const InstanceSpec& spec, std::size_t index, const std::string& snapshot);
  FakeContainer ensureContainer(const std::string& swarm_id, const InstanceSpec& spec);
  void start(const PlaceId& place_id, std::chrono::milliseconds ready_after);
  void stop(const PlaceId& place_id);
  void remove(const PlaceId& place_id);
  bool removeVolume(const std::string& name);  ///< false: in use
  void removeNetworkIfUnused(const std::string& swarm_id, const std::string& owner);
  void setResources(const PlaceId& place_id, const ResourceConfig& resources);
  void noteProgram(const PlaceId& place_id);  ///< a program of the user runs there
  bool isVolumeInUse(const std::string& name) const;
  std::optional<std::string> readFile(const PlaceId& place_id, const std::string& path) const;
  bool writeInside(const PlaceId& place_id, const std::string& path, std::string contents);

 private:
  void report(ProviderEvent event);
  FakeContainer& existing(const PlaceId& place_id);  ///< throws NotFound
  FakeVolume* mountedAt(const PlaceId& place_id, const std::string& path, std::string& inside);
  bool isVolumeInUseLocked(const std::string& name) const;
  void noteProgramLocked(const FakeContainer& container);
  std::string imageIdLocked(const std::string& image) const;
  std::string nextId(const char* prefix);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<PlaceId, FakeContainer> containers_;
  std::map<std::string, FakeVolume> volumes_;    ///< by name
  std::map<std::string, FakeNetwork> networks_;  ///< by name
  std::vector<FakeVolumeSnapshot> volume_snapshots_;
  std::map<std::uint64_t, Sink> sinks_;
  std::vector<std::string> listed_images_;
  std::set<std::string> missing_images_;
  std::set<std::string> images_without_agent_;
  std::map<std::string, int> image_builds_;
  std::set<PlaceId> unlimited_;
  std::uint64_t next_ = 1;
  bool down_ = false;
  bool partial_ = false;
  bool emit_ = true;
};

/// Name of the volume for one storage entry.
std::string volumeNameOf(const InstanceSpec& spec, std::size_t index);

}  // namespace swarm::fake
