// FakeWorld: what exists at the fake provider. It lives outside of the provider, so that a restarted controller finds what was there.
#pragma once

#include <functional>
#include <map>
#include <memory>
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
  std::string instanceId;  ///< the one it was made for
  std::string owner;
  std::string mountPath;
  bool persistent = true;
  SystemTime createdAt{};
  std::map<std::string, std::string> files;  ///< path inside the volume → contents
};

struct FakeContainer {
  std::string id;  ///< changes when the container is made anew
  std::string swarmId;
  InstanceSpec spec;
  InstanceStatus status = InstanceStatus::creating;  ///< creating (made, never started), running, stopped or failed
  std::string reason;
  SystemTime createdAt{};
  SystemTime startedAt{};
  std::vector<std::string> volumes;
  std::string network;
  std::vector<PortMapping> ports;
  std::string generation;  ///< of the VS Code server inside
  SteadyTime readyAt{};    ///< when VS Code inside answers
  std::string held;        ///< its agent waits for the end of this transfer, and runs nothing
  std::string image;       ///< FakeWorld::imageId() of when it was made
};

/// What the world took of an instance's volumes by itself.
struct FakeVolumeSnapshot {
  std::string id;
  std::string instanceId;
  SystemTime createdAt{};
  SystemTime expiresAt{};
  std::vector<FakeVolume> volumes;  ///< in the order of the instance's storages
};

struct FakeNetwork {
  std::string name;
  std::string swarmId;
  std::string owner;
};

/// Thread-safe, except for faults' gates. All changes are announced to the subscribers, as a real Engine's events are.
class FakeWorld {
 public:
  explicit FakeWorld(const Clock& clock) : clock_(clock) {}

  FaultPlan faults;

  // What happens behind the server's back.
  void exitContainer(const std::string& instance_id, int exit_code);  ///< the process ends by itself
  void removeContainer(const std::string& instance_id);               ///< somebody removes it; its volumes stay
  void killAtMemoryLimit(const std::string& instance_id);             ///< one of its processes; it runs on
  void dropVolume(const std::string& name);                           ///< somebody removes it
  void stopAll();                                                     ///< the machine was rebooted: everything exists and is stopped
  void hold(const std::string& instance_id, std::string transfer);    ///< what the agent's POST /hold and /release do
  void release(const std::string& instance_id);
  void restartVscode(const std::string& instance_id);  ///< the agent replaced VS Code's server
  void setDown(bool down);                             ///< calls throw Unavailable; Disconnected and Reconnected are announced
  bool isDown() const;
  void setListsPartial(bool partial);  ///< listInstances() leaves out every second one and says so
  bool areListsPartial() const;
  void addMissingImage(std::string image);       ///< createInstance fails with Unprocessable
  void rebuildImage(const std::string& image);   ///< its name means another image from now on; announced by no event
  void addImageWithoutAgent(std::string image);  ///< runs, but nothing answers on the agent's port
  void emitEvents(bool on);                      ///< off: changes are not announced (events are lost), for tests of the safety net

  // What is there, for assertions.
  std::vector<FakeContainer> containers() const;
  std::vector<FakeVolume> volumes() const;
  std::vector<FakeNetwork> networks() const;
  std::optional<FakeContainer> container(const std::string& instance_id) const;
  std::optional<FakeVolume> volume(const std::string& name) const;
  void writeFile(const std::string& volume, std::string path, std::string contents);
  std::string takeVolumeSnapshot(const std::string& instance_id);  ///< "vs_fake-1"; kept for two weeks
  void dropVolumeSnapshot(const std::string& id);                  ///< its time is over
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
  /// The same, with the files of a snapshot's volume; throws Unprocessable for one that is not there any more.
  std::string ensureCopy(const std::string& swarm_id, const InstanceSpec& spec, std::size_t index, const std::string& snapshot);
  FakeContainer ensureContainer(const std::string& swarm_id, const InstanceSpec& spec);
  void start(const std::string& instance_id, std::chrono::milliseconds ready_after);
  void stop(const std::string& instance_id);
  void remove(const std::string& instance_id);
  bool removeVolume(const std::string& name);  ///< false: in use
  void removeNetworkIfUnused(const std::string& swarm_id, const std::string& owner);
  void setResources(const std::string& instance_id, const ResourceConfig& resources);
  bool isVolumeInUse(const std::string& name) const;
  std::optional<std::string> readFile(const std::string& instance_id, const std::string& path) const;
  bool writeInside(const std::string& instance_id, const std::string& path, std::string contents);

 private:
  void announce(ProviderEvent event);
  FakeVolume* mountedAt(const std::string& instance_id, const std::string& path, std::string& inside);
  bool isVolumeInUseLocked(const std::string& name) const;
  std::string imageIdLocked(const std::string& image) const;
  std::string nextId(const char* prefix);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, FakeContainer> containers_;  ///< by instance id
  std::map<std::string, FakeVolume> volumes_;        ///< by name
  std::map<std::string, FakeNetwork> networks_;      ///< by name
  std::vector<FakeVolumeSnapshot> volume_snapshots_;
  std::map<std::uint64_t, Sink> sinks_;
  std::set<std::string> missing_images_;
  std::set<std::string> images_without_agent_;
  std::map<std::string, int> image_builds_;
  std::uint64_t next_ = 1;
  bool down_ = false;
  bool partial_ = false;
  bool emit_ = true;
};

/// Name of the volume for one storage entry.
std::string volumeNameOf(const InstanceSpec& spec, std::size_t index);

}  // namespace swarm::fake
