// The fake provider's lifecycle: each step waits its time, meets its planned faults, and then changes the world.
#include "provider/fake/fake_provider.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/deadline.h"
#include "base/text/format.h"

namespace swarm::fake {
namespace {

constexpr std::int64_t kMinimumMemory = 6;            // MiB, as at a Docker Engine
constexpr std::int64_t kMaximumMemory = 1024 * 1024;  // MiB

}  // namespace

/// Carries events from the world's threads to the provider's loop; empty once the provider is closed.
struct FakeProvider::Subscription {
  ProviderEventSink sink;
  std::uint64_t id = 0;
};

FakeProvider::FakeProvider(FakeWorld& world, const Clock& clock, FakeOptions options)
    : world_(world), clock_(clock), options_(std::move(options)) {}

FakeProvider::~FakeProvider() {
  if (!subscription_) return;
  world_.unsubscribe(subscription_->id);
  subscription_->sink = nullptr;
}

awaitable<void> FakeProvider::open(ProviderEventSink sink) {
  auto executor = co_await boost::asio::this_coro::executor;
  subscription_ = std::make_shared<Subscription>();
  subscription_->sink = std::move(sink);
  subscription_->id = world_.subscribe([executor, weak = std::weak_ptr(subscription_)](const ProviderEvent& event) {
    boost::asio::post(executor, [weak, event] {
      auto subscription = weak.lock();
      if (subscription && subscription->sink) subscription->sink(event);
    });
  });
  // A real endpoint may respond before anything else of a restarted server has happened.
  if (!world_.isDown()) subscription_->sink({ProviderEvent::Kind::Reconnected, {}, "the fake world"});
}

awaitable<void> FakeProvider::close() {
  if (subscription_) {
    world_.unsubscribe(subscription_->id);
    subscription_->sink = nullptr;
    subscription_.reset();
  }
  co_return;
}

awaitable<void> FakeProvider::call(const char* method) {
  co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
  co_await world_.faults.pass(method);
  if (world_.isDown()) throw Error(ErrorCode::Unavailable, "The fake provider can't be reached.");
}

awaitable<void> FakeProvider::step(const char* method, Step which, Progress& progress, std::chrono::milliseconds time) {
  progress.step(which);
  if (time.count() > 0) {
    co_await async::sleepFor(time);
  } else {
    co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable);
  }
  co_await world_.faults.pass(format("{}/{}", method, stepName(which)));
  if (world_.isDown()) throw Error(ErrorCode::Unavailable, "The fake provider can't be reached.");
}

awaitable<void> FakeProvider::respond(const char* method, Step which) {
  co_await world_.faults.pass(format("{}/{}/answer", method, stepName(which)));
}

void FakeProvider::checkSpec(const InstanceSpec& spec) const {
  const ResourceConfig& resources = spec.config.resources;
  if (resources.memory.max < kMinimumMemory || resources.memory.max > kMaximumMemory)
    throw Error(ErrorCode::Unprocessable,
                format("The memory limit of {} MiB is outside of {} to {} MiB.", resources.memory.max, kMinimumMemory, kMaximumMemory));
  if (world_.isImageMissing(spec.config.image))
    throw Error(ErrorCode::Unprocessable, format("The fake provider has no image \"{}\".", spec.config.image));
}

void FakeProvider::checkImageChoice(const InstanceSpec& spec) const {
  const std::vector<std::string> listed = world_.listedImages();
  if (listed.empty() || spec.config.image.empty() || matchesAny(spec.config.image, listed)) return;
  if (auto refusal = refusalOfUnlisted(spec.config.image, spec.imageChoice)) throw std::move(*refusal);
}

FakeContainer FakeProvider::existing(const PlaceId& place_id) const {
  auto container = world_.container(place_id);
  if (!container || container->swarmId != options_.swarmId)
    throw Error(ErrorCode::NotFound, format("Workspace {} does not exist at the fake provider.", place_id));
  return *container;
}

awaitable<void> FakeProvider::makeVolumes(const char* method, const InstanceSpec& spec, Progress& progress) {
  for (std::size_t i = 0; i < spec.config.storage.size(); ++i) {
    co_await step(method, Step::CreateVolume, progress, options_.times.step);
    if (spec.newVolumes) {
      auto taken = world_.volume(volumeNameOf(spec, i));
      if (taken && taken->placeId != spec.placeId)
        throw Error(ErrorCode::Conflict, format("The volume {} exists already, and its files would be replaced.", taken->name));
    }
    std::string volume = world_.ensureVolume(options_.swarmId, spec, i);
    co_await respond(method, Step::CreateVolume);
    co_await progress.recorded({ResourceKind::volume, volume});
  }
}

awaitable<void> FakeProvider::makeContainer(const char* method, const InstanceSpec& spec, Progress& progress) {
  co_await step(method, Step::CreateContainer, progress, options_.times.step);
  FakeContainer container = world_.ensureContainer(options_.swarmId, spec);
  co_await respond(method, Step::CreateContainer);
  co_await progress.recorded({ResourceKind::container, container.id});
}

awaitable<void> FakeProvider::startContainer(const char* method, const PlaceId& place_id, Progress& progress) {
  co_await step(method, Step::StartContainer, progress, options_.times.start);
  world_.start(place_id, options_.times.ready);
  co_await respond(method, Step::StartContainer);
}

