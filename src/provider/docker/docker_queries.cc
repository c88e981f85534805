// Finding containers by label or by memory, and reading them.
#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "protocol/agent.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"

namespace swarm::docker {
namespace {

ContainerRef readRef(const json::value& item) {
  ContainerRef ref{stringAt(item, "Id"), {}, stringAt(item, "State"), labelOf(item, kLabelInstance)};
  if (const json::value* names = member(item, "Names"); names && names->is_array() && !names->as_array().empty()) {
    const json::value& first = names->as_array().front();
    if (first.is_string()) ref.name = first.as_string();
    if (ref.name.starts_with('/')) ref.name.erase(0, 1);
  }
  std::string network = labelOf(item, kLabelNetwork);
  const json::value* joined = member(item, "NetworkSettings.Networks");
  ref.connected = network.empty() || !joined || !joined->is_object() || joined->as_object().contains(network);
  return ref;
}

/// While a replacement is under way there are up to three: the one in force has no suffix; without it, the one that stands aside.
int rank(const ContainerRef& ref) {
  if (ref.name.ends_with(kNextSuffix)) return 2;
  return ref.name.ends_with(kAsideSuffix) ? 1 : 0;
}

bool matches(const ProviderInstance& instance, const InstanceFilter& filter) {
  if (filter.instanceId && *filter.instanceId != instance.instanceId) return false;
  if (filter.owner && *filter.owner != instance.owner) return false;
  return !filter.status || *filter.status == instance.status;
}

Error noInstance(const std::string& instance_id) {
  return Error(ErrorCode::NotFound, format("The Docker Engine has no container of instance {}.", instance_id)).withInstance(instance_id);
}

}  // namespace

json::object DockerProvider::ownFilter(std::string extra_label) const {
  json::array labels{json::string(format("{}={}", kLabelSwarm, swarm_id_))};
  if (!extra_label.empty()) labels.push_back(json::string(extra_label));
  return {{"label", std::move(labels)}};
}

awaitable<std::vector<ContainerRef>> DockerProvider::containersOf(std::string instance_id, Deadline deadline) {
  std::string extra = instance_id.empty() ? "" : format("{}={}", kLabelInstance, instance_id);
  EngineCall call{.target = "/containers/json?all=true&" + filterQuery(ownFilter(extra)), .doing = "list containers", .body = {}};
  json::value list = co_await engine_.call(std::move(call), deadline);
  std::vector<ContainerRef> found;
  if (const json::array* items = list.if_array()) {
    for (const json::value& item : *items) found.push_back(readRef(item));
  }
  std::sort(found.begin(), found.end(), [](const ContainerRef& a, const ContainerRef& b) { return rank(a) < rank(b); });
  co_return found;
}

awaitable<std::optional<std::string>> DockerProvider::findContainer(std::string instance_id, Deadline deadline) {
  if (auto known = primary_.find(instance_id); known != primary_.end()) co_return known->second;
  std::vector<ContainerRef> found = co_await containersOf(instance_id, deadline);
  if (found.empty()) co_return std::nullopt;
  primary_[instance_id] = found.front().id;
  co_return found.front().id;
}

awaitable<std::optional<ContainerDetails>> DockerProvider::inspectContainer(std::string container, Deadline deadline) {
  const std::string doing = "inspect a container";
  EngineReply reply = co_await engine_.send({.target = "/containers/" + container + "/json", .doing = doing, .body = {}}, deadline);
  if (reply.status == 404) {
    inspected_.erase(container);
    co_return std::nullopt;
  }
  if (!reply.ok()) throw engineError(reply.status, reply.body, doing);
  json::value inspection = std::move(reply).json(doing);
  co_return readContainer(inspection, engine_.config(), engine_.isLocal(), whatEnded(inspection));
}

/// Only the run that we asked to stop counts: what is started again by somebody else and fails has failed.
EndedBy DockerProvider::whatEnded(const json::value& inspection) {
  auto asked = stopped_.find(stringAt(inspection, "Id"));
  if (asked == stopped_.end() || boolAt(inspection, "State.Running")) return EndedBy::Itself;
  std::string run = stringAt(inspection, "State.StartedAt");
  if (asked->second.empty()) asked->second = run;
  return asked->second == run ? EndedBy::Stop : EndedBy::Itself;
}

awaitable<std::optional<ContainerDetails>> DockerProvider::inspectInstance(std::string instance_id, Deadline deadline) {
  bool remembered = primary_.contains(instance_id);
  auto container = co_await findContainer(instance_id, deadline);
  if (!container) co_return std::nullopt;
  auto details = co_await inspectContainer(*container, deadline);
  if (details || !remembered) co_return details;
  primary_.erase(instance_id);
  container = co_await findContainer(instance_id, deadline);
  if (!container) co_return std::nullopt;
  co_return co_await inspectContainer(*container, deadline);
}

awaitable<ContainerDetails> DockerProvider::requireInstance(std::string instance_id, Deadline deadline) {
  auto details = co_await inspectInstance(instance_id, deadline);
  if (!details) throw noInstance(instance_id);
  co_return std::move(*details);
}

awaitable<EngineReply> DockerProvider::sendToInstance(std::string instance_id, EngineCall call, Deadline deadline) {
  const std::string suffix = call.target;
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto container = co_await findContainer(instance_id, deadline);
    if (!container) break;
    EngineCall addressed = call;
    addressed.target = "/containers/" + *container + suffix;
    EngineReply reply = co_await engine_.send(std::move(addressed), deadline);
    if (!saysNoContainer(reply.status, reply.body)) co_return reply;
    primary_.erase(instance_id);
  }
  throw noInstance(instance_id);
}

