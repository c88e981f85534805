#include "provider/flyio/api/machine.h"

#include <boost/json/serialize.hpp>

#include "base/text/json_access.h"
#include "model/codec/codec_detail.h"

namespace swarm {

template std::string_view enumName(flyio::MachineState);
template std::optional<flyio::MachineState> enumFromName(std::string_view);

}  // namespace swarm

namespace swarm::flyio {

std::string toString(MachineStates states) {
  std::string text;
  for (MachineState state : states) text.append(text.empty() ? "" : ",").append(enumName(state));
  return text;
}

std::string Machine::metadata(std::string_view key) const {
  const json::value* all = config.if_contains("metadata");
  const json::object* object = all ? all->if_object() : nullptr;
  const json::value* found = object ? object->if_contains(key) : nullptr;
  return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string Machine::volumeId() const {
  const json::value* mounts = config.if_contains("mounts");
  if (!mounts || !mounts->is_array() || mounts->as_array().empty()) return {};
  return stringAt(mounts->as_array().front(), "volume");
}

json::object ExecRequest::body() const {
  json::object body{{"command", json::array(command.begin(), command.end())}, {"timeout", timeout.count()}};
  if (!input.empty()) body["stdin"] = input;
  return body;
}

std::size_t ExecRequest::bodySize() const { return json::serialize(body()).size(); }

Machine readMachine(const json::value& document, std::string app) {
  Machine machine;
  machine.app = std::move(app);
  machine.id = stringAt(document, "id");
  machine.name = stringAt(document, "name");
  machine.state = OpenEnum<MachineState>::ofName(stringAt(document, "state"));
  machine.region = stringAt(document, "region");
  machine.version = stringAt(document, "instance_id");
  if (machine.version.empty()) machine.version = stringAt(document, "version");
  machine.privateIp = stringAt(document, "private_ip");
  machine.hostStatus = stringAt(document, "host_status");
  machine.imageDigest = stringAt(document, "image_ref.digest");
  machine.createdAt = timeAt(document, "created_at");
  machine.updatedAt = timeAt(document, "updated_at");
  machine.hasConfig = member(document, "config") != nullptr;
  if (const json::object* config = objectAt(document, machine.hasConfig ? "config" : "incomplete_config")) machine.config = *config;
  machine.events = arrayAt(document, "events");
  return machine;
}

}  // namespace swarm::flyio
