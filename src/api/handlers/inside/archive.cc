// Export and import of an instance's archive: bytes are passed on as they arrive, in bounded memory.
#include "model/archive.h"

#include "agent/client/client.h"
#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "api/watch.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

constexpr std::chrono::seconds kFirstByte{60};
constexpr std::chrono::minutes kSilence{10};  // of the agent, while it reads a large sparse file
constexpr std::chrono::minutes kClientSilence{5};
constexpr std::size_t kPiece = 128 * 1024;

agent::ArchivePlaces placesOf(const Instance& instance) {
  agent::ArchivePlaces places;
  for (const StorageConfig& storage : instance.config.storage)
    (storage.persistent ? places.storages : places.excluded).push_back(storage.mountPath);
  if (places.storages.empty())
    throw Error(ErrorCode::Unprocessable, format("Workspace {} has no persistent storage.", instance.config.name))
        .withInstance(instance.id.str());
  return places;
}

awaitable<void> copyArchive(net::Exchange& client, net::HttpExchange& inside) {
  for (;;) {
    std::string piece = co_await inside.read(Deadline::after(kSilence));
    if (piece.empty()) co_return;
    if (!co_await client.write(piece)) throw Error(ErrorCode::Cancelled, "The client closed the connection.");
  }
}

/// Pieces of the request's body, for the agent.
agent::ArchiveSource bodyOf(net::Exchange& exchange) {
  return [&exchange](Deadline) -> awaitable<std::string> {
    std::string piece(kPiece, '\0');
    net::IoResult got = co_await exchange.body().readSome(boost::asio::buffer(piece));
    if (got.error)
      throw Error(ErrorCode::InvalidArgument, "The archive is incomplete: the connection ended before the end of the archive.");
    piece.resize(got.bytes);
    co_return piece;
  };
}

awaitable<void> passIn(agent::AgentTarget target, agent::ArchivePlaces places, bool force, net::Exchange& exchange,
                       boost::json::object& response) {
  response = co_await agent::importArchive(std::move(target), std::move(places), force, bodyOf(exchange));
}

awaitable<Reply> exportInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Inside);
  agent::ArchivePlaces places = placesOf(instance);
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = kArchiveType};
  auto stream_place = services.open.take(call.principal().user, instance.id);
  agent::AgentTarget target = co_await services.controller.agentTarget(instance.id.str());
  boost::json::object workspace{{"name", instance.config.name}, {"image", instance.config.image}};
  auto inside = co_await agent::openExport(std::move(target), std::move(workspace), std::move(places), Deadline::after(kFirstByte));
  net::Exchange& exchange = call.exchange();
  co_await call.begin(kArchiveType, {{"Content-Disposition", format("attachment; filename=\"{}.tar.zst\"", instance.config.name)}});
  if (co_await runWhileWanted(services, call, copyArchive(exchange, *inside))) {
    co_await exchange.finish();
  } else {
    call.cut();
  }
  co_return sentReply(200);
}

awaitable<Reply> importInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::Inside);
  requireAdmitted(call, instance);
  agent::ArchivePlaces places = placesOf(instance);
  auto stream_place = services.open.take(call.principal().user, instance.id);
  agent::AgentTarget target = co_await services.controller.agentTarget(instance.id.str());
  boost::json::object response;
  // A client that packs the archive while it sends it may read large sparse files.
  call.exchange().stream().setReadPatience({.silence = kClientSilence});
  auto work = passIn(std::move(target), std::move(places), call.flag("force"), call.exchange(), response);
  if (!co_await runWhileWanted(services, call, call.exchange().stream(), std::move(work)))
    throw Error(ErrorCode::Cancelled,
                "The import was aborted, because its session ended or its client closed its side of the connection before the archive was "
                "complete. Sign in if necessary, and try again.")
        .withInstance(instance.id.str());
  co_return jsonReply(200, response);
}

}  // namespace

std::vector<Endpoint> archiveRoutes() {
  return {

      at("GET", "/api/instances/{id}/export", Permission::Inside, "exportInstance", exportInstance,
         {.summary = "The files of an instance's persistent storages, as a compressed POSIX tar",
          .description = "The instance keeps running. A response without its end is not a complete archive, and every tool detects that.",
          .responses = {{.status = 200, .description = "The archive", .contentType = kArchiveType, .headers = {"Content-Disposition"}}},
          .problems = {409, 422, 503},
          .parameters = {instanceRef()},
          .kind = RouteKind::Stream}),
      at("PUT", "/api/instances/{id}/import", Permission::Inside, "importInstance", importInstance,
         {.summary = "Replace the files of an instance's storages by those of an archive",
          .description = "All processes in the running instance are ended, the storages are filled, and VS Code is started again. 409 when "
                         "files of a user are there, unless `force` is true.",
          .responses = {ok("All files are there, and VS Code was started again", "ImportResult")},
          .problems = {409, 422, 503},
          .parameters = {instanceRef(), ifMatch(), flag("force", "Replace files of users too")},
          .body = {BodyRule::Bytes, {}, kArchiveType},
          .kind = RouteKind::Stream}),
  };
}

}  // namespace swarm::api
