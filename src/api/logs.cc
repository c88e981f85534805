// An instance's log as it is written.
#include "api/handlers.h"
#include "api/text_lines.h"
#include "api/watch.h"

namespace swarm::api {
namespace {

constexpr std::chrono::seconds kReadTimeout{60};

enum class LogForm { Text, Ndjson };

LogForm logForm(Call& call) {
  if (auto form = call.text("format")) return *form == "ndjson" ? LogForm::Ndjson : LogForm::Text;
  auto accept = call.exchange().head().headers.find("Accept");
  return accept && net::listHasToken(*accept, "application/x-ndjson") ? LogForm::Ndjson : LogForm::Text;
}

awaitable<void> copyLog(net::Exchange& exchange, LogSource::Reader& reader, LogForm form, bool follow) {
  NdjsonLines lines;
  for (;;) {
    std::string piece = co_await reader.next(follow ? Deadline::never() : Deadline::after(kReadTimeout));
    bool end = piece.empty();
    if (form == LogForm::Ndjson) piece = end ? lines.finish() : lines.add(piece);
    if (!piece.empty() && !co_await exchange.write(piece)) co_return;
    if (end) co_return;
  }
}

}  // namespace

awaitable<Reply> readLogs(Services& services, Call& call) {
  LogForm form = logForm(call);
  Instance instance = co_await requireInstance(services, call, Permission::ReadOwn);
  LogSource::Options options;
  options.follow = call.flag("follow");
  if (auto tail = call.integer("tail")) options.tail = static_cast<int>(*tail);
  if (auto since = call.text("since")) options.since = parseTime(*since);
  std::string_view type = form == LogForm::Ndjson ? "application/x-ndjson" : "text/plain; charset=utf-8";
  if (call.isHead()) co_return Reply{.status = 200, .body = {}, .contentType = type};
  auto place = services.streams.take(call.principal().user);
  auto reader = co_await services.controller.openLogs(instance.id, options);
  net::Exchange& exchange = call.exchange();
  co_await exchange.begin(200, {{"Content-Type", std::string(type)},
                                {"X-Request-Id", call.requestId()},
                                {"Cache-Control", "no-store"},
                                {"X-Content-Type-Options", "nosniff"}});
  bool whole = true;
  if (options.follow) {
    whole = co_await runWhileWanted(services, call, WatchPeer::Yes, copyLog(exchange, *reader, form, true));
  } else {
    co_await copyLog(exchange, *reader, form, false);
  }
  if (whole) {
    co_await exchange.finish();
  } else {
    exchange.stream().close();
  }
  co_return sentReply(200);
}

}  // namespace swarm::api
