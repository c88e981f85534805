// Examples of responses, made from the types, so that each has every member of the response.
#include "api/openapi/schema_parts.h"
#include "model/codec/codec.h"

namespace swarm::api::schema {
namespace {

const InstanceId kInstance("i-01k9t0w2c3d4e5f6g7h8j9k0mn");
const std::string kOperation = "op-01k9t0w2d7e8f9g0h1j2k3m4np";

Instance instance() {
  Instance one;
  one.id = kInstance;
  one.owner = "ann";
  one.status = InstanceStatus::running;
  one.createdAt = one.lastActive = one.observedAt = parseTime("2026-11-23T19:04:36Z");
  one.config.name = "dev";
  one.config.image = "swarm-workspace:latest";
  one.config.env = {{"TZ", "Europe/Berlin"}};
  one.config.storage = {{10, true, "/home/coder", ""}};
  one.config.labels = {{"team", "web"}};
  one.resources = one.config.resources;
  one.network.internalIp = "172.18.0.2";
  one.url = "http://dev.localhost:7420/";
  one.network.urls = {one.url};
  return one;
}

Operation operation() {
  Operation one;
  one.id = kOperation;
  one.instanceId = kInstance;
  one.instanceName = "dev";
  one.owner = one.actor = "ann";
  one.status = OperationStatus::running;
  one.createdAt = one.updatedAt = parseTime("2026-11-23T19:04:36Z");
  one.steps.resize(2);
  OperationStep& first = one.steps.front();
  first.name = "create container";
  first.status = OperationStatus::succeeded;
  first.startedAt = first.endedAt = one.createdAt;
  OperationStep& second = one.steps.back();
  second.name = "wait until VS Code responds";
  second.status = OperationStatus::running;
  second.startedAt = one.createdAt;
  return one;
}

}  // namespace

void addResponseExamples(json::object& schemas) {
  auto add = [&](std::string_view name, json::value example) { schemas[name].get_object()["examples"] = json::array{std::move(example)}; };
  json::value started = toJson(instance());
  started.get_object()["operationId"] = kOperation;
  json::value updated = toJson(instance());
  updated.get_object()["effect"] = "live";
  add("Instance", toJson(instance()));
  add("StartedInstance", std::move(started));
  add("UpdatedInstance", std::move(updated));
  add("Operation", toJson(operation()));
}

}  // namespace swarm::api::schema
