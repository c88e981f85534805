// One table of JSON documents on SQLite, behind the store's group-committing writer.
#include "emulator/state/journal.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/error.h"
#include "base/text/format.h"
#include "emulator/state/world_codec.h"
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
    if (AppPtr app = world.findApp(std::string(body.at("app").as_string()))) world.add(app, decodeVolume(body, world));
  }
}

void Journal::changed(const AppPtr& app) {
  if (disk_) apps_.insert(app);
}
void Journal::changed(const MachinePtr& machine) {
  if (disk_) machines_.insert(machine);
}
void Journal::changed(const VolumePtr& volume) {
  if (disk_) volumes_.insert(volume);
}
void Journal::forgotten(const AppPtr& app) {
  apps_.erase(app);
  if (disk_) forgotten_.push_back({"app", app->name, ""});
}
void Journal::forgotten(const MachinePtr& machine) {
  machines_.erase(machine);
  if (disk_) forgotten_.push_back({"machine", machine->id, ""});
}
void Journal::forgotten(const VolumePtr& volume) {
  volumes_.erase(volume);
  if (disk_) forgotten_.push_back({"volume", volume->id, ""});
}

std::vector<Journal::Document> Journal::takeChanges() {
  std::vector<Document> documents = std::move(forgotten_);
  forgotten_.clear();
  for (const AppPtr& app : apps_) documents.push_back({"app", app->name, json::serialize(encodeApp(*app))});
  for (const MachinePtr& machine : machines_) documents.push_back({"machine", machine->id, json::serialize(encodeMachine(*machine))});
  for (const VolumePtr& volume : volumes_) documents.push_back({"volume", volume->id, json::serialize(encodeVolume(*volume))});
  apps_.clear();
  machines_.clear();
  volumes_.clear();
  return documents;
}

awaitable<void> Journal::flush() {
  if (!disk_) co_return;
  // Also with nothing to write: changes that another request is flushing may still be in flight, and the writer keeps the order.
  std::vector<Document> documents = takeChanges();
  co_await disk_->writer->run(sqlite::JobKind::Write, [documents = std::move(documents)](sqlite::Database& database) {
    for (const Document& document : documents) {
      if (document.body.empty()) {
        database.execute(kDrop, {std::string_view(document.kind), std::string_view(document.id)});
      } else {
        database.execute(kPut, {std::string_view(document.kind), std::string_view(document.id), std::string_view(document.body)});
      }
    }
  });
}

}  // namespace swarm::emulator
