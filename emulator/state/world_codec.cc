// Field by field; a member that an older emulator did not write gets its default.
#include "emulator/state/world_codec.h"

#include <boost/json/array.hpp>

#include "base/id.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

std::int64_t time(SystemTime value) { return unixMilliseconds(value); }

template <typename Strings>
json::object mapToJson(const Strings& map) {
  json::object object;
  for (const auto& [key, value] : map) object[key] = value;
  return object;
}

/// Reads members with defaults.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}
  std::string text(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value ? std::string(value->as_string()) : "";
  }
  std::int64_t integer(std::string_view name, std::int64_t otherwise = 0) const {
    const json::value* value = object_.if_contains(name);
    return value ? value->to_number<std::int64_t>() : otherwise;
  }
  bool flag(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value && value->as_bool();
  }
  SystemTime time(std::string_view name) const { return SystemTime(std::chrono::milliseconds(integer(name))); }
  json::object object(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value ? value->as_object() : json::object();
  }
  json::array list(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value ? value->as_array() : json::array();
  }
  std::map<std::string, std::string> strings(std::string_view name) const {
    std::map<std::string, std::string> map;
    for (const auto& [key, value] : object(name)) map[std::string(key)] = std::string(value.as_string());
    return map;
  }

 private:
  const json::object& object_;
};

Host* findHost(World& world, const std::string& id) {
  auto found = world.hosts.find(id);
  // The region is no longer configured: any host will do, so that existing objects can still be stopped and deleted.
  if (found == world.hosts.end()) return world.hosts.empty() ? nullptr : &world.hosts.begin()->second;
  return &found->second;
}

json::array encodeEvents(const Machine& machine) {
  json::array events;
  for (const MachineEvent& event : machine.events) {
    events.push_back(json::object{{"id", event.id},
                                  {"type", event.type},
                                  {"status", event.status},
                                  {"source", event.source},
                                  {"timestamp", event.timestampMs},
                                  {"request", event.request}});
  }
  return events;
}

json::array encodeVersions(const Machine& machine) {
  json::array versions;
  // The last version's configuration is the Machine's own.
  for (const MachineVersion& version : machine.versions) {
    bool current = &version == &machine.versions.back();
    versions.push_back(json::object{{"version", version.version}, {"config", current ? json::object() : version.config}});
  }
  return versions;
}

void decodeHistory(Machine& machine, const Members& members) {
  for (const json::value& entry : members.list("versions")) {
    Members version(entry.as_object());
    machine.versions.push_back({version.text("version"), version.object("config")});
  }
  if (!machine.versions.empty()) machine.versions.back().config = machine.config;
  for (const json::value& entry : members.list("events")) {
    Members event(entry.as_object());
    machine.events.push_back({event.text("id"), event.text("type"), event.text("status"), event.text("source"), event.integer("timestamp"),
                              event.object("request")});
  }
}

json::object encodeLease(const MachineLease& lease) {
  return {{"nonce", lease.nonce},
          {"owner", lease.owner},
          {"description", lease.description},
          {"version", lease.version},
          {"expires", time(lease.expiresAt)}};
}

json::object encodeSecretKeys(const App& app) {
  json::object keys;
  for (const auto& [name, key] : app.secretKeys)
    keys[name] = {
        {"type", key.type}, {"value", toBase64Url(key.value)}, {"created", time(key.createdAt)}, {"updated", time(key.updatedAt)}};
  return keys;
}

void decodeSecretKeys(const json::object& keys, App& app) {
  for (const auto& [name, value] : keys) {
    Members key(value.as_object());
    app.secretKeys[std::string(name)] = {key.text("type"), fromBase64Url(key.text("value")).value_or(""), key.time("created"),
                                         key.time("updated")};
  }
}

json::object encodeCertificates(const App& app) {
  json::object certificates;
  for (const auto& [hostname, certificate] : app.certificates) {
    certificates[hostname] = {{"acme", certificate.acmeRequested},      {"custom", certificate.hasCustom},
                              {"issuer", certificate.issuer},           {"keyType", certificate.keyType},
                              {"expires", time(certificate.expiresAt)}, {"created", time(certificate.createdAt)},
                              {"updated", time(certificate.updatedAt)}};
  }
  return certificates;
}

void decodeCertificates(const json::object& certificates, App& app) {
  for (const auto& [hostname, value] : certificates) {
    Members read(value.as_object());
    app.certificates[std::string(hostname)] = {.acmeRequested = read.flag("acme"),
                                               .hasCustom = read.flag("custom"),
                                               .issuer = read.text("issuer"),
                                               .keyType = read.text("keyType"),
                                               .expiresAt = read.time("expires"),
                                               .createdAt = read.time("created"),
                                               .updatedAt = read.time("updated")};
  }
}

}  // namespace

