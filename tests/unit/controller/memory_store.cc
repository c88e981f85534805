// MemoryStore: rows, switch, idempotency keys.
#include "unit/controller/memory_store.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace swarm::test {
namespace {

/// What the server's next run reads from the row: its JSON only.
OperationRecord reread(const OperationRecord& row) {
  OperationRecord record{static_cast<const Operation&>(row), {}};
  readStoredParameters(record, storedParametersOf(row));
  return record;
}

}  // namespace

awaitable<void> MemoryStore::turn() { co_await boost::asio::post(co_await boost::asio::this_coro::executor, boost::asio::use_awaitable); }

awaitable<void> MemoryStore::write() {
  co_await turn();
  if (failWritesTimes > 0) {
    --failWritesTimes;
    throw *failWrites;
  }
}

awaitable<void> MemoryStore::insertInstance(InstanceRecord record, OperationRecord operation) {
  co_await write();
  for (auto& [id, other] : instances)
    if (other.instance.config.name == record.instance.config.name) throw Error(ErrorCode::AlreadyExists, "The name is taken.");
  operations[operation.id] = std::move(operation);
  InstanceId id = record.instance.id;
  instances[id] = std::move(record);
  co_await turn();
}

awaitable<void> MemoryStore::updateInstance(InstanceRecord record) {
  co_await write();
  auto found = instances.find(record.instance.id);
  if (found != instances.end()) found->second = std::move(record);
  co_await turn();
}

awaitable<void> MemoryStore::updateInstanceAndOperation(InstanceRecord record, OperationRecord operation) {
  co_await write();
  auto found = instances.find(record.instance.id);
  if (found != instances.end()) found->second = std::move(record);
  operations.at(operation.id) = std::move(operation);
  co_await turn();
}

awaitable<void> MemoryStore::deleteInstanceRow(InstanceId id, Departure departure, std::optional<NameHold> hold) {
  co_await write();
  instances.erase(id);
  usage_.forget(id);
  departures[departure.placeId] = std::move(departure);
  co_await turn();
  if (hold) holds[hold->name] = *hold;
}

awaitable<std::vector<InstanceRecord>> MemoryStore::loadInstances() {
  co_await turn();
  std::vector<InstanceRecord> all;
  for (auto& [id, record] : instances) all.push_back(record);
  co_return all;
}

awaitable<void> MemoryStore::recordExternal(InstanceId instance_id, ExternalResource resource) {
  co_await write();
  auto& external = instances.at(instance_id).external;
  if (std::find(external.begin(), external.end(), resource) == external.end()) external.push_back(std::move(resource));
  co_await turn();
}

awaitable<void> MemoryStore::forgetExternal(InstanceId instance_id, ExternalResource resource) {
  co_await write();
  std::erase(instances.at(instance_id).external, resource);
}

awaitable<void> MemoryStore::putPlace(PlaceRecord place) {
  co_await write();
  places[place.id] = std::move(place);
  co_await turn();
}

awaitable<void> MemoryStore::deletePlace(PlaceId id, Departure departure) {
  co_await write();
  places.erase(id);
  departures[departure.placeId] = std::move(departure);
  co_await turn();
}

awaitable<std::vector<Departure>> MemoryStore::loadDepartures() {
  co_await turn();
  std::vector<Departure> all;
  for (auto& [id, departure] : departures) all.push_back(departure);
  co_return all;
}

awaitable<std::vector<PlaceRecord>> MemoryStore::loadPlaces() {
  co_await turn();
  std::vector<PlaceRecord> all;
  for (auto& [id, place] : places) all.push_back(place);
  co_return all;
}

awaitable<void> MemoryStore::switchPlace(InstanceRecord record, PlaceRecord former, OperationRecord operation) {
  co_await write();
  places.erase(record.placeId);
  places[former.id] = std::move(former);
  operations.at(operation.id) = std::move(operation);
  InstanceId id = record.instance.id;
  instances[id] = std::move(record);
  co_await turn();
}

awaitable<void> MemoryStore::insertOperation(OperationRecord operation) {
  co_await write();
  operations[operation.id] = std::move(operation);
  co_await turn();
}

awaitable<void> MemoryStore::updateOperation(OperationRecord operation) {
  co_await write();
  operations.at(operation.id) = std::move(operation);
  co_await turn();
}