awaitable<std::optional<ProviderInstance>> DockerProvider::getInstance(std::string instance_id, Deadline deadline) {
  auto details = co_await inspectInstance(std::move(instance_id), deadline);
  if (!details) co_return std::nullopt;
  co_return std::move(details->instance);
}

bool DockerProvider::isImageOutdated(const ProviderInstance& observed, const std::string& image) const {
  auto now = image_ids_.find(image);
  return now != image_ids_.end() && !observed.image.empty() && observed.image != now->second;
}

/// One call for each name, however many containers were made from it: the Engine reports a moved tag by no event of a container.
awaitable<void> DockerProvider::learnImageIds(std::set<std::string> names, Deadline deadline) {
  std::erase_if(image_ids_, [&](const auto& known) { return !names.contains(known.first); });
  for (const std::string& name : names) {
    EngineReply reply = co_await engine_.send(
        {.target = "/images/" + net::percentEncode(name) + "/json", .doing = "look for the image", .body = {}}, deadline);
    if (reply.ok()) image_ids_[name] = stringAt(reply.json("look for the image"), "Id");
    if (reply.status == 404) image_ids_.erase(name);
  }
}

awaitable<InstanceList> DockerProvider::listInstances(InstanceFilter filter, Deadline deadline) {
  InstanceList list;
  std::set<std::string> images;
  std::vector<ContainerRef> found = co_await containersOf(filter.instanceId.value_or(""), deadline);
  std::set<std::string> seen;
  for (const ContainerRef& ref : found) {
    if (!seen.insert(ref.instanceId).second) continue;  // ordered by rank: the first is the one in force
    // Details are asked for once per change: every event about a container forgets them.
    auto known = inspected_.find(ref.id);
    std::optional<ContainerDetails> details;
    if (engine_events_.connected() && known != inspected_.end() && known->second.state == ref.state &&
        known->second.connected == ref.connected) {
      details = known->second;
    } else {
      inspected_.erase(ref.id);
      auto [slot, unused] = inspected_.try_emplace(ref.id);
      slot->second.state.clear();  // a place that an event during the call can take away
      details = co_await inspectContainer(ref.id, deadline);
      if (!details) continue;  // removed since
      auto place = inspected_.find(ref.id);
      if (place != inspected_.end()) place->second = *details;
    }
    images.insert(details->imageName);
    if (matches(details->instance, filter)) list.instances.push_back(details->instance);
  }
  images.erase("");
  if (!filter.instanceId) co_await learnImageIds(std::move(images), deadline);
  co_return list;
}

awaitable<NetworkInfo> DockerProvider::getNetworkInfo(std::string instance_id, Deadline deadline) {
  ContainerDetails details = co_await requireInstance(std::move(instance_id), deadline);
  co_return std::move(details.instance.network);
}

awaitable<AgentEndpoint> DockerProvider::agentEndpoint(std::string instance_id, Deadline deadline) {
  ContainerDetails details = co_await requireInstance(instance_id, deadline);
  if (details.state != "running") {
    throw Error(ErrorCode::Conflict, format("The workspace does not run (its container is {}).", details.state)).withInstance(instance_id);
  }
  net::HostPort address;
  if (details.internal) {
    address = {details.networkAddress, agent::kPort};
  } else {
    std::string host = engine_.config().host;
    const std::string& published = engine_.config().agentPublishAddress;
    if (engine_.isLocal()) host = published.empty() || published == "0.0.0.0" ? "127.0.0.1" : published;
    address = {host, static_cast<std::uint16_t>(details.agentPort)};
  }
  if (address.host.empty() || address.port == 0) {
    throw Error(ErrorCode::Conflict, "The instance's agent has no address: its container runs without a published port.")
        .withInstance(instance_id);
  }
  net::Connector connector = [address](Deadline connect_deadline) { return net::connectTcp(address, connect_deadline); };
  AgentEndpoint endpoint(connector);
  endpoint.credential = details.credential;
  co_return endpoint;
}

}  // namespace swarm::docker