json::object encodeApp(const App& app) {
  json::object secrets;
  for (const auto& [name, secret] : app.secrets) {
    secrets[name] = {
        {"value", secret.value}, {"version", secret.version}, {"created", time(secret.createdAt)}, {"updated", time(secret.updatedAt)}};
  }
  json::array ips;
  for (const IpAssignment& ip : app.ips) {
    ips.push_back(json::object{{"ip", ip.ip},
                               {"type", ip.type},
                               {"region", ip.region},
                               {"service", ip.serviceName},
                               {"network", ip.network},
                               {"organization", ip.organization},
                               {"created", time(ip.createdAt)}});
  }
  json::array policies, deploy_tokens;
  for (const json::object& policy : app.policies) policies.push_back(policy);
  for (const std::string& token : app.deployTokens) deploy_tokens.emplace_back(token);
  return {{"id", app.id},
          {"number", app.number},
          {"name", app.name},
          {"organization", app.organization},
          {"network", app.network},
          {"idempotencyKey", app.idempotencyKey},
          {"created", time(app.createdAt)},
          {"visible", time(app.visibleAt)},
          {"deleted", app.deleted},
          {"secretsVersion", app.secretsVersion},
          {"secrets", std::move(secrets)},
          {"secretKeys", encodeSecretKeys(app)},
          {"certificates", encodeCertificates(app)},
          {"ips", std::move(ips)},
          {"policies", std::move(policies)},
          {"deployTokens", std::move(deploy_tokens)}};
}

AppPtr decodeApp(const json::object& document) {
  Members members(document);
  auto app = std::make_shared<App>();
  app->id = members.text("id");
  app->number = members.integer("number");
  app->name = members.text("name");
  app->organization = members.text("organization");
  app->network = members.text("network");
  app->idempotencyKey = members.text("idempotencyKey");
  app->createdAt = members.time("created");
  app->visibleAt = members.time("visible");
  app->deleted = members.flag("deleted");
  app->secretsVersion = members.integer("secretsVersion");
  json::object secrets = members.object("secrets");
  for (const auto& [name, value] : secrets) {
    Members secret(value.as_object());
    app->secrets[std::string(name)] = {secret.text("value"), secret.integer("version"), secret.time("created"), secret.time("updated")};
  }
  decodeSecretKeys(members.object("secretKeys"), *app);
  decodeCertificates(members.object("certificates"), *app);
  for (const json::value& entry : members.list("ips")) {
    Members ip(entry.as_object());
    app->ips.push_back({ip.text("ip"), ip.text("type"), ip.text("region"), ip.text("service"), ip.text("network"), ip.text("organization"),
                        ip.time("created")});
  }
  for (const json::value& policy : members.list("policies")) app->policies.push_back(policy.as_object());
  for (const json::value& token : members.list("deployTokens")) app->deployTokens.emplace_back(token.as_string());
  return app;
}

json::object encodeMachine(const Machine& machine) {
  AppPtr app = machine.app.lock();
  const ImageReference& image = machine.image;
  json::object document{{"id", machine.id},
                        {"number", machine.number},
                        {"app", app ? app->name : ""},
                        {"name", machine.name},
                        {"region", machine.region},
                        {"host", machine.host ? machine.host->id : ""},
                        {"state", toString(machine.state)},
                        {"version", machine.version},
                        {"config", machine.config},
                        {"guest", {{"kind", machine.guest.kind}, {"cpus", machine.guest.cpus}, {"memory", machine.guest.memoryMb}}},
                        {"image",
                         {{"registry", image.registry},
                          {"repository", image.repository},
                          {"tag", image.tag},
                          {"digest", image.digest},
                          {"labels", mapToJson(image.labels)}}},
                        {"privateIp", machine.privateIp},
                        {"volume", machine.volumeId},
                        {"mountPath", machine.mountPath},
                        {"cordoned", machine.cordoned},
                        {"skipSecrets", machine.skipSecrets},
                        {"launchPending", machine.launchPending},
                        {"stateAfterUpdate", toString(machine.stateAfterUpdate)},
                        {"memoryLimit", machine.memoryLimitMb},
                        {"created", time(machine.createdAt)},
                        {"updated", time(machine.updatedAt)},
                        {"visible", time(machine.visibleAt)},
                        {"startable", time(machine.startableAt)},
                        {"destroyed", time(machine.destroyedAt)},
                        {"restartCount", machine.restartCount},
                        {"versions", encodeVersions(machine)},
                        {"events", encodeEvents(machine)}};
  if (machine.lease) document["lease"] = encodeLease(*machine.lease);
  return document;
}

