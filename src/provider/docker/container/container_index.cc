// Labels decide whose a container is, names which of several is the current one.
#include "provider/docker/container/container_index.h"

#include "base/text/format.h"
#include "provider/docker/spec/container_spec.h"

namespace swarm::docker {
namespace {

ContainerRef readRef(const json::value& item) {
  ContainerRef ref{stringAt(item, "Id"), {}, engine::containerStatusOf(stringAt(item, "State")), PlaceId(labelOf(item, kLabelInstance))};
  if (std::vector<std::string> names = textsAt(item, "Names"); !names.empty()) ref.name = names.front();
  if (ref.name.starts_with('/')) ref.name.erase(0, 1);
  std::string network = labelOf(item, kLabelNetwork);
  const json::object* joined = objectAt(item, "NetworkSettings.Networks");
  ref.instanceName = labelOf(item, kLabelName);
  ref.hasTls = labelOf(item, kLabelAgentTls) == "true";
  ref.connected = network.empty() || !joined || joined->contains(network);
  return ref;
}

/// During a replacement there are up to three: the current one has no suffix; without it, the one that was set aside.
int rank(const ContainerRef& ref) {
  if (ref.name.ends_with(kNextSuffix)) return 2;
  return ref.name.ends_with(kAsideSuffix) ? 1 : 0;
}

}  // namespace

Error noContainerOf(const PlaceId& place_id) {
  return Error(ErrorCode::NotFound, format("The Docker Engine has no container of workspace {}.", place_id)).withInstance(place_id.str());
}

awaitable<std::vector<ContainerRef>> ContainerIndex::list(PlaceId place_id, Deadline deadline) {
  std::string extra = place_id.empty() ? "" : format("{}={}", kLabelInstance, place_id);
  json::array listed = co_await context_.engine.listContainers(ownFilter(context_, std::move(extra)), deadline);
  std::vector<ContainerRef> found;
  for (const json::value& item : listed) {
    const bool is_helper = !labelOf(item, kLabelHelper).empty() && labelOf(item, kLabelInstance).empty();
    if (!is_helper) found.push_back(readRef(item));
  }
  std::ranges::sort(found, {}, rank);
  co_return found;
}

awaitable<std::optional<std::string>> ContainerIndex::find(PlaceId place_id, Deadline deadline) {
  if (auto known = current_.find(place_id); known != current_.end()) co_return known->second;
  std::vector<ContainerRef> found = co_await list(place_id, deadline);
  if (found.empty()) co_return std::nullopt;
  current_[place_id] = found.front().id;
  co_return found.front().id;
}

awaitable<std::optional<ContainerDetails>> ContainerIndex::inspect(std::string container, Deadline deadline) {
  auto inspection = co_await context_.engine.inspectContainer(container, deadline);
  if (inspection) co_return readContainer(*inspection, context_.config, endedBy(*inspection));
  forgetContainer(container);
  co_return std::nullopt;
}

/// Only the run that we stopped counts: a container that is started again by another program and fails has failed.
EndedBy ContainerIndex::endedBy(const json::value& inspection) {
  auto stopped = stopped_.find(stringAt(inspection, "Id"));
  if (stopped == stopped_.end() || boolAt(inspection, "State.Running")) return EndedBy::Itself;
  std::string run = stringAt(inspection, "State.StartedAt");
  if (stopped->second.empty()) stopped->second = run;
  return stopped->second == run ? EndedBy::Stop : EndedBy::Itself;
}

awaitable<std::optional<ContainerDetails>> ContainerIndex::inspectInstance(PlaceId place_id, Deadline deadline) {
  bool remembered = current_.contains(place_id);
  auto container = co_await find(place_id, deadline);
  if (!container) co_return std::nullopt;
  auto details = co_await inspect(*container, deadline);
  if (details || !remembered) co_return details;
  current_.erase(place_id);
  container = co_await find(place_id, deadline);
  if (!container) co_return std::nullopt;
  co_return co_await inspect(*container, deadline);
}

awaitable<ContainerDetails> ContainerIndex::require(PlaceId place_id, Deadline deadline) {
  auto details = co_await inspectInstance(place_id, deadline);
  if (!details) throw noContainerOf(place_id);
  co_return std::move(*details);
}

awaitable<std::optional<ContainerDetails>> ContainerIndex::recall(ContainerRef ref, Events events, Deadline deadline) {
  auto known = inspected_.find(ref.id);
  bool is_valid = events == Events::Followed && known != inspected_.end() && known->second.status == ref.status &&
                  known->second.connected == ref.connected;
  if (is_valid) co_return known->second;
  inspected_[ref.id] = {};  // an event during the call removes it: then the result is not remembered
  auto details = co_await inspect(ref.id, deadline);
  auto kept = inspected_.find(ref.id);
  if (details && kept != inspected_.end()) kept->second = *details;
  co_return details;
}

void ContainerIndex::expectNoStop(const PlaceId& place_id) {
  if (auto known = current_.find(place_id); known != current_.end()) stopped_.erase(known->second);
}

std::optional<PlaceId> ContainerIndex::placeOf(const std::string& container) const {
  auto found = std::ranges::find(current_, container, &std::pair<const PlaceId, std::string>::second);
  return found == current_.end() ? std::nullopt : std::optional(found->first);
}

bool ContainerIndex::noteRemoved(const PlaceId& place_id, const std::string& container) {
  auto current = current_.find(place_id);
  bool is_other = current != current_.end() && current->second != container;  // which has replaced this one
  bool was_aside = aside_.erase(container) != 0;
  if (!is_other) forgetInstance(place_id);
  return !is_other && !was_aside;
}

void ContainerIndex::forgetContainer(const std::string& container) {
  inspected_.erase(container);
  stopped_.erase(container);
}

void ContainerIndex::forgetInstance(const PlaceId& place_id) {
  auto known = current_.find(place_id);
  if (known == current_.end()) return;
  inspected_.erase(known->second);
  current_.erase(known);
}

void ContainerIndex::forgetAll() {
  current_.clear();
  inspected_.clear();
}

}  // namespace swarm::docker
