// Each call of the contract, handed to around() with a way to make it.
#include "provider/decorators/forwarding.h"

namespace swarm {

std::string_view toString(ProviderCall call) {
  switch (call) {
    case ProviderCall::CreateInstance:
      return "createInstance";
    case ProviderCall::StartInstance:
      return "startInstance";
    case ProviderCall::StopInstance:
      return "stopInstance";
    case ProviderCall::DeleteInstance:
      return "deleteInstance";
    case ProviderCall::GetInstance:
      return "getInstance";
    case ProviderCall::ListInstances:
      return "listInstances";
    case ProviderCall::AllocateResources:
      return "allocateResources";
    case ProviderCall::GetResourceUsage:
      return "getResourceUsage";
    case ProviderCall::ConfigureNetwork:
      return "configureNetwork";
    case ProviderCall::GetNetworkInfo:
      return "getNetworkInfo";
    case ProviderCall::ExecuteCommand:
      return "executeCommand";
    case ProviderCall::ReplaceInstance:
      return "replaceInstance";
    case ProviderCall::AgentEndpoint:
      return "agentEndpoint";
    case ProviderCall::ListVolumes:
      return "listVolumes";
    case ProviderCall::DeleteVolume:
      return "deleteVolume";
    case ProviderCall::Validate:
      return "validate";
    case ProviderCall::PreviewInstance:
      return "previewInstance";
  }
  return "?";
}

awaitable<void> ForwardingProvider::around(CallContext context, Attempt attempt) {
  co_await before(context);
  co_await attempt();
  co_await after(context);
}

template <typename T>
awaitable<T> ForwardingProvider::forward(CallContext context, std::function<awaitable<T>()> call) {
  if constexpr (std::is_void_v<T>) {
    co_await around(std::move(context), std::move(call));
  } else {
    std::optional<T> result;
    Attempt attempt = [&]() -> awaitable<void> { result.emplace(co_await call()); };
    co_await around(std::move(context), attempt);
    co_return std::move(*result);
  }
}

awaitable<ProviderInstance> ForwardingProvider::createInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  std::function<awaitable<ProviderInstance>()> call = [&] { return inner_->createInstance(spec, progress, deadline); };
  co_return co_await forward<ProviderInstance>({ProviderCall::CreateInstance, spec.placeId.str(), deadline}, call);
}

awaitable<PlacementPreview> ForwardingProvider::previewInstance(InstanceSpec spec, Deadline deadline) {
  std::function<awaitable<PlacementPreview>()> call = [&] { return inner_->previewInstance(spec, deadline); };
  co_return co_await forward<PlacementPreview>({ProviderCall::PreviewInstance, spec.placeId.str(), deadline}, call);
}

awaitable<void> ForwardingProvider::startInstance(PlaceId place_id, Progress& progress, Deadline deadline) {
  Attempt call = [&] { return inner_->startInstance(place_id, progress, deadline); };
  co_await forward<void>({ProviderCall::StartInstance, place_id.str(), deadline}, call);
}

awaitable<void> ForwardingProvider::stopInstance(PlaceId place_id, std::chrono::seconds grace, Progress& progress, Deadline deadline) {
  Attempt call = [&] { return inner_->stopInstance(place_id, grace, progress, deadline); };
  co_await forward<void>({ProviderCall::StopInstance, place_id.str(), deadline}, call);
}

awaitable<void> ForwardingProvider::deleteInstance(PlaceId place_id, DeleteVolumes volumes, std::vector<ExternalResource> external,
                                                   Progress& progress, Deadline deadline) {
  Attempt call = [&] { return inner_->deleteInstance(place_id, volumes, external, progress, deadline); };
  co_await forward<void>({ProviderCall::DeleteInstance, place_id.str(), deadline}, call);
}

awaitable<std::optional<ProviderInstance>> ForwardingProvider::getInstance(PlaceId place_id, Deadline deadline) {
  using Result = std::optional<ProviderInstance>;
  std::function<awaitable<Result>()> call = [&] { return inner_->getInstance(place_id, deadline); };
  co_return co_await forward<Result>({ProviderCall::GetInstance, place_id.str(), deadline}, call);
}