MachinePtr decodeMachine(const json::object& document, World& world) {
  Members members(document);
  auto machine = std::make_shared<Machine>();
  machine->id = members.text("id");
  machine->number = members.integer("number");
  machine->name = members.text("name");
  machine->region = members.text("region");
  machine->host = findHost(world, members.text("host"));
  machine->state = machineStateFrom(members.text("state")).value_or(MachineState::failed);
  machine->version = members.text("version");
  machine->config = members.object("config");
  json::object guest_document = members.object("guest"), image_document = members.object("image");
  Members guest(guest_document), image(image_document);
  machine->guest = {guest.text("kind"), static_cast<int>(guest.integer("cpus", 1)), guest.integer("memory", 256)};
  machine->image = {image.text("registry"), image.text("repository"), image.text("tag"), image.text("digest"), image.strings("labels")};
  machine->privateIp = members.text("privateIp");
  machine->volumeId = members.text("volume");
  machine->mountPath = members.text("mountPath");
  machine->cordoned = members.flag("cordoned");
  machine->skipSecrets = members.flag("skipSecrets");
  machine->launchPending = members.flag("launchPending");
  machine->stateAfterUpdate = machineStateFrom(members.text("stateAfterUpdate")).value_or(MachineState::started);
  machine->memoryLimitMb = members.integer("memoryLimit");
  machine->createdAt = members.time("created");
  machine->updatedAt = members.time("updated");
  machine->visibleAt = members.time("visible");
  machine->startableAt = members.time("startable");
  machine->destroyedAt = members.time("destroyed");
  machine->restartCount = static_cast<int>(members.integer("restartCount"));
  decodeHistory(*machine, members);
  if (document.contains("lease")) {
    json::object lease_document = members.object("lease");
    Members lease(lease_document);
    machine->lease =
        MachineLease{lease.text("nonce"), lease.text("owner"), lease.text("description"), lease.text("version"), lease.time("expires")};
  }
  return machine;
}

json::object encodeVolume(const Volume& volume) {
  AppPtr app = volume.app.lock();
  json::array snapshots;
  for (const Snapshot& snapshot : volume.snapshots) {
    snapshots.push_back(json::object{{"id", snapshot.id},
                                     {"digest", snapshot.digest},
                                     {"created", time(snapshot.createdAt)},
                                     {"size", snapshot.sizeBytes},
                                     {"volumeSize", snapshot.volumeSizeGb},
                                     {"retention", snapshot.retentionDays}});
  }
  return {{"id", volume.id},
          {"number", volume.number},
          {"app", app ? app->name : ""},
          {"name", volume.name},
          {"region", volume.region},
          {"host", volume.host ? volume.host->id : ""},
          {"state", volume.state},
          {"size", volume.sizeGb},
          {"snapshotRetention", volume.snapshotRetention},
          {"encrypted", volume.encrypted},
          {"autoBackup", volume.autoBackup},
          {"fstype", volume.fstype},
          {"machine", volume.attachedMachine},
          {"boundUntil", time(volume.boundUntil)},
          {"created", time(volume.createdAt)},
          {"updated", time(volume.updatedAt)},
          {"deleted", time(volume.deletedAt)},
          {"snapshots", std::move(snapshots)}};
}

VolumePtr decodeVolume(const json::object& document, World& world) {
  Members members(document);
  auto volume = std::make_shared<Volume>();
  volume->id = members.text("id");
  volume->number = members.integer("number");
  volume->name = members.text("name");
  volume->region = members.text("region");
  volume->host = findHost(world, members.text("host"));
  volume->state = members.text("state");
  volume->sizeGb = members.integer("size", 3);
  volume->snapshotRetention = members.integer("snapshotRetention", 5);
  volume->encrypted = members.flag("encrypted");
  volume->autoBackup = members.flag("autoBackup");
  volume->fstype = members.text("fstype");
  volume->attachedMachine = members.text("machine");
  volume->boundUntil = SystemTime(std::chrono::milliseconds(members.integer("boundUntil", time(SystemTime::max()))));
  volume->createdAt = members.time("created");
  volume->updatedAt = members.time("updated");
  volume->deletedAt = members.time("deleted");
  for (const json::value& entry : members.list("snapshots")) {
    Members snapshot(entry.as_object());
    volume->snapshots.push_back({snapshot.text("id"), snapshot.text("digest"), snapshot.time("created"), snapshot.integer("size"),
                                 snapshot.integer("volumeSize"), snapshot.integer("retention", 5)});
  }
  return volume;
}

}  // namespace swarm::emulator
