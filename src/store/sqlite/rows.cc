// The SQL of every table. Text that came from our own codec is read back leniently: a newer version may have written more.
#include "store/sqlite/rows.h"

#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "model/codec/codec_detail.h"
#include "store/sqlite/row_parts.h"

namespace swarm::sqlite {
namespace {

namespace json = boost::json;

json::value parseStored(const std::string& text) { return parseJson(text, "A row of the database", 64); }

/// Adds the message for a taken name or id.
[[noreturn]] void rethrowTaken(const Error& error, const Instance& instance) {
  if (error.code() != ErrorCode::AlreadyExists) throw error;
  bool name = error.cause().find("instances.name") != std::string::npos;
  throw Error(ErrorCode::AlreadyExists, name ? format("The name \"{}\" is taken by another instance.", instance.config.name)
                                             : format("An instance {} already exists.", instance.id))
      .withCause(error.cause());
}

Operation readOperation(const Rows& rows) { return fromJson<Operation>(parseStored(rows.text(0)), UnknownFields::Ignore); }

OperationRecord readOperationRecord(const Rows& rows) {
  OperationRecord record{readOperation(rows), {}};
  readStoredParameters(record, parseStored(rows.text(1)).as_object(), enumFromName<ProviderType>(rows.text(2)));
  return record;
}

}  // namespace

void insertInstance(Database& database, const SecretBox& box, const InstanceRecord& record) {
  const Instance& instance = record.instance;
  if (Rows former = database.query("SELECT 1 FROM former_users WHERE name = ?", {instance.owner}); former.next())
    throw Error(ErrorCode::NotFound, format("The user \"{}\" was deleted.", instance.owner));
  if (Rows held = database.query("SELECT until FROM name_holds WHERE name = ? AND owner <> ? AND until > ?",
                                 {instance.config.name, instance.owner, toNumber(instance.createdAt)});
      held.next())
    throw Error(ErrorCode::AlreadyExists, format("The name \"{}\" is reserved for its former owner.", instance.config.name));
  try {
    database.execute(
        "INSERT INTO instances(id, name, owner, status, agent_secret, agent_key, place_id, body) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        {instance.id.str(), instance.config.name, instance.owner, enumName(instance.status),
         box.seal(SecretPurpose::agentSecret, instance.id.str(), record.agentSecret),
         box.seal(SecretPurpose::agentKey, instance.id.str(), record.agentKey), record.placeId.str(), json::serialize(toJson(instance))});
  } catch (const Error& error) {
    rethrowTaken(error, instance);
  }
  for (const ExternalResource& resource : record.external) recordExternal(database, instance.id, resource);
}

void updateInstance(Database& database, const SecretBox& box, const InstanceRecord& record) {
  const Instance& instance = record.instance;
  try {
    // A write that was queued before a hand-over has the former owner: the column counts, not the body.
    requireOne(database.execute("UPDATE instances SET name = ?, status = ?, agent_secret = ?, agent_key = ?, place_id = ?, body = ? "
                                "WHERE id = ?",
                                {instance.config.name, enumName(instance.status),
                                 box.seal(SecretPurpose::agentSecret, instance.id.str(), record.agentSecret),
                                 box.seal(SecretPurpose::agentKey, instance.id.str(), record.agentKey), record.placeId.str(),
                                 json::serialize(toJson(instance)), instance.id.str()}),
               "instance", instance.id.str());
  } catch (const Error& error) {
    rethrowTaken(error, instance);
  }
}

std::vector<InstanceRecord> loadInstances(Database& database, const SecretBox& box) {
  std::vector<InstanceRecord> out;
  std::map<std::string, std::size_t, std::less<>> places;
  Rows rows = database.query("SELECT id, agent_secret, body, place_id, agent_key, owner FROM instances ORDER BY id");
  while (rows.next()) {
    places[rows.text(0)] = out.size();
    out.push_back({fromJson<Instance>(parseStored(rows.text(2)), UnknownFields::Ignore),
                   box.open(SecretPurpose::agentSecret, rows.text(0), rows.text(1)),
                   {},
                   PlaceId(rows.text(3)),
                   box.open(SecretPurpose::agentKey, rows.text(0), rows.text(4))});
    out.back().instance.owner = rows.text(5);
  }
  Rows external = database.query("SELECT instance_id, kind, id FROM external_resources ORDER BY position");
  while (external.next()) {
    if (auto place = places.find(external.text(0)); place != places.end())
      out[place->second].external.push_back({OpenEnum<ResourceKind>::ofName(external.text(1)), external.text(2)});
  }
  return out;
}

