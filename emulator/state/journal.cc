// One table of JSON documents, in the emulator's own format, on SQLite, behind the store's group-committing writer. Each type's members are
// named once, for both directions; a member that an older emulator did not write keeps its default.
#include "emulator/state/journal.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <concepts>
#include <tuple>

#include "base/error.h"
#include "base/id.h"
#include "base/text/format.h"
#include "emulator/state/ids.h"
#include "sqlite/data_dir.h"
#include "sqlite/database.h"
#include "sqlite/writer.h"

namespace swarm::emulator {
namespace {

constexpr std::string_view kSchema =
    "CREATE TABLE IF NOT EXISTS fly_document (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) "
    "WITHOUT ROWID;";
constexpr const char* kPut =
    "INSERT INTO fly_document (kind, id, body) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body";
constexpr const char* kDrop = "DELETE FROM fly_document WHERE kind = ? AND id = ?";
constexpr const char* kAll = "SELECT kind, id, body FROM fly_document";

template <typename Owner, typename Part>
struct Named {
  std::string_view name;
  Part Owner::* part;
};

constexpr auto membersOf(const AppSecret&) {
  return std::tuple(Named{"value", &AppSecret::value}, Named{"version", &AppSecret::version}, Named{"created", &AppSecret::createdAt},
                    Named{"updated", &AppSecret::updatedAt});
}

constexpr auto membersOf(const SecretKey&) {
  return std::tuple(Named{"type", &SecretKey::type}, Named{"value", &SecretKey::value}, Named{"created", &SecretKey::createdAt},
                    Named{"updated", &SecretKey::updatedAt});
}

constexpr auto membersOf(const Certificate&) {
  return std::tuple(Named{"acme", &Certificate::acmeRequested}, Named{"custom", &Certificate::hasCustom},
                    Named{"issuer", &Certificate::issuer}, Named{"keyType", &Certificate::keyType},
                    Named{"expires", &Certificate::expiresAt}, Named{"created", &Certificate::createdAt},
                    Named{"updated", &Certificate::updatedAt});
}

constexpr auto membersOf(const IpAssignment&) {
  return std::tuple(Named{"ip", &IpAssignment::ip}, Named{"type", &IpAssignment::type}, Named{"region", &IpAssignment::region},
                    Named{"service", &IpAssignment::serviceName}, Named{"network", &IpAssignment::network},
                    Named{"organization", &IpAssignment::organization}, Named{"created", &IpAssignment::createdAt});
}

constexpr auto membersOf(const App&) {
  return std::tuple(Named{"id", &App::id}, Named{"number", &App::number}, Named{"name", &App::name},
                    Named{"organization", &App::organization}, Named{"network", &App::network},
                    Named{"idempotencyKey", &App::idempotencyKey}, Named{"created", &App::createdAt}, Named{"visible", &App::visibleAt},
                    Named{"deleted", &App::deleted}, Named{"secretsVersion", &App::secretsVersion}, Named{"secrets", &App::secrets},
                    Named{"secretKeys", &App::secretKeys}, Named{"certificates", &App::certificates}, Named{"ips", &App::ips},
                    Named{"policies", &App::policies}, Named{"deployTokens", &App::deployTokens});
}

constexpr auto membersOf(const GuestSize&) {
  return std::tuple(Named{"kind", &GuestSize::kind}, Named{"cpus", &GuestSize::cpus}, Named{"memory", &GuestSize::memoryMb});
}

constexpr auto membersOf(const ImageReference&) {
  return std::tuple(Named{"registry", &ImageReference::registry}, Named{"repository", &ImageReference::repository},
                    Named{"tag", &ImageReference::tag}, Named{"digest", &ImageReference::digest}, Named{"labels", &ImageReference::labels});
}

constexpr auto membersOf(const MachineVersion&) {
  return std::tuple(Named{"version", &MachineVersion::version}, Named{"config", &MachineVersion::config});
}

constexpr auto membersOf(const MachineEvent&) {
  return std::tuple(Named{"id", &MachineEvent::id}, Named{"type", &MachineEvent::type}, Named{"status", &MachineEvent::status},
                    Named{"source", &MachineEvent::source}, Named{"timestamp", &MachineEvent::timestampMs},
                    Named{"request", &MachineEvent::request});
}

constexpr auto membersOf(const MachineLease&) {
  return std::tuple(Named{"nonce", &MachineLease::nonce}, Named{"owner", &MachineLease::owner},
                    Named{"description", &MachineLease::description}, Named{"version", &MachineLease::version},
                    Named{"expires", &MachineLease::expiresAt});
}

constexpr auto membersOf(const Machine&) {
  return std::tuple(Named{"id", &Machine::id}, Named{"number", &Machine::number}, Named{"name", &Machine::name},
                    Named{"region", &Machine::region}, Named{"state", &Machine::state}, Named{"version", &Machine::version},
                    Named{"config", &Machine::config}, Named{"guest", &Machine::guest}, Named{"image", &Machine::image},
                    Named{"privateIp", &Machine::privateIp}, Named{"volume", &Machine::volumeId}, Named{"mountPath", &Machine::mountPath},
                    Named{"cordoned", &Machine::cordoned}, Named{"skipSecrets", &Machine::skipSecrets},
                    Named{"launchPending", &Machine::launchPending}, Named{"stateAfterUpdate", &Machine::stateAfterUpdate},
                    Named{"memoryLimit", &Machine::memoryLimitMb}, Named{"created", &Machine::createdAt},
                    Named{"updated", &Machine::updatedAt}, Named{"visible", &Machine::visibleAt}, Named{"startable", &Machine::startableAt},
                    Named{"destroyed", &Machine::destroyedAt}, Named{"versions", &Machine::versions}, Named{"events", &Machine::events},
                    Named{"lease", &Machine::lease}, Named{"restartCount", &Machine::restartCount});
}

constexpr auto membersOf(const VolumeSnapshot&) {
  return std::tuple(Named{"id", &VolumeSnapshot::id}, Named{"digest", &VolumeSnapshot::digest},
                    Named{"created", &VolumeSnapshot::createdAt}, Named{"size", &VolumeSnapshot::sizeBytes},
                    Named{"volumeSize", &VolumeSnapshot::volumeSizeGb}, Named{"retention", &VolumeSnapshot::retentionDays});
}

constexpr auto membersOf(const Volume&) {
  return std::tuple(Named{"id", &Volume::id}, Named{"number", &Volume::number}, Named{"name", &Volume::name},
                    Named{"region", &Volume::region}, Named{"state", &Volume::state}, Named{"size", &Volume::sizeGb},
                    Named{"snapshotRetention", &Volume::snapshotRetention}, Named{"encrypted", &Volume::encrypted},
                    Named{"autoBackup", &Volume::autoBackup}, Named{"fstype", &Volume::fstype}, Named{"machine", &Volume::attachedMachine},
                    Named{"boundUntil", &Volume::boundUntil}, Named{"created", &Volume::createdAt}, Named{"updated", &Volume::updatedAt},
                    Named{"deleted", &Volume::deletedAt}, Named{"snapshots", &Volume::snapshots});
}

template <typename T>
json::value write(const T& value) {
  if constexpr (std::integral<T> || std::same_as<T, json::object>) {
    return value;
  } else if constexpr (std::same_as<T, std::string>) {
    return json::string(value);
  } else if constexpr (std::same_as<T, SystemTime>) {
    return unixMilliseconds(value);
  } else if constexpr (std::same_as<T, MachineState>) {
    return json::string(toString(value));
  } else if constexpr (requires { value.has_value(); }) {
    return value ? write(*value) : json::value(nullptr);
  } else if constexpr (requires { typename T::mapped_type; }) {
    json::object object;
    for (const auto& [name, element] : value) object[name] = write(element);
    return object;
  } else if constexpr (requires { value.begin(); }) {
    json::array list;
    for (const auto& element : value) list.push_back(write(element));
    return list;
  } else {
    json::object object;
    std::apply([&](auto... member) { ((object[member.name] = write(value.*member.part)), ...); }, membersOf(value));
    return object;
  }
}

template <typename T>
void read(const json::value& from, T& value) {
  if constexpr (std::same_as<T, bool>) {
    value = from.as_bool();
  } else if constexpr (std::integral<T>) {
    value = from.to_number<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    value = from.as_string();
  } else if constexpr (std::same_as<T, json::object>) {
    value = from.as_object();
  } else if constexpr (std::same_as<T, SystemTime>) {
    value = SystemTime(std::chrono::milliseconds(from.to_number<std::int64_t>()));
  } else if constexpr (std::same_as<T, MachineState>) {
    value = machineStateFrom(from.as_string()).value_or(MachineState::failed);
  } else if constexpr (requires { value.has_value(); }) {
    if (!from.is_null()) read(from, value.emplace());
  } else if constexpr (requires { typename T::mapped_type; }) {
    for (const auto& [name, element] : from.as_object()) read(element, value[std::string(name)]);
  } else if constexpr (requires { value.emplace_back(); }) {
    for (const json::value& element : from.as_array()) read(element, value.emplace_back());
  } else {
    const auto read_member = [&](auto member) {
      if (const json::value* part = from.as_object().if_contains(member.name)) read(*part, value.*member.part);
    };
    std::apply([&](auto... member) { (read_member(member), ...); }, membersOf(value));
  }
}

Host* findHost(World& world, const json::value& id) {
  auto found = world.hosts.find(std::string(id.as_string()));
  // The region is no longer configured: any host will do, so that existing objects can still be stopped and deleted.
  if (found == world.hosts.end()) return world.hosts.empty() ? nullptr : &world.hosts.begin()->second;
  return &found->second;
}

/// A Machine or a volume, with its app and host.
template <typename Placed>
json::object writePlaced(const Placed& placed) {
  json::object document = write(placed).as_object();
  AppPtr app = placed.app.lock();
  document["app"] = app ? app->name : "";
  document["host"] = placed.host ? placed.host->id : "";
  return document;
}

json::object encode(const App& app) {
  json::object document = write(app).as_object();
  for (const auto& [name, key] : app.secretKeys) document["secretKeys"].as_object()[name].as_object()["value"] = toBase64Url(key.value);
  return document;
}

/// The decode functions throw boost::system::system_error for a document that encode() did not write.
AppPtr decodeApp(const json::object& document) {
  auto app = std::make_shared<App>();
  read(document, *app);
  for (auto& [name, key] : app->secretKeys) key.value = fromBase64Url(key.value).value_or("");
  return app;
}

json::object encode(const Machine& machine) {
  json::object document = writePlaced(machine);
  // The last version's configuration is the Machine's own.
  json::array& versions = document["versions"].as_array();
  if (!versions.empty()) versions.back().as_object()["config"] = json::object();
  return document;
}

template <typename Placed>
std::shared_ptr<Placed> readPlaced(const json::object& document, World& world) {
  auto placed = std::make_shared<Placed>();
  read(document, *placed);
  placed->host = findHost(world, document.at("host"));
  return placed;
}

MachinePtr decodeMachine(const json::object& document, World& world) {
  MachinePtr machine = readPlaced<Machine>(document, world);
  if (!machine->versions.empty()) machine->versions.back().config = machine->config;
  return machine;
}

json::object encode(const Volume& volume) { return writePlaced(volume); }

}  // namespace

struct Journal::Disk {
  explicit Disk(const std::filesystem::path& folder) : folder_lock(folder), database(folder_lock.databaseFile()) {
    database.script(std::string(kSchema));
    writer.emplace(database);
  }
  sqlite::DataDir folder_lock;
  sqlite::Database database;
  std::optional<sqlite::Writer> writer;
};

Journal::Journal(const std::filesystem::path& folder) {
  if (!folder.empty()) disk_ = std::make_unique<Disk>(folder);
}
Journal::~Journal() = default;

void Journal::load(World& world) {
  if (!disk_) return;
  std::vector<json::object> apps, machines, volumes;
  sqlite::Rows rows = disk_->database.query(kAll);
  while (rows.next()) {
    std::string kind = rows.text(0);
    json::object body;
    try {
      body = json::parse(rows.text(2)).as_object();
    } catch (const std::exception&) {
      throw Error(ErrorCode::Unprocessable,
                  format("The emulator's data holds a damaged document ({} {}). Remove the folder to start over.", kind, rows.text(1)));
    }
    (kind == "app" ? apps : kind == "machine" ? machines : volumes).push_back(std::move(body));
  }
  for (const json::object& body : apps) world.add(decodeApp(body));
  for (const json::object& body : machines) {
    if (AppPtr app = world.findApp(std::string(body.at("app").as_string()))) world.add(app, decodeMachine(body, world));
  }
  for (const json::object& body : volumes) {
    if (AppPtr app = world.findApp(std::string(body.at("app").as_string()))) world.add(app, readPlaced<Volume>(body, world));
  }
}

void Journal::changed(const AppPtr& app) {
  note({"app", app->name}, [app] { return encode(*app); });
}
void Journal::changed(const MachinePtr& machine) {
  note({"machine", machine->id}, [machine] { return encode(*machine); });
}
void Journal::changed(const VolumePtr& volume) {
  note({"volume", volume->id}, [volume] { return encode(*volume); });
}
void Journal::forgotten(const AppPtr& app) { note({"app", app->name}, nullptr); }
void Journal::forgotten(const MachinePtr& machine) { note({"machine", machine->id}, nullptr); }
void Journal::forgotten(const VolumePtr& volume) { note({"volume", volume->id}, nullptr); }

void Journal::note(Key key, std::function<json::object()> document) {
  if (disk_) changes_.insert_or_assign(std::move(key), std::move(document));
}

awaitable<void> Journal::flush() {
  if (!disk_) co_return;
  // Also with nothing to write: changes that another request is flushing may still be in flight, and the writer keeps the order.
  std::map<Key, std::string> documents;  // empty: gone
  for (const auto& [key, document] : std::exchange(changes_, {})) documents[key] = document ? json::serialize(document()) : "";
  co_await disk_->writer->run(sqlite::JobKind::Write, [documents = std::move(documents)](sqlite::Database& database) {
    for (const auto& [key, body] : documents) {
      const std::string_view kind = key.first, id = key.second;
      if (body.empty())
        database.execute(kDrop, {kind, id});
      else
        database.execute(kPut, {kind, id, std::string_view(body)});
    }
  });
}

}  // namespace swarm::emulator
