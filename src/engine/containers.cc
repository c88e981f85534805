// Containers: their life, and what is in them.
#include "base/text/format.h"
#include "engine/client.h"

namespace swarm::engine {
namespace {

std::string at(const std::string& container, std::string_view what) { return format("/containers/{}{}", container, what); }

std::string logTarget(const std::string& container, const LogOptions& options) {
  std::string target = at(container, "/logs?stdout=true&stderr=true");
  if (options.follow == LogOptions::Follow::Yes) target += "&follow=true";
  if (options.timestamps == LogOptions::Timestamps::Yes) target += "&timestamps=true";
  if (options.tail) target += format("&tail={}", *options.tail);
  if (options.since) {
    auto since = options.since->time_since_epoch().count();
    target += format("&since={}.{:03}", since / 1000, since % 1000);
  }
  return target;
}

}  // namespace

awaitable<json::array> Client::listContainers(json::object filters, Deadline deadline) {
  co_return co_await list({.target = "/containers/json?all=true&" + filterQuery(filters), .doing = "list containers"}, deadline);
}

awaitable<std::optional<json::value>> Client::inspectContainer(std::string container, Deadline deadline) {
  co_return orNothing(co_await query({.target = at(container, "/json"), .doing = "inspect a container"}, deadline));
}

awaitable<Outcome<std::string>> Client::createContainer(std::string name, json::value body, std::string subject, Deadline deadline) {
  Request request{.method = "POST",
                  .target = "/containers/create" + (name.empty() ? "" : "?name=" + net::percentEncode(name)),
                  .doing = "create the container",
                  .body = std::move(body)};
  auto made = co_await query(std::move(request), deadline, std::move(subject));
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return stringAt(*made, "Id");
}

awaitable<Outcome<void>> Client::startContainer(std::string container, Deadline deadline) {
  co_return co_await perform({.method = "POST", .target = at(container, "/start"), .doing = "start the container"}, deadline);
}

awaitable<Outcome<void>> Client::stopContainer(std::string container, std::chrono::seconds grace, Deadline deadline) {
  std::string target = at(container, format("/stop?t={}", grace.count()));
  co_return co_await perform({.method = "POST", .target = std::move(target), .doing = "stop the container"}, deadline);
}

awaitable<bool> Client::killContainer(std::string container, std::string signal, Deadline deadline) {
  auto killed = co_await perform({.method = "POST",
                                  .target = at(container, "/kill?signal=" + net::percentEncode(signal)),
                                  .doing = format("send {} to the container", signal)},
                                 deadline);
  if (!killed && (killed.error().isNotFound() || killed.error().isConflict())) co_return false;
  orThrow(std::move(killed));
  co_return true;
}

awaitable<void> Client::pauseContainer(std::string container, Deadline deadline) {
  orThrow(co_await perform({.method = "POST", .target = at(container, "/pause"), .doing = "pause the container"}, deadline));
}

awaitable<void> Client::unpauseContainer(std::string container, Deadline deadline) {
  orThrow(co_await perform({.method = "POST", .target = at(container, "/unpause"), .doing = "unpause the container"}, deadline));
}

awaitable<std::optional<std::int64_t>> Client::awaitExit(std::string container, Deadline deadline) {
  Request request{.method = "POST", .target = at(container, "/wait?condition=not-running"), .doing = "wait for the end of the container"};
  auto ended = orNothing(co_await query(std::move(request), deadline));
  if (!ended) co_return std::nullopt;
  co_return integerAt(*ended, "StatusCode");
}

awaitable<void> Client::renameContainer(std::string container, std::string name, Deadline deadline) {
  std::string target = at(container, "/rename?name=" + net::percentEncode(name));
  orThrow(co_await perform({.method = "POST", .target = std::move(target), .doing = "rename the container"}, deadline));
}

awaitable<void> Client::removeContainer(std::string container, AnonymousVolumes volumes, Deadline deadline) {
  const std::string doing = "remove the container";
  std::string how = volumes == AnonymousVolumes::Remove ? "?force=true&v=true" : "?force=true";
  Reply reply = co_await send({.method = "DELETE", .target = at(container, how), .doing = doing}, deadline);
  if (reply.status == 409 && reply.body.contains("already in progress")) {
    reply = co_await send({.method = "POST", .target = at(container, "/wait?condition=removed"), .doing = doing}, deadline);
  }
  if (!reply.ok() && reply.status != 404) throw engineError(reply.status, reply.body, doing);
}

awaitable<Outcome<void>> Client::updateContainer(std::string container, json::object limits, Deadline deadline) {
  co_return co_await perform(
      {.method = "POST", .target = at(container, "/update"), .doing = "change the container's resources", .body = std::move(limits)},
      deadline);
}

awaitable<void> Client::unpackInContainer(std::string container, std::string archive, Deadline deadline) {
  orThrow(co_await perform({.method = "PUT",
                            .target = at(container, "/archive?path=%2F"),
                            .doing = "write files into the container",
                            .rawBody = std::move(archive),
                            .contentType = "application/x-tar"},
                           deadline));
}

awaitable<Outcome<json::value>> Client::sampleStatistics(std::string container, Deadline deadline) {
  std::string target = at(container, "/stats?stream=false&one-shot=true");
  co_return co_await query({.target = std::move(target), .doing = "report what the container uses"}, deadline);
}

awaitable<PartialText> Client::listChanges(std::string container, std::size_t max_bytes, Deadline deadline) {
  Request request{.target = at(container, "/changes"), .doing = "list what was changed in the container"};
  auto exchange = co_await transport_.open(std::move(request), deadline);
  PartialText changes;
  while (!changes.isCut) {
    std::string piece = co_await exchange->read(deadline);
    if (piece.empty()) break;
    changes.text += piece;
    changes.isCut = changes.text.size() > max_bytes;
  }
  co_return changes;
}

awaitable<json::value> Client::listProcesses(std::string container, std::string ps_arguments, Deadline deadline) {
  std::string target = at(container, "/top?ps_args=" + net::percentEncode(ps_arguments));
  co_return orThrow(co_await query({.target = std::move(target), .doing = "list the container's processes"}, deadline));
}

awaitable<std::unique_ptr<net::HttpExchange>> Client::openLogs(std::string container, LogOptions options, Deadline deadline) {
  co_return co_await transport_.open({.target = logTarget(container, options), .doing = "read the container's logs"}, deadline);
}

awaitable<Outcome<std::vector<FrameReader::Frame>>> Client::readLogs(std::string container, LogOptions options, Deadline deadline) {
  const std::string doing = "read the container's logs";
  Reply reply = co_await send({.target = logTarget(container, options), .doing = doing}, deadline);
  if (!reply.ok()) {
    co_return std::unexpected(Refused{refusalOf(reply.status, reply.body), engineError(reply.status, reply.body, doing)});
  }
  FrameReader frames;
  frames.add(reply.body);
  std::vector<FrameReader::Frame> found;
  while (auto frame = frames.next()) found.push_back(std::move(*frame));
  co_return found;
}

}  // namespace swarm::engine
