// ChangePublisher: the contents of events.
#include "controller/publishing/change_publisher.h"

#include "base/text/untrusted_text.h"
#include "model/codec/codec.h"

namespace swarm::control {
namespace {

constexpr std::size_t kMaxReason = 2048;  ///< of a status reason, which is part of rows, lists and events

/// Whether an instance of this status has CPU and memory; nothing: as before.
std::optional<bool> occupies(InstanceStatus status) {
  switch (status) {
    case InstanceStatus::creating:
    case InstanceStatus::starting:
    case InstanceStatus::running:
      return true;
    case InstanceStatus::stopped:
    case InstanceStatus::deleted:
      return false;
    case InstanceStatus::stopping:
    case InstanceStatus::failed:
    case InstanceStatus::deleting:
      break;
  }
  return std::nullopt;
}

}  // namespace

void ChangePublisher::setStatus(Entry& entry, InstanceStatus status, std::string reason) {
  entry.instance().status = status;
  entry.occupies = occupies(status).value_or(entry.occupies);
  entry.instance().statusReason = printable(reason, kMaxReason);
  changed(entry);
}

void ChangePublisher::changed(const Entry& entry) {
  registry_.recount(entry);
  const Instance& instance = entry.record.instance;
  boost::json::object data;
  data["id"] = instance.id.str();
  data["name"] = instance.config.name;
  data["owner"] = instance.owner;
  data["status"] = enumName(instance.status);
  data["statusReason"] = instance.statusReason;
  data["desired"] = enumName(instance.desired);
  data["url"] = instance.url;
  data["version"] = instance.version;
  data["stale"] = instance.stale;
  data["imageOutdated"] = instance.imageOutdated;
  data["ready"] = entry.ready;
  data["operationId"] = instance.operationId;
  events_.publish({.type = EventType::instance, .owner = instance.owner, .instance = instance.id}, data);
  routes_.changed(entry);
}

void ChangePublisher::changed(const Operation& operation) {
  events_.publish({.type = EventType::operation, .owner = operation.owner, .instance = operation.instanceId},
                  toJson(operation).as_object());
}

}  // namespace swarm::control