void handOverInstance(Database& database, const SecretBox& box, const InstanceRecord& record, const std::vector<VolumeOwner>& volumes) {
  const std::string &id = record.instance.id.str(), &owner = record.instance.owner;
  updateInstance(database, box, record);
  database.execute("UPDATE instances SET owner = ? WHERE id = ?", {owner, id});
  database.execute("UPDATE operations SET owner = ?1, body = json_set(body, '$.owner', ?1) WHERE instance_id = ?2", {owner, id});
  database.execute("UPDATE places SET body = json_set(body, '$.owner', ?1) WHERE instance_id = ?2", {owner, id});
  database.execute("DELETE FROM shares WHERE instance_id = ? AND kind = 'user' AND grantee = ?", {id, owner});
  database.execute("DELETE FROM port_rules WHERE instance_id = ?", {id});
  for (const VolumeOwner& one : volumes)
    database.execute("INSERT OR REPLACE INTO volume_owners(place_id, volume, owner) VALUES(?, ?, ?)",
                     {one.placeId.str(), one.volume, one.owner});
}

std::vector<VolumeOwner> loadVolumeOwners(Database& database) {
  return collect(database.query("SELECT place_id, volume, owner FROM volume_owners ORDER BY place_id, volume"),
                 [](const Rows& rows) { return VolumeOwner{PlaceId(rows.text(0)), rows.text(1), rows.text(2)}; });
}

void recordExternal(Database& database, const InstanceId& instance_id, const ExternalResource& resource) {
  {
    Rows rows = database.query("SELECT 1 FROM instances WHERE id = ?", {instance_id.str()});
    requireOne(rows.next() ? 1 : 0, "instance", instance_id.str());
  }
  database.execute("INSERT INTO external_resources(instance_id, kind, id) VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                   {instance_id.str(), resource.kind.name(), resource.id});
}

void putPlace(Database& database, const PlaceRecord& place) {
  json::array external;
  for (const ExternalResource& resource : place.external)
    external.push_back(json::object{{"kind", resource.kind.name()}, {"id", resource.id}});
  json::object body = toJson(place).as_object();
  body["createdAt"] = toNumber(place.createdAt);
  body["expiresAt"] = toNumber(place.expiresAt);
  database.execute(
      "INSERT INTO places(id, instance_id, role, external, body) VALUES(?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET instance_id = "
      "excluded.instance_id, role = excluded.role, external = excluded.external, body = excluded.body",
      {place.id.str(), place.instanceId.str(), enumName(place.role), json::serialize(external), json::serialize(body)});
}

std::vector<PlaceRecord> loadPlaces(Database& database) {
  std::vector<PlaceRecord> out;
  Rows rows = database.query("SELECT id, instance_id, role, external, body FROM places ORDER BY id");
  while (rows.next()) {
    const json::value body = parseStored(rows.text(4));
    auto place = fromJson<PlaceRecord>(body, UnknownFields::Ignore);
    place.id = PlaceId(rows.text(0));
    place.instanceId = InstanceId(rows.text(1));
    place.role = enumFromName<PlaceRole>(rows.text(2)).value_or(PlaceRole::kept);  // a role written by a newer version is kept as it is
    place.createdAt = toTime(body.at("createdAt").to_number<std::int64_t>());
    place.expiresAt = toTime(body.at("expiresAt").to_number<std::int64_t>());
    json::value external = parseStored(rows.text(3));
    for (const json::value& resource : external.as_array())
      place.external.push_back(
          {OpenEnum<ResourceKind>::ofName(std::string(resource.at("kind").as_string())), std::string(resource.at("id").as_string())});
    out.push_back(std::move(place));
  }
  return out;
}

void putDeparture(Database& database, const Departure& departure) {
  database.execute("INSERT OR REPLACE INTO departures(instance_id, owner, provider, volumes, since) VALUES(?, ?, ?, ?, ?)",
                   {departure.placeId.str(), departure.owner, enumName(departure.provider),
                    std::int64_t{departure.volumes == DeleteVolumes::Yes}, toNumber(departure.since)});
}

std::vector<Departure> loadDepartures(Database& database) {
  return collect(
      database.query("SELECT instance_id, owner, provider, volumes, since FROM departures ORDER BY instance_id"), [](const Rows& rows) {
        return Departure{PlaceId(rows.text(0)), rows.text(1), enumFromName<ProviderType>(rows.text(2)).value_or(ProviderType::docker),
                         rows.integer(3) != 0 ? DeleteVolumes::Yes : DeleteVolumes::No, toTime(rows.integer(4))};
      });
}

void switchPlace(Database& database, const SecretBox& box, const InstanceRecord& record, const PlaceRecord& former) {
  const InstanceId& id = record.instance.id;
  updateInstance(database, box, record);
  database.execute("DELETE FROM external_resources WHERE instance_id = ?", {id.str()});
  for (const ExternalResource& resource : record.external) recordExternal(database, id, resource);
  database.execute("DELETE FROM places WHERE id = ?", {record.placeId.str()});
  putPlace(database, former);
}

void insertOperation(Database& database, const OperationRecord& operation) {
  try {
    database.execute("INSERT INTO operations(id, instance_id, owner, status, ended_at, parameters, body) VALUES(?, ?, ?, ?, ?, ?, ?)",
                     {operation.id, operation.instanceId.str(), operation.owner, enumName(operation.status), toNumber(operation.endedAt),
                      json::serialize(storedParametersOf(operation)), json::serialize(toJson<Operation>(operation))});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::AlreadyExists) throw;
    throw Error(ErrorCode::AlreadyExists, format("An operation {} already exists.", operation.id)).withCause(error.cause());
  }
}