awaitable<ProviderInstance> FakeProvider::createInstance(InstanceSpec spec, Progress& progress, Deadline) {
  co_await call("createInstance");
  co_await step("createInstance", Step::CheckImage, progress, options_.times.step);
  checkSpec(spec);
  auto lost = co_await findLostVolumes(spec, Deadline::never());
  if (!spec.emptyVolumes && !lost->empty())
    throw Error(ErrorCode::Conflict, format("The volume {} is gone from the fake provider.", lost->front().name));
  co_await step("createInstance", Step::CreateNetwork, progress, options_.times.step);
  std::string network = world_.ensureNetwork(options_.swarmId, spec.owner);
  co_await respond("createInstance", Step::CreateNetwork);
  co_await progress.recorded({ResourceKind::network, network});
  co_await makeVolumes("createInstance", spec, progress);
  co_await makeContainer("createInstance", spec, progress);
  co_await startContainer("createInstance", spec.placeId, progress);
  co_return describe(existing(spec.placeId));
}

awaitable<std::optional<std::vector<LostVolume>>> FakeProvider::findLostVolumes(InstanceSpec spec, Deadline) {
  co_await call("findLostVolumes");
  std::vector<LostVolume> lost;
  for (std::size_t i = 0; i < spec.config.storage.size(); ++i) {
    std::string name = volumeNameOf(spec, i);
    bool was_made = std::find(spec.known.begin(), spec.known.end(), ExternalResource{ResourceKind::volume, name}) != spec.known.end();
    if (was_made && !world_.volume(name)) lost.push_back({name, spec.config.storage[i].mountPath});
  }
  co_return lost;
}

awaitable<void> FakeProvider::startInstance(PlaceId place_id, Progress& progress, Deadline) {
  co_await call("startInstance");
  existing(place_id);
  co_await startContainer("startInstance", place_id, progress);
}

awaitable<void> FakeProvider::stopInstance(PlaceId place_id, std::chrono::seconds, Progress& progress, Deadline) {
  co_await call("stopInstance");
  existing(place_id);
  co_await step("stopInstance", Step::StopContainer, progress, options_.times.stop);
  world_.stop(place_id);
  co_await respond("stopInstance", Step::StopContainer);
}

awaitable<void> FakeProvider::deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                             Progress& progress, Deadline) {
  co_await call("deleteInstance");
  std::set<std::string> mounted;
  std::set<std::string> owners;
  if (auto container = world_.container(place_id); container && container->swarmId == options_.swarmId) {
    mounted.insert(container->volumes.begin(), container->volumes.end());
    owners.insert(container->spec.owner);
    co_await step("deleteInstance", Step::RemoveContainer, progress, options_.times.step);
    world_.remove(place_id);
    co_await respond("deleteInstance", Step::RemoveContainer);
  }
  for (const ExternalResource& resource : external)
    if (resource.kind == ResourceKind::volume) mounted.insert(resource.id);
  for (const FakeVolume& volume : world_.volumes()) {
    if (volume.swarmId != options_.swarmId) continue;
    bool ours = volume.placeId == place_id;
    if (ours) owners.insert(volume.owner);
    bool goes = volume.persistent ? volumes == DeleteVolumes::Yes && (ours || mounted.contains(volume.name)) : ours;
    if (!goes) continue;
    co_await step("deleteInstance", Step::RemoveVolumes, progress, options_.times.step);
    world_.removeVolume(volume.name);
    co_await respond("deleteInstance", Step::RemoveVolumes);
  }
  for (const FakeNetwork& network : world_.networks()) {
    bool recorded = std::find(external.begin(), external.end(), ExternalResource{ResourceKind::network, network.name}) != external.end();
    if (network.swarmId == options_.swarmId && recorded) owners.insert(network.owner);
  }
  for (const std::string& owner : owners) {
    co_await step("deleteInstance", Step::RemoveNetwork, progress, options_.times.step);
    world_.removeNetworkIfUnused(options_.swarmId, owner);
    co_await respond("deleteInstance", Step::RemoveNetwork);
  }
}

awaitable<std::vector<std::string>> FakeProvider::sweep(std::vector<Departure> gone, Deadline) {
  co_await call("sweep");
  std::vector<std::string> removed;
  for (const Departure& one : gone) {
    auto container = world_.container(one.placeId);
    if (container && container->swarmId == options_.swarmId) {
      world_.remove(one.placeId);
      removed.push_back("container " + container->id);
    }
    for (const FakeVolume& volume : world_.volumes()) {
      bool came_late = volume.swarmId == options_.swarmId && volume.placeId == one.placeId && volume.createdAt >= one.since;
      bool goes = one.volumes == DeleteVolumes::Yes || !volume.persistent;
      if (came_late && goes && world_.removeVolume(volume.name)) removed.push_back("volume " + volume.name);
    }
  }
  co_return removed;
}

awaitable<ProviderInstance> FakeProvider::replaceInstance(InstanceSpec spec, Progress& progress, Deadline) {
  co_await call("replaceInstance");
  checkSpec(spec);
  auto old = world_.container(spec.placeId);
  bool was_running = old && old->status == InstanceStatus::running;
  if (old) {
    co_await step("replaceInstance", Step::RemoveContainer, progress, options_.times.step);
    world_.remove(spec.placeId);
    co_await respond("replaceInstance", Step::RemoveContainer);
  }
  co_await makeVolumes("replaceInstance", spec, progress);
  co_await makeContainer("replaceInstance", spec, progress);
  if (was_running) co_await startContainer("replaceInstance", spec.placeId, progress);
  co_return describe(existing(spec.placeId));
}

}  // namespace swarm::fake
