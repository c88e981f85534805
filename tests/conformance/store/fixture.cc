// The store tests' shared parts.
#include "conformance/store/fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>

namespace swarm::test {

std::vector<std::optional<Error>> runTogether(std::vector<awaitable<void>> works) {
  asio::io_context context;
  std::vector<std::optional<Error>> errors(works.size());
  for (std::size_t i = 0; i < works.size(); ++i) {
    asio::co_spawn(context, std::move(works[i]), [&errors, i](std::exception_ptr error) {
      if (!error) return;
      try {
        std::rethrow_exception(error);
      } catch (...) {
        errors[i] = currentExceptionAsError();
      }
    });
  }
  context.run();
  return errors;
}

InstanceRecord makeRecord(const std::string& id, const std::string& name) {
  InstanceRecord record;
  Instance& instance = record.instance;
  instance.id = InstanceId(id);
  instance.owner = "ann";
  instance.provider = ProviderType::flyio;
  instance.status = InstanceStatus::stopped;
  instance.statusReason = "It was stopped: \"by\" ann\nüñî";
  instance.desired = InstanceStatus::stopped;
  instance.createdAt = parseTime("2026-11-23T19:04:36.123Z");
  instance.lastActive = parseTime("2026-11-23T20:04:36.001Z");
  instance.observedAt = parseTime("2026-11-24T00:00:00Z");
  instance.config.name = name;
  instance.config.image = "debian:12";
  instance.config.command = {"sleep", "infinity"};
  instance.config.env = {{"A", "1"}, {"B", ""}};
  instance.config.resources.cpu = {0.25, 300};
  instance.config.resources.memory = {64, 128};
  instance.config.resources.storage = {3, false};
  instance.config.resources.pids = 77;
  instance.config.network = {{80, 443}, true, {"ams", "fra"}, DockerNetworkConfig{"net", "bridge"}, FlyNetworkConfig{true, false}};
  instance.config.storage = {{5, false, "/data", "vol-1"}};
  instance.config.labels = {{"team", "blue"}};
  instance.config.metadata = {{"k", {1, 2.5, nullptr}}};
  instance.resources = instance.config.resources;
  instance.network = {"10.0.0.2", "203.0.113.9", "host", {{80, 8080, "tcp"}}, {"http://x/"}};
  instance.url = "http://" + name + ".localhost:7420/";
  instance.version = 9;
  instance.stale = true;
  instance.operationId = "op-1";
  record.agentSecret = Secret(std::string("\x00\xff key", 6));
  record.agentKey = Secret(std::string("\x00\xfe key", 6));
  record.external = {{ResourceKind::volume, "v1"}, {ResourceKind::container, "c1"}};
  return record;
}

Departure departed(const std::string& id, DeleteVolumes volumes) {
  return {PlaceId(id), "ada", ProviderType::flyio, volumes, SystemTime(std::chrono::seconds(1'700'000'000))};
}

PlaceRecord makePlace(const std::string& id, const std::string& instance_id) {
  PlaceRecord place;
  place.id = PlaceId(id);
  place.instanceId = InstanceId(instance_id);
  place.owner = "ann";
  place.provider = ProviderType::flyio;
  place.region = "ams";
  place.config = makeRecord(instance_id, "web").instance.config;
  place.external = {{ResourceKind::app, "swarm-x"}};
  place.createdAt = parseTime("2026-11-23T19:04:36.123Z");
  place.expiresAt = parseTime("2026-11-24T19:04:36Z");
  place.name = "before";
  place.files = 7;
  place.bytes = 1'000;
  return place;
}

OperationRecord makeOperation(const std::string& id, const std::string& instance_id) {
  OperationRecord operation;
  operation.id = id;
  operation.kind = OperationKind::migrate;
  operation.instanceId = InstanceId(instance_id);
  operation.instanceName = "web";
  operation.owner = "ann";
  operation.actor = "root";
  operation.status = OperationStatus::running;
  operation.createdAt = parseTime("2026-11-23T19:04:36.123Z");
  operation.updatedAt = parseTime("2026-11-23T19:04:37Z");
  operation.steps = {{"pull image", OperationStatus::succeeded, operation.createdAt, operation.updatedAt, "layer 3 of 7", 5, 10}};
  MigrateParameters parameters;
  parameters.provider = ProviderType::flyio;
  parameters.region = "ams";
  parameters.config = makeRecord(instance_id, "web").instance.config;
  parameters.place = PlaceId("i-target");
  parameters.keepSource = true;
  parameters.keepHours = 24;
  operation.parameters = std::move(parameters);
  operation.cancelRequested = true;
  return operation;
}

int runInChild(const std::function<int()>& body) {
  pid_t child = ::fork();
  if (child == 0) {
    int code = 99;
    try {
      code = body();
    } catch (...) {
      std::fprintf(stderr, "in the child: %s\n", describeCurrentException().c_str());
    }
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace swarm::test
