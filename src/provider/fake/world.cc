#include "provider/fake/world.h"

#include <ranges>

#include "base/text/format.h"

namespace swarm::fake {
namespace {

/// "hold" of the agent's settings: such an agent starts no process of the user.
std::string holdOf(const InstanceSpec& spec) {
  boost::system::error_code error;
  auto config = boost::json::parse(spec.agentBoot, error);
  const boost::json::value* hold = !error && config.is_object() ? config.as_object().if_contains("hold") : nullptr;
  return hold && hold->is_string() ? std::string(hold->as_string()) : std::string();
}

template <typename Key, typename T>
std::vector<T> valuesOf(const std::map<Key, T>& map) {
  auto values = std::views::values(map);
  return {values.begin(), values.end()};
}

template <typename Key, typename T>
std::optional<T> valueOf(const std::map<Key, T>& map, const Key& key) {
  auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::string volumeNameOf(const InstanceSpec& spec, std::size_t index) {
  const std::string& name = spec.config.storage[index].volumeName;
  return name.empty() ? format("swarm-{}-{}", spec.placeId, index) : name;
}

FakeContainer& FakeWorld::existing(const PlaceId& place_id) {
  auto found = containers_.find(place_id);
  if (found == containers_.end()) throw Error(ErrorCode::NotFound, format("There is no container for {}.", place_id));
  return found->second;
}

std::string FakeWorld::nextId(const char* prefix) { return format("{}-{}", prefix, next_++); }

void FakeWorld::report(ProviderEvent event) {
  std::vector<Sink> sinks;
  {
    std::lock_guard lock(mutex_);
    if (!emit_) return;
    for (auto& [id, sink] : sinks_) sinks.push_back(sink);
  }
  for (auto& sink : sinks) sink(event);
}

void FakeWorld::exitContainer(const PlaceId& place_id, int exit_code) {
  {
    std::lock_guard lock(mutex_);
    auto found = containers_.find(place_id);
    if (found == containers_.end()) return;
    found->second.status = exit_code == 0 ? InstanceStatus::stopped : InstanceStatus::failed;
    found->second.reason = exit_code == 0 ? "" : format("exited with code {}", exit_code);
  }
  report({ProviderEvent::Kind::Changed, place_id, format("die exitCode={}", exit_code)});
}

void FakeWorld::removeContainer(const PlaceId& place_id) { remove(place_id); }

void FakeWorld::killAtMemoryLimit(const PlaceId& place_id) { report({ProviderEvent::Kind::OutOfMemory, place_id, "oom"}); }

void FakeWorld::dropVolume(const std::string& name) {
  std::lock_guard lock(mutex_);
  volumes_.erase(name);
}

void FakeWorld::stopAll() {
  {
    std::lock_guard lock(mutex_);
    for (auto& [id, container] : containers_)
      if (container.status == InstanceStatus::running) container.status = InstanceStatus::stopped;
  }
  report({ProviderEvent::Kind::Reconnected, {}, "restarted"});
}

void FakeWorld::hold(const PlaceId& place_id, std::string transfer) {
  std::lock_guard lock(mutex_);
  auto found = containers_.find(place_id);
  if (found != containers_.end() && found->second.status == InstanceStatus::running) found->second.held = std::move(transfer);
}

void FakeWorld::release(const PlaceId& place_id) {
  std::lock_guard lock(mutex_);
  auto found = containers_.find(place_id);
  if (found == containers_.end() || found->second.held.empty()) return;
  found->second.held.clear();
  found->second.generation = nextId("vscode");
  noteProgramLocked(found->second);
}

void FakeWorld::use(const PlaceId& place_id, const ResourceUsage& usage) {
  const std::lock_guard lock(mutex_);
  existing(place_id).usage = usage;
}

void FakeWorld::restartVscode(const PlaceId& place_id) {
  std::lock_guard lock(mutex_);
  if (auto found = containers_.find(place_id); found != containers_.end()) found->second.generation = nextId("vscode");
}

void FakeWorld::setDown(bool down) {
  {
    std::lock_guard lock(mutex_);
    if (down_ == down) return;
    down_ = down;
  }
  report({down ? ProviderEvent::Kind::Disconnected : ProviderEvent::Kind::Reconnected, {}, ""});
}

bool FakeWorld::isDown() const {
  std::lock_guard lock(mutex_);
  return down_;
}

void FakeWorld::setListsPartial(bool partial) {
  std::lock_guard lock(mutex_);
  partial_ = partial;
}

bool FakeWorld::areListsPartial() const {
  std::lock_guard lock(mutex_);
  return partial_;
}

void FakeWorld::listImages(std::vector<std::string> patterns) {
  std::lock_guard lock(mutex_);
  listed_images_ = std::move(patterns);
}

std::vector<std::string> FakeWorld::listedImages() const {
  std::lock_guard lock(mutex_);
  return listed_images_;
}

void FakeWorld::addMissingImage(std::string image) {
  std::lock_guard lock(mutex_);
  missing_images_.insert(std::move(image));
}

void FakeWorld::rebuildImage(const std::string& image) {
  std::lock_guard lock(mutex_);
  ++image_builds_[image];
}

std::string FakeWorld::imageIdLocked(const std::string& image) const {
  auto builds = image_builds_.find(image);
  return format("{}@{}", image, builds == image_builds_.end() ? 0 : builds->second);
}

std::string FakeWorld::imageId(const std::string& image) const {
  std::lock_guard lock(mutex_);
  return imageIdLocked(image);
}

void FakeWorld::addImageWithoutAgent(std::string image) {
  std::lock_guard lock(mutex_);
  images_without_agent_.insert(std::move(image));
}

void FakeWorld::emitEvents(bool on) {
  std::lock_guard lock(mutex_);
  emit_ = on;
}

std::vector<FakeContainer> FakeWorld::containers() const {
  std::lock_guard lock(mutex_);
  return valuesOf(containers_);
}

std::vector<FakeVolume> FakeWorld::volumes() const {
  std::lock_guard lock(mutex_);
  return valuesOf(volumes_);
}

std::vector<FakeNetwork> FakeWorld::networks() const {
  std::lock_guard lock(mutex_);
  return valuesOf(networks_);
}

std::optional<FakeContainer> FakeWorld::container(const PlaceId& place_id) const {
  std::lock_guard lock(mutex_);
  return valueOf(containers_, place_id);
}

std::optional<FakeVolume> FakeWorld::volume(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return valueOf(volumes_, name);
}

void FakeWorld::writeFile(const std::string& volume, std::string path, std::string contents) {
  std::lock_guard lock(mutex_);
  volumes_.at(volume).files[std::move(path)] = std::move(contents);
}

std::string FakeWorld::takeVolumeSnapshot(const PlaceId& place_id) {
  std::lock_guard lock(mutex_);
  FakeVolumeSnapshot taken{nextId("vs_fake"), place_id, clock_.now(), clock_.now() + std::chrono::days(14), {}};
  for (const std::string& name : containers_.at(place_id).volumes) taken.volumes.push_back(volumes_.at(name));
  volume_snapshots_.push_back(taken);
  return taken.id;
}

void FakeWorld::dropVolumeSnapshot(const std::string& id) {
  std::lock_guard lock(mutex_);
  std::erase_if(volume_snapshots_, [&](const FakeVolumeSnapshot& taken) { return taken.id == id; });
}

std::vector<FakeVolumeSnapshot> FakeWorld::volumeSnapshots() const {
  std::lock_guard lock(mutex_);
  return volume_snapshots_;
}

void FakeWorld::plant(FakeContainer container, std::vector<FakeVolume> volumes) {
  std::lock_guard lock(mutex_);
  for (auto& volume : volumes) volumes_[volume.name] = std::move(volume);
  PlaceId id = container.spec.placeId;
  containers_[id] = std::move(container);
}

std::uint64_t FakeWorld::subscribe(Sink sink) {
  std::lock_guard lock(mutex_);
  sinks_[next_] = std::move(sink);
  return next_++;
}

void FakeWorld::unsubscribe(std::uint64_t subscription) {
  std::lock_guard lock(mutex_);
  sinks_.erase(subscription);
}

bool FakeWorld::isImageMissing(const std::string& image) const {
  std::lock_guard lock(mutex_);
  return missing_images_.contains(image);
}

bool FakeWorld::hasAgent(const std::string& image) const {
  std::lock_guard lock(mutex_);
  return !images_without_agent_.contains(image);
}

std::string FakeWorld::ensureNetwork(const std::string& swarm_id, const std::string& owner) {
  std::lock_guard lock(mutex_);
  std::string name = format("swarm-{}-{}", swarm_id, owner);
  networks_.try_emplace(name, FakeNetwork{name, swarm_id, owner});
  return name;
}

std::string FakeWorld::ensureVolume(const std::string& swarm_id, const InstanceSpec& spec, std::size_t index) {
  std::lock_guard lock(mutex_);
  const StorageConfig& storage = spec.config.storage[index];
  std::string name = volumeNameOf(spec, index);
  FakeVolume fresh{name, swarm_id, spec.placeId, spec.owner, storage.mountPath, storage.persistent, clock_.now(), {}};
  volumes_.try_emplace(name, std::move(fresh));
  return name;
}

std::string FakeWorld::ensureCopy(const std::string& swarm_id, const InstanceSpec& spec, std::size_t index, const std::string& snapshot) {
  std::string name = ensureVolume(swarm_id, spec, index);
  std::lock_guard lock(mutex_);
  auto taken = std::ranges::find(volume_snapshots_, snapshot, &FakeVolumeSnapshot::id);
  if (taken == volume_snapshots_.end()) throw Error(ErrorCode::Unprocessable, format("There is no snapshot {} any more.", snapshot));
  volumes_.at(name).files = taken->volumes.at(index).files;
  return name;
}

FakeContainer FakeWorld::ensureContainer(const std::string& swarm_id, const InstanceSpec& spec) {
  FakeContainer made;
  {
    std::lock_guard lock(mutex_);
    if (auto found = containers_.find(spec.placeId); found != containers_.end()) return found->second;
    made.id = nextId("container");
    made.swarmId = swarm_id;
    made.spec = spec;
    made.createdAt = clock_.now();
    made.image = imageIdLocked(spec.config.image);
    made.network = format("swarm-{}-{}", swarm_id, spec.owner);
    networks_.try_emplace(made.network, FakeNetwork{made.network, swarm_id, spec.owner});
    for (std::size_t i = 0; i < spec.config.storage.size(); ++i) made.volumes.push_back(volumeNameOf(spec, i));
    for (std::int64_t port : spec.config.network.exposedPorts)
      made.ports.push_back(PortMapping{port, static_cast<std::int64_t>(20'000 + next_++ % 40'000), "tcp"});
    containers_[spec.placeId] = made;
  }
  report({ProviderEvent::Kind::Changed, spec.placeId, "create"});
  return made;
}

void FakeWorld::start(const PlaceId& place_id, std::chrono::milliseconds ready_after) {
  {
    std::lock_guard lock(mutex_);
    FakeContainer& container = existing(place_id);
    if (container.status == InstanceStatus::running) return;
    container.status = InstanceStatus::running;
    container.reason.clear();
    container.startedAt = clock_.now();
    container.generation = nextId("vscode");
    container.boot = nextId("boot");
    container.held = holdOf(container.spec);
    container.rules.reset();
    container.readyAt = clock_.steadyNow() + ready_after;
    if (container.held.empty()) noteProgramLocked(container);
  }
  report({ProviderEvent::Kind::Changed, place_id, "start"});
}

void FakeWorld::stop(const PlaceId& place_id) {
  {
    std::lock_guard lock(mutex_);
    FakeContainer& container = existing(place_id);
    if (container.status != InstanceStatus::running) return;
    container.status = InstanceStatus::stopped;
    container.reason.clear();
  }
  report({ProviderEvent::Kind::Changed, place_id, "die exitCode=143"});
}

void FakeWorld::remove(const PlaceId& place_id) {
  {
    std::lock_guard lock(mutex_);
    if (containers_.erase(place_id) == 0) return;
  }
  report({ProviderEvent::Kind::Removed, place_id, "destroy"});
}

bool FakeWorld::isVolumeInUseLocked(const std::string& name) const {
  for (const auto& [id, container] : containers_)
    for (const std::string& used : container.volumes)
      if (used == name) return true;
  return false;
}

bool FakeWorld::isVolumeInUse(const std::string& name) const {
  std::lock_guard lock(mutex_);
  return isVolumeInUseLocked(name);
}

bool FakeWorld::removeVolume(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (isVolumeInUseLocked(name)) return false;
  volumes_.erase(name);
  return true;
}

void FakeWorld::removeNetworkIfUnused(const std::string& swarm_id, const std::string& owner) {
  std::lock_guard lock(mutex_);
  std::string name = format("swarm-{}-{}", swarm_id, owner);
  for (const auto& [id, container] : containers_)
    if (container.network == name) return;
  networks_.erase(name);
}

void FakeWorld::setResources(const PlaceId& place_id, const ResourceConfig& resources) {
  {
    std::lock_guard lock(mutex_);
    existing(place_id).spec.config.resources = resources;
  }
  report({ProviderEvent::Kind::Changed, place_id, "update"});
}

FakeVolume* FakeWorld::mountedAt(const PlaceId& place_id, const std::string& path, std::string& inside) {
  auto found = containers_.find(place_id);
  if (found == containers_.end()) return nullptr;
  const InstanceConfig& config = found->second.spec.config;
  for (std::size_t i = 0; i < config.storage.size(); ++i) {
    std::string mount = config.storage[i].mountPath + "/";
    auto volume = volumes_.find(found->second.volumes[i]);
    if (!path.starts_with(mount) || volume == volumes_.end()) continue;
    inside = path.substr(mount.size());
    return &volume->second;
  }
  return nullptr;
}

std::optional<std::string> FakeWorld::readFile(const PlaceId& place_id, const std::string& path) const {
  std::lock_guard lock(mutex_);
  std::string inside;
  FakeVolume* volume = const_cast<FakeWorld*>(this)->mountedAt(place_id, path, inside);
  if (!volume || !volume->files.contains(inside)) return std::nullopt;
  return volume->files.at(inside);
}

bool FakeWorld::writeInside(const PlaceId& place_id, const std::string& path, std::string contents) {
  std::lock_guard lock(mutex_);
  std::string inside;
  FakeVolume* volume = mountedAt(place_id, path, inside);
  if (volume) volume->files[inside] = std::move(contents);
  return volume != nullptr;
}

}  // namespace swarm::fake