awaitable<std::optional<OperationRecord>> MemoryStore::getOperation(std::string id) {
  co_await turn();
  auto found = operations.find(id);
  if (found == operations.end()) co_return std::nullopt;
  co_return found->second;
}

awaitable<std::vector<Operation>> MemoryStore::listOperations(OperationFilter filter) {
  co_await turn();
  std::vector<Operation> list;
  for (auto row = operations.rbegin(); row != operations.rend() && list.size() < filter.limit; ++row) {
    if (filter.instanceId && *filter.instanceId != row->second.instanceId) continue;
    list.push_back(row->second);
  }
  co_return list;
}

awaitable<std::vector<OperationRecord>> MemoryStore::unfinishedOperations() {
  for (int i = 0; i < turnsAtUnfinished; ++i) co_await turn();
  std::vector<OperationRecord> list;
  for (auto& [id, row] : operations)
    if (row.status == OperationStatus::pending || row.status == OperationStatus::running) list.push_back(reread(row));
  co_return list;
}

awaitable<std::int64_t> MemoryStore::pruneOperations(SystemTime before) {
  co_await write();
  co_return static_cast<std::int64_t>(
      std::erase_if(operations, [&](const auto& row) { return row.second.endedAt != SystemTime{} && row.second.endedAt < before; }));
}

awaitable<std::optional<Store::IdempotencyEntry>> MemoryStore::findIdempotencyKey(std::string user, std::string key) {
  co_await turn();
  auto found = keys_.find({user, key});
  if (found == keys_.end()) co_return std::nullopt;
  co_return found->second;
}

awaitable<void> MemoryStore::putIdempotencyKey(std::string user, std::string key, IdempotencyEntry entry) {
  co_await write();
  keys_[{user, key}] = std::move(entry);
}

awaitable<std::optional<std::string>> MemoryStore::getSetting(std::string name) {
  co_await turn();
  auto found = settings.find(name);
  if (found == settings.end()) co_return std::nullopt;
  co_return found->second;
}

awaitable<void> MemoryStore::putSetting(std::string name, std::string value) {
  co_await write();
  settings[name] = std::move(value);
}

awaitable<std::optional<Secret>> MemoryStore::getSecret(std::string name) {
  co_await turn();
  auto found = secrets.find(name);
  if (found == secrets.end()) co_return std::nullopt;
  co_return found->second;
}

awaitable<void> MemoryStore::putSecret(std::string name, Secret value) {
  co_await write();
  secrets[name] = std::move(value);
}

awaitable<void> MemoryStore::handOverInstance(InstanceRecord record, std::vector<VolumeOwner> volumes) {
  co_await write();
  for (VolumeOwner& one : volumes) volumeOwners[{one.placeId, one.volume}] = std::move(one);
  const InstanceId id = record.instance.id;
  const std::string owner = record.instance.owner;
  instances.at(id) = std::move(record);
  for (auto& [operation_id, row] : operations)
    if (row.instanceId == id) row.owner = owner;
  for (auto& [place_id, place] : places)
    if (place.instanceId == id) place.owner = owner;
}

awaitable<void> MemoryStore::putPortRule(PortRecord record, std::string owner) {
  co_await write();
  const auto found = instances.find(record.instanceId);
  if (found == instances.end() || found->second.instance.owner != owner) throw Error(ErrorCode::NotFound, "no such instance");
  if (record.rule.level == PortLevel::owner)
    portRules.erase({record.instanceId, record.port});
  else
    portRules[{record.instanceId, record.port}] = record.rule;
}

awaitable<std::vector<PortRecord>> MemoryStore::loadPortRules() {
  co_await turn();
  std::vector<PortRecord> records;
  for (const auto& [key, rule] : portRules) records.push_back({key.first, key.second, rule});
  co_return records;
}

awaitable<std::vector<VolumeOwner>> MemoryStore::loadVolumeOwners() {
  co_await turn();
  std::vector<VolumeOwner> all;
  for (const auto& [key, one] : volumeOwners) all.push_back(one);
  co_return all;
}

awaitable<std::vector<NameHold>> MemoryStore::loadNameHolds() {
  co_await turn();
  std::vector<NameHold> all;
  for (const auto& [name, hold] : holds) all.push_back(hold);
  co_return all;
}

awaitable<void> MemoryStore::dropNameHold(std::string name) {
  co_await write();
  holds.erase(name);
}

}  // namespace swarm::test
