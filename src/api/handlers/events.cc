// Server-sent events: what happens in the swarm, for those who may see it.
#include "api/handlers/handlers.h"
#include "api/watch.h"
#include "base/text/format.h"

namespace swarm::api {
namespace {

constexpr std::size_t kPieceBytes = 16 * 1024;  // what waits for a client that reads slowly

bool maySee(const Principal& principal, const Event& event) {
  if (event.type == "reset") return true;
  return event.owner.empty() ? principal.role == Role::admin : canSee(principal, event.owner);
}

std::string eventText(const Event& event) { return format("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.type, *event.data); }

/// Events are taken from the bus as fast as the client reads them: a slow client has no queue here, it falls behind and gets a "reset".
awaitable<void> copyEvents(Services& services, Call& call, std::uint64_t last) {
  EventBus& bus = services.controller.events();
  net::Exchange& exchange = call.exchange();
  for (;;) {
    std::vector<Event> events = co_await bus.after(last, Deadline::after(services.options.heartbeat), kPieceBytes);
    if (!services.auth.stillSignedIn(call.principal())) co_return;
    std::string text;
    for (const Event& event : events) {
      last = event.id;
      if (maySee(call.principal(), event)) text += eventText(event);
    }
    if (events.empty()) text = ": heartbeat\n\n";
    if (!text.empty() && !co_await exchange.write(text)) co_return;
  }
}

}  // namespace

awaitable<Reply> streamEvents(Services& services, Call& call) {
  EventBus& bus = services.controller.events();
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = "text/event-stream"};
  auto place = services.open.take(call.principal().user);
  // Numbers that are too old, or of an earlier life of the server, make the bus answer with a "reset".
  std::uint64_t last = bus.lastId();
  if (auto asked = call.integer("Last-Event-ID")) last = static_cast<std::uint64_t>(*asked);
  net::Exchange& exchange = call.exchange();
  co_await exchange.begin(200, {{"Content-Type", "text/event-stream"},
                                {"Cache-Control", "no-store"},
                                {"X-Accel-Buffering", "no"},
                                {"X-Request-Id", call.requestId()},
                                {"X-Content-Type-Options", "nosniff"}});
  if (co_await exchange.write("retry: 2000\n\n")) co_await runWhileWanted(services, call, WatchPeer::Yes, copyEvents(services, call, last));
  call.cut();  // it has no end of its own: the client comes again with the last number it has
  co_return sentReply(200);
}

}  // namespace swarm::api
