// The log of an instance, also while it is written.
#include "api/handlers/handlers.h"
#include "api/http/text_lines.h"
#include "api/routes/route_parts.h"
#include "api/watch.h"

namespace swarm::api {
namespace {

constexpr std::chrono::seconds kReadTimeout{60};
constexpr std::size_t kLinesAtOnce = 16 * 1024;

enum class LogForm { Text, Ndjson };

LogForm logForm(Call& call) {
  if (auto form = call.text("format")) return *form == "ndjson" ? LogForm::Ndjson : LogForm::Text;
  auto accept = call.exchange().head().headers.find("Accept");
  return accept && net::listHasToken(*accept, "application/x-ndjson") ? LogForm::Ndjson : LogForm::Text;
}

/// Writes in portions, because text as JSON may take six times its bytes. False: the client closed the connection.
awaitable<bool> writeLines(net::Exchange& exchange, NdjsonLines& lines, std::string_view text) {
  while (!text.empty()) {
    std::string_view some = text.substr(0, kLinesAtOnce);
    text.remove_prefix(some.size());
    if (std::string out = lines.add(some); !out.empty() && !co_await exchange.write(out)) co_return false;
  }
  co_return true;
}

awaitable<void> copyLog(net::Exchange& exchange, LogSource::Reader& reader, LogForm form, bool follow) {
  NdjsonLines lines;
  for (;;) {
    std::string piece = co_await reader.next(follow ? Deadline::never() : Deadline::after(kReadTimeout));
    if (piece.empty()) break;
    bool is_taken = form == LogForm::Ndjson ? co_await writeLines(exchange, lines, piece) : co_await exchange.write(piece);
    if (!is_taken) co_return;
  }
  if (std::string rest = lines.finish(); !rest.empty()) co_await exchange.write(rest);
}

awaitable<Reply> readLogs(Services& services, Call& call) {
  LogForm form = logForm(call);
  Instance instance = co_await requireInstance(services, call, Permission::Read);
  LogSource::Options options;
  options.follow = call.flag("follow");
  if (auto tail = call.integer("tail")) options.tail = static_cast<int>(*tail);
  if (auto since = call.text("since")) options.since = parseTime(*since);
  std::string_view type = form == LogForm::Ndjson ? "application/x-ndjson" : "text/plain; charset=utf-8";
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = type};
  auto place = services.open.take(call.principal().user, instance.id);
  auto reader = co_await services.controller.openLogs(instance.id.str(), options);
  net::Exchange& exchange = call.exchange();
  co_await call.begin(type);
  bool whole = true;
  awaitable<void> copy = copyLog(exchange, *reader, form, options.follow);
  if (options.follow) {
    whole = co_await runWhileWanted(services, call, std::move(copy));
  } else {
    whole = co_await runWhileAllowed(services, call, std::move(copy));
  }
  if (whole) {
    co_await exchange.finish();
  } else {
    call.cut();
  }
  co_return sentReply(200);
}

}  // namespace

std::vector<Endpoint> logRoutes() {
  return {

      at("GET", "/api/instances/{id}/logs", Permission::Read, "readLogs", readLogs,
         {.summary = "Read an instance's log",
          .description = "The standard output and error of its processes, oldest first.",
          .responses = {{.status = 200, .description = "Text, or one LogLine per line", .contentType = "text/plain; charset=utf-8"},
                        {.status = 200, .schema = "LogLine", .contentType = "application/x-ndjson"}},
          .problems = {409, 503},
          .parameters = {instanceRef(),
                         flag("follow", "Continue with later lines"),
                         integer("tail", "Only the last lines", 0, 1'000'000),
                         {.name = "since", .kind = Parameter::Kind::Time, .description = "Only lines since this time (RFC 3339)"},
                         choice("format", "text when absent, unless Accept names application/x-ndjson", {"text", "ndjson"})},
          .kind = RouteKind::Stream}),
  };
}

}  // namespace swarm::api
