// An instance's archive, out and in: bytes that are passed on as they come, in bounded memory.
#include "model/archive.h"

#include "agent/client/client.h"
#include "api/handlers/handlers.h"
#include "api/watch.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

constexpr std::chrono::seconds kFirstByte{60};
constexpr std::chrono::minutes kSilence{10};  // of the agent: it may read a large file that holds nothing
constexpr std::chrono::minutes kClientSilence{5};
constexpr std::size_t kPiece = 128 * 1024;

agent::ArchivePlaces placesOf(const Instance& instance) {
  agent::ArchivePlaces places;
  for (const StorageConfig& storage : instance.config.storage)
    (storage.persistent ? places.storages : places.excluded).push_back(storage.mountPath);
  if (places.storages.empty())
    throw Error(ErrorCode::Unprocessable, format("Workspace {} has no persistent storage.", instance.config.name))
        .withInstance(instance.id);
  return places;
}

awaitable<void> copyArchive(net::Exchange& client, net::HttpExchange& inside) {
  for (;;) {
    std::string piece = co_await inside.read(Deadline::after(kSilence));
    if (piece.empty()) co_return;
    if (!co_await client.write(piece)) throw Error(ErrorCode::Cancelled, "The client is gone.");
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
                       boost::json::object& answer) {
  answer = co_await agent::importArchive(std::move(target), std::move(places), force, bodyOf(exchange));
}

}  // namespace

awaitable<Reply> exportInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::UseOwn);
  agent::ArchivePlaces places = placesOf(instance);
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = kArchiveType};
  auto stream_place = services.open.take(call.principal().user, instance.id);
  agent::AgentTarget target = co_await services.controller.agentTarget(instance.id);
  boost::json::object workspace{{"name", instance.config.name}, {"image", instance.config.image}};
  auto inside = co_await agent::openExport(std::move(target), std::move(workspace), std::move(places), Deadline::after(kFirstByte));
  net::Exchange& exchange = call.exchange();
  co_await exchange.begin(200, {{"Content-Type", std::string(kArchiveType)},
                                {"Content-Disposition", format("attachment; filename=\"{}.tar.zst\"", instance.config.name)},
                                {"X-Request-Id", call.requestId()},
                                {"Cache-Control", "no-store"},
                                {"X-Content-Type-Options", "nosniff"}});
  if (co_await runWhileWanted(services, call, WatchPeer::Yes, copyArchive(exchange, *inside))) {
    co_await exchange.finish();
  } else {
    call.cut();
  }
  co_return sentReply(200);
}

awaitable<Reply> importInstance(Services& services, Call& call) {
  Instance instance = co_await requireInstance(services, call, Permission::WriteOwn);
  requireAdmitted(call, instance);
  agent::ArchivePlaces places = placesOf(instance);
  auto stream_place = services.open.take(call.principal().user, instance.id);
  agent::AgentTarget target = co_await services.controller.agentTarget(instance.id);
  boost::json::object answer;
  // Whoever packs the archive while it is sent may read large files that hold nothing.
  call.exchange().stream().setReadPatience({.silence = kClientSilence});
  auto work = passIn(std::move(target), std::move(places), call.flag("force"), call.exchange(), answer);
  if (!co_await runWhileWanted(services, call, WatchPeer::No, std::move(work)))
    throw Error(ErrorCode::Cancelled, "Your session ended before the archive was whole. The import is not complete.")
        .withInstance(instance.id);
  co_return jsonReply(200, answer);
}

}  // namespace swarm::api
