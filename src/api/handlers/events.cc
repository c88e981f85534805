// Server-sent events: the changes in the swarm that the user may see.
#include <algorithm>

#include "api/handlers/handlers.h"
#include "api/routes/route_parts.h"
#include "api/watch.h"
#include "base/text/format.h"
#include "model/codec/codec.h"

namespace swarm::api {
namespace {

constexpr std::size_t kPieceBytes = 16 * 1024;  // unread by a slow client

bool maySee(const Principal& principal, const Event& event) {
  const bool concerns = std::ranges::find(event.users, principal.user) != event.users.end();
  return concerns || isAllowed(principal, permissionOf(event.type), event.owner, event.instance);
}

std::string eventText(const Event& event) { return format("id: {}\nevent: {}\ndata: {}\n\n", event.id, enumName(event.type), *event.data); }

/// Takes events from the bus as fast as the client reads them, without a queue: a slow client falls behind and receives a "reset".
awaitable<void> copyEvents(Services& services, Call& call, std::uint64_t last) {
  EventBus& bus = services.controller.events();
  net::Exchange& exchange = call.exchange();
  for (;;) {
    std::vector<Event> events = co_await bus.after(last, Deadline::after(services.options.heartbeat), kPieceBytes);
    const std::optional<Principal> reader = services.auth.stillSignedIn(call.principal());
    if (!reader) co_return;
    std::string text;
    for (const Event& event : events) {
      last = event.id;
      if (maySee(*reader, event)) text += eventText(event);
    }
    if (events.empty()) text = ": heartbeat\n\n";
    if (!text.empty() && !co_await exchange.write(text)) co_return;
  }
}

awaitable<Reply> streamEvents(Services& services, Call& call) {
  EventBus& bus = services.controller.events();
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = "text/event-stream"};
  auto place = services.open.take(call.principal().user);
  // For ids that are too old or of an earlier server process, the bus returns a "reset".
  std::uint64_t last = bus.lastId();
  if (auto given = call.integer("Last-Event-ID")) last = static_cast<std::uint64_t>(*given);
  net::Exchange& exchange = call.exchange();
  co_await call.begin("text/event-stream", {{"X-Accel-Buffering", "no"}});
  if (co_await exchange.write("retry: 2000\n\n")) co_await runWhileWanted(services, call, copyEvents(services, call, last));
  call.cut();  // the stream has no end: the client reconnects with its last id
  co_return sentReply(200);
}

}  // namespace

Permission permissionOf(EventType type) {
  switch (type) {
    case EventType::instance:
    case EventType::operation:
    case EventType::notice:
    case EventType::share:
      return Permission::Read;
    case EventType::provider:
    case EventType::reset:
      return Permission::SignedIn;
    case EventType::log:
      return Permission::ReadServer;
  }
  return Permission::ReadServer;
}

std::vector<Endpoint> eventRoutes() {
  return {

      at("GET", "/api/events", Permission::Read, "streamEvents", streamEvents,
         {.summary = "Changes in the swarm, as server-sent events",
          .description = "Each event has an id, a name (`event:`) and one line of JSON (`data:`). `reset` reports that events were lost: "
                         "read everything again. A comment is sent every 15 s.",
          .responses = {{.status = 200,
                         .description = "The stream; the JSON behind `data:` is an Event",
                         .schema = "Event",
                         .contentType = "text/event-stream"}},
          .parameters = {{.location = Parameter::Location::Header,
                          .name = "Last-Event-ID",
                          .kind = Parameter::Kind::Integer,
                          .description = "Resume after this event",
                          .maximum = INT64_MAX}},
          .kind = RouteKind::Stream}),
  };
}

}  // namespace swarm::api