awaitable<InstanceList> ForwardingProvider::listInstances(InstanceFilter filter, Deadline deadline) {
  std::function<awaitable<InstanceList>()> call = [&] { return inner_->listInstances(filter, deadline); };
  co_return co_await forward<InstanceList>({ProviderCall::ListInstances, filter.placeId.value_or(PlaceId()).str(), deadline}, call);
}

awaitable<AllocationEffect> ForwardingProvider::allocateResources(PlaceId place_id, ResourceConfig resources, Deadline deadline) {
  std::function<awaitable<AllocationEffect>()> call = [&] { return inner_->allocateResources(place_id, resources, deadline); };
  co_return co_await forward<AllocationEffect>({ProviderCall::AllocateResources, place_id.str(), deadline}, call);
}

awaitable<ResourceUsage> ForwardingProvider::getResourceUsage(PlaceId place_id, Deadline deadline) {
  std::function<awaitable<ResourceUsage>()> call = [&] { return inner_->getResourceUsage(place_id, deadline); };
  co_return co_await forward<ResourceUsage>({ProviderCall::GetResourceUsage, place_id.str(), deadline}, call);
}

awaitable<AllocationEffect> ForwardingProvider::configureNetwork(PlaceId place_id, NetworkConfig network, Deadline deadline) {
  std::function<awaitable<AllocationEffect>()> call = [&] { return inner_->configureNetwork(place_id, network, deadline); };
  co_return co_await forward<AllocationEffect>({ProviderCall::ConfigureNetwork, place_id.str(), deadline}, call);
}

awaitable<NetworkInfo> ForwardingProvider::getNetworkInfo(PlaceId place_id, Deadline deadline) {
  std::function<awaitable<NetworkInfo>()> call = [&] { return inner_->getNetworkInfo(place_id, deadline); };
  co_return co_await forward<NetworkInfo>({ProviderCall::GetNetworkInfo, place_id.str(), deadline}, call);
}

awaitable<CommandResult> ForwardingProvider::executeCommand(PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                                            Deadline deadline) {
  std::function<awaitable<CommandResult>()> call = [&] { return inner_->executeCommand(place_id, command, stdin_text, deadline); };
  co_return co_await forward<CommandResult>({ProviderCall::ExecuteCommand, place_id.str(), deadline}, call);
}

awaitable<ProviderInstance> ForwardingProvider::replaceInstance(InstanceSpec spec, Progress& progress, Deadline deadline) {
  std::function<awaitable<ProviderInstance>()> call = [&] { return inner_->replaceInstance(spec, progress, deadline); };
  co_return co_await forward<ProviderInstance>({ProviderCall::ReplaceInstance, spec.placeId.str(), deadline}, call);
}

awaitable<AgentEndpoint> ForwardingProvider::agentEndpoint(PlaceId place_id, Deadline deadline) {
  std::function<awaitable<AgentEndpoint>()> call = [&] { return inner_->agentEndpoint(place_id, deadline); };
  co_return co_await forward<AgentEndpoint>({ProviderCall::AgentEndpoint, place_id.str(), deadline}, call);
}

awaitable<std::vector<VolumeInfo>> ForwardingProvider::listVolumes(Deadline deadline) {
  using Result = std::vector<VolumeInfo>;
  std::function<awaitable<Result>()> call = [&] { return inner_->listVolumes(deadline); };
  co_return co_await forward<Result>({ProviderCall::ListVolumes, "", deadline}, call);
}

awaitable<void> ForwardingProvider::deleteVolume(std::string name, Deadline deadline) {
  Attempt call = [&] { return inner_->deleteVolume(name, deadline); };
  co_await forward<void>({ProviderCall::DeleteVolume, name, deadline}, call);
}

awaitable<std::vector<ValidationCheck>> ForwardingProvider::validate(Deadline deadline) {
  using Result = std::vector<ValidationCheck>;
  std::function<awaitable<Result>()> call = [&] { return inner_->validate(deadline); };
  co_return co_await forward<Result>({ProviderCall::Validate, "", deadline}, call);
}

}  // namespace swarm
