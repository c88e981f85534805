// Commands: runs programs inside containers (stdin, stdout and stderr apart, exit code), and reads a container's logs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provider/docker/container/container_index.h"

namespace swarm::docker {

class Commands {
 public:
  Commands(DockerContext& context, ContainerIndex& index) : context_(context), index_(index) {}

  awaitable<CommandResult> run(PlaceId place_id, std::vector<std::string> command, std::string stdin_text, Deadline deadline);
  awaitable<std::unique_ptr<LogSource::Reader>> openLogs(PlaceId place_id, LogSource::Options options, Deadline deadline);

 private:
  DockerContext& context_;
  ContainerIndex& index_;
};

}  // namespace swarm::docker