void updateOperation(Database& database, const OperationRecord& operation) {
  requireOne(
      database.execute("UPDATE operations SET instance_id = ?, owner = ?, status = ?, ended_at = ?, parameters = ?, body = ? "
                       "WHERE id = ?",
                       {operation.instanceId.str(), operation.owner, enumName(operation.status), toNumber(operation.endedAt),
                        json::serialize(storedParametersOf(operation)), json::serialize(toJson<Operation>(operation)), operation.id}),
      "operation", operation.id);
}

std::optional<OperationRecord> getOperation(Database& database, const std::string& id) {
  Rows rows = database.query(
      "SELECT o.body, o.parameters, coalesce(json_extract(i.body, '$.provider'), '') FROM operations o "
      "LEFT JOIN instances i ON i.id = o.instance_id WHERE o.id = ?",
      {id});
  if (!rows.next()) return std::nullopt;
  return readOperationRecord(rows);
}

std::vector<Operation> listOperations(Database& database, const OperationFilter& filter) {
  // An empty text means "any": ids, owners and statuses are never empty.
  std::string instance = filter.instanceId.value_or(InstanceId()).str(), owner = filter.owner.value_or("");
  std::string_view status = filter.status ? enumName(*filter.status) : std::string_view();
  auto limit = static_cast<std::int64_t>(std::min<std::size_t>(filter.limit, 10'000));
  if ((filter.instanceId && instance.empty()) || (filter.owner && owner.empty())) return {};
  if (filter.instanceId)
    return collect(database.query("SELECT body FROM operations WHERE instance_id = ?1 AND (?2 = '' OR owner = ?2) AND (?3 = '' OR status = "
                                  "?3) AND (?4 = '' OR id < ?4) ORDER BY id DESC LIMIT ?5",
                                  {instance, owner, status, filter.before, limit}),
                   readOperation);
  if (filter.owner && !filter.shared.empty()) {
    json::array shared;
    for (const InstanceId& id : filter.shared) shared.emplace_back(id.str());
    return collect(database.query("SELECT body FROM operations WHERE (owner = ?1 OR instance_id IN (SELECT value FROM json_each(?5))) AND "
                                  "(?2 = '' OR status = ?2) AND (?3 = '' OR id < ?3) ORDER BY id DESC LIMIT ?4",
                                  {owner, status, filter.before, limit, json::serialize(shared)}),
                   readOperation);
  }
  if (filter.owner)
    return collect(
        database.query("SELECT body FROM operations WHERE owner = ?1 AND (?2 = '' OR status = ?2) AND (?3 = '' OR id < ?3) ORDER "
                       "BY id DESC LIMIT ?4",
                       {owner, status, filter.before, limit}),
        readOperation);
  return collect(database.query("SELECT body FROM operations WHERE (?1 = '' OR status = ?1) AND (?2 = '' OR id < ?2) ORDER BY id DESC "
                                "LIMIT ?3",
                                {status, filter.before, limit}),
                 readOperation);
}

std::vector<OperationRecord> unfinishedOperations(Database& database) {
  return collect(database.query("SELECT o.body, o.parameters, coalesce(json_extract(i.body, '$.provider'), '') FROM operations o "
                                "LEFT JOIN instances i ON i.id = o.instance_id WHERE o.status IN ('pending', 'running') ORDER BY o.id"),
                 readOperationRecord);
}

std::int64_t pruneOperations(Database& database, SystemTime before) {
  database.execute("DELETE FROM idempotency_keys WHERE created_at < ?", {toNumber(before)});
  database.execute("DELETE FROM departures WHERE since < ?", {toNumber(before)});
  return database.execute("DELETE FROM operations WHERE status NOT IN ('pending', 'running') AND ended_at < ?", {toNumber(before)});
}

std::optional<Store::IdempotencyEntry> findIdempotencyKey(Database& database, const std::string& user, const std::string& key) {
  Rows rows = database.query("SELECT fingerprint, instance_id, operation_id FROM idempotency_keys WHERE user = ? AND key = ?", {user, key});
  if (!rows.next()) return std::nullopt;
  return Store::IdempotencyEntry{rows.text(0), InstanceId(rows.text(1)), rows.text(2)};
}

void putIdempotencyKey(Database& database, const std::string& user, const std::string& key, const Store::IdempotencyEntry& entry,
                       SystemTime now) {
  if (auto found = findIdempotencyKey(database, user, key)) {
    if (found->fingerprint == entry.fingerprint && found->instanceId == entry.instanceId && found->operationId == entry.operationId) return;
    throw Error(ErrorCode::AlreadyExists, "This Idempotency-Key was used for another request.");
  }
  database.execute("INSERT INTO idempotency_keys(user, key, fingerprint, instance_id, operation_id, created_at) VALUES(?, ?, ?, ?, ?, ?)",
                   {user, key, entry.fingerprint, entry.instanceId.str(), entry.operationId, toNumber(now)});
}

void putNameHold(Database& database, const NameHold& hold) {
  database.execute(
      "INSERT INTO name_holds(name, owner, until) VALUES(?, ?, ?) ON CONFLICT(name) DO UPDATE SET owner = excluded.owner, until = "
      "excluded.until",
      {hold.name, hold.owner, toNumber(hold.until)});
}

std::vector<NameHold> loadNameHolds(Database& database) {
  return collect(database.query("SELECT name, owner, until FROM name_holds ORDER BY name"),
                 [](const Rows& rows) { return NameHold{rows.text(0), rows.text(1), toTime(rows.integer(2))}; });
}

std::vector<TokenKeyRecord> loadTokenKeys(Database& database, const SecretBox& box) {
  return collect(database.query("SELECT id, seed, created_at, expires_at FROM token_keys ORDER BY created_at, id"), [&](const Rows& rows) {
    TokenKeyRecord key{rows.text(0), box.open(SecretPurpose::tokenKey, rows.text(0), rows.text(1)), toTime(rows.integer(2))};
    if (rows.integer(3) != 0) key.expiresAt = toTime(rows.integer(3));
    return key;
  });
}

void putTokenKey(Database& database, const SecretBox& box, const TokenKeyRecord& key) {
  database.execute(
      "INSERT INTO token_keys(id, seed, created_at, expires_at) VALUES(?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET expires_at = "
      "excluded.expires_at",
      {key.id, box.seal(SecretPurpose::tokenKey, key.id, key.seed), toNumber(key.createdAt),
       toNumber(key.expiresAt.value_or(SystemTime{}))});
}

std::optional<Secret> getSecret(Database& database, const SecretBox& box, const std::string& name) {
  Rows rows = database.query("SELECT sealed FROM secrets WHERE name = ?", {name});
  return rows.next() ? std::optional(box.open(SecretPurpose::named, name, rows.text(0))) : std::nullopt;
}

void putSecret(Database& database, const SecretBox& box, const std::string& name, const Secret& value) {
  database.execute("INSERT INTO secrets(name, sealed) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET sealed = excluded.sealed",
                   {name, box.seal(SecretPurpose::named, name, value)});
}

}  // namespace swarm::sqlite
