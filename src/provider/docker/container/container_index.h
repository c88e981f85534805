// ContainerIndex: finds the containers of instances by label, reads them, and remembers both while the Engine's events keep it true.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "provider/docker/docker_context.h"
#include "provider/docker/spec/container_state.h"

namespace swarm::docker {

/// An entry of the Engine's list.
struct ContainerRef {
  std::string id;
  std::string name;
  ContainerStatus status = ContainerStatus::unknown;
  PlaceId placeId;
  std::string instanceName{};
  bool hasTls = false;    ///< kLabelAgentTls
  bool connected = true;  ///< to its network
};

Error noContainerOf(const PlaceId& place_id);

class ContainerIndex {
 public:
  explicit ContainerIndex(DockerContext& context) : context_(context) {}

  /// The current container of each instance comes before its others; an empty id: of all instances.
  awaitable<std::vector<ContainerRef>> list(PlaceId place_id, Deadline deadline);
  awaitable<std::optional<std::string>> find(PlaceId place_id, Deadline deadline);
  awaitable<std::optional<ContainerDetails>> inspect(std::string container, Deadline deadline);  ///< by id or name
  awaitable<std::optional<ContainerDetails>> inspectInstance(PlaceId place_id, Deadline deadline);
  awaitable<ContainerDetails> require(PlaceId place_id, Deadline deadline);  ///< throws Error(NotFound)
  /// As remembered while `events` arrive, else as inspected. Nothing: removed since it was listed.
  enum class Events { Lost, Followed };
  awaitable<std::optional<ContainerDetails>> recall(ContainerRef ref, Events events, Deadline deadline);

  /// Calls `call(container)`, which gives an awaitable Outcome; finds the container once more when the remembered one is gone. Throws
  /// Error(NotFound).
  template <typename Call>
  auto withContainer(PlaceId place_id, Call call, Deadline deadline) -> decltype(call(std::string())) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto container = co_await find(place_id, deadline);
      if (!container) break;
      auto outcome = co_await call(*container);
      if (outcome || outcome.error().reason != Refusal::NoContainer) co_return outcome;
      current_.erase(place_id);
    }
    throw noContainerOf(place_id);
  }

  void setCurrent(const PlaceId& place_id, const std::string& container) { current_[place_id] = container; }
  /// The removal of such a container is not the instance's.
  void setAside(const std::string& container) { aside_.insert(container); }
  void takeBack(const std::string& container) { aside_.erase(container); }
  /// The current run will end by our stop; expectNoStop() revokes that.
  void expectStop(const std::string& container) { stopped_[container].clear(); }
  void expectNoStop(const PlaceId& place_id);

  std::optional<PlaceId> placeOf(const std::string& container) const;  ///< whose current one it is
  /// Whether the instance is gone with the container; its current one is then forgotten.
  bool noteRemoved(const PlaceId& place_id, const std::string& container);
  void noteChanged(const std::string& container) { inspected_.erase(container); }
  void noteAllChanged() { inspected_.clear(); }
  void forgetContainer(const std::string& container);
  void forgetInstance(const PlaceId& place_id);
  void forgetAll();  ///< except what we stopped: no other container has such an id

 private:
  EndedBy endedBy(const json::value& inspection);

  DockerContext& context_;
  std::map<PlaceId, std::string> current_;             ///< place → container
  std::map<std::string, ContainerDetails> inspected_;  ///< container → details
  std::map<std::string, std::string> stopped_;         ///< container → when the run began that we stopped; empty: not seen since
  std::set<std::string> aside_;
};

}  // namespace swarm::docker
