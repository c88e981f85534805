// What all calls share: refusals as outcomes.
#include "engine/client.h"

#include <boost/json/serialize.hpp>

namespace swarm::engine {
namespace {

Refused refusedBy(const Reply& reply, const std::string& doing) {
  return {refusalOf(reply.status, reply.body), engineError(reply.status, reply.body, doing)};
}

}  // namespace

std::string filterQuery(const json::object& filters) { return "filters=" + net::percentEncode(json::serialize(filters)); }

awaitable<Reply> Client::send(Request request, Deadline deadline, std::string subject, std::shared_ptr<void> held) {
  if (subject.empty()) co_return co_await transport_.send(std::move(request), deadline);
  co_return co_await transport_.sendToTheEnd(std::move(request), std::move(subject), deadline, std::move(held));
}

awaitable<Outcome<void>> Client::perform(Request request, Deadline deadline) {
  const std::string doing = request.doing;
  Reply reply = co_await send(std::move(request), deadline);
  if (!reply.ok()) co_return std::unexpected(refusedBy(reply, doing));
  co_return Outcome<void>();
}

awaitable<Outcome<json::value>> Client::query(Request request, Deadline deadline, std::string subject, std::shared_ptr<void> held) {
  const std::string doing = request.doing;
  Reply reply = co_await send(std::move(request), deadline, std::move(subject), std::move(held));
  if (!reply.ok()) co_return std::unexpected(refusedBy(reply, doing));
  co_return std::move(reply).json(doing);
}

awaitable<json::array> Client::list(Request request, Deadline deadline) {
  json::value listed = orThrow(co_await query(std::move(request), deadline));
  co_return listed.is_array() ? std::move(listed.as_array()) : json::array();
}

awaitable<std::unique_ptr<net::HttpExchange>> Client::openEvents(json::object filters, std::string since, Deadline deadline) {
  std::string target = "/events?" + filterQuery(filters);
  if (!since.empty()) target += "&since=" + since;
  co_return co_await transport_.open({.target = std::move(target), .doing = "report its events"}, deadline);
}

}  // namespace swarm::engine
