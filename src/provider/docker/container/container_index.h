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
  std::string state;
  std::string instanceId;
  bool connected = true;  ///< to its network
};

Error noContainerOf(const std::string& instance_id);

class ContainerIndex {
 public:
  explicit ContainerIndex(DockerContext& context) : context_(context) {}

  /// The current container of each instance comes before its others; an empty id: of all instances.
  awaitable<std::vector<ContainerRef>> list(std::string instance_id, Deadline deadline);
  awaitable<std::optional<std::string>> find(std::string instance_id, Deadline deadline);
  awaitable<std::optional<ContainerDetails>> inspect(std::string container, Deadline deadline);  ///< by id or name
  awaitable<std::optional<ContainerDetails>> inspectInstance(std::string instance_id, Deadline deadline);
  awaitable<ContainerDetails> require(std::string instance_id, Deadline deadline);  ///< throws Error(NotFound)
  /// As remembered while `events` arrive, else as inspected. Nothing: removed since it was listed.
  enum class Events { Lost, Followed };
  awaitable<std::optional<ContainerDetails>> recall(ContainerRef ref, Events events, Deadline deadline);

  /// Calls `call(container)`, which gives an awaitable Outcome; finds the container once more when the remembered one is gone. Throws
  /// Error(NotFound).
  template <typename Call>
  auto withContainer(std::string instance_id, Call call, Deadline deadline) -> decltype(call(instance_id)) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      auto container = co_await find(instance_id, deadline);
      if (!container) break;
      auto outcome = co_await call(*container);
      if (outcome || outcome.error().reason != Refusal::NoContainer) co_return outcome;
      current_.erase(instance_id);
    }
    throw noContainerOf(instance_id);
  }

  void setCurrent(const std::string& instance_id, const std::string& container) { current_[instance_id] = container; }
  /// The removal of such a container is not the instance's.
  void setAside(const std::string& container) { aside_.insert(container); }
  void takeBack(const std::string& container) { aside_.erase(container); }
  /// The current run will end by our stop; expectNoStop() revokes that.
  void expectStop(const std::string& container) { stopped_[container].clear(); }
  void expectNoStop(const std::string& instance_id);

  std::optional<std::string> instanceOf(const std::string& container) const;  ///< whose current one it is
  /// Whether the instance is gone with the container; its current one is then forgotten.
  bool noteRemoved(const std::string& instance_id, const std::string& container);
  void noteChanged(const std::string& container) { inspected_.erase(container); }
  void noteAllChanged() { inspected_.clear(); }
  void forgetContainer(const std::string& container);
  void forgetInstance(const std::string& instance_id);
  void forgetAll();

 private:
  EndedBy endedBy(const json::value& inspection);

  DockerContext& context_;
  std::map<std::string, std::string> current_;         ///< instance → container
  std::map<std::string, ContainerDetails> inspected_;  ///< container → details
  std::map<std::string, std::string> stopped_;         ///< container → when the run began that we stopped; empty: not seen since
  std::set<std::string> aside_;
};

}  // namespace swarm::docker
