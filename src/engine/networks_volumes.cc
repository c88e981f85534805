// Networks and volumes.
#include "base/text/format.h"
#include "engine/client.h"

namespace swarm::engine {
namespace {

/// Whether it was removed, or was gone; not when it is in use.
bool wasRemoved(Outcome<void> removed) {
  if (removed || removed.error().isNotFound()) return true;
  bool is_in_use = removed.error().isConflict() || removed.error().error.upstream().status == 403;
  if (!is_in_use) throw std::move(removed.error().error);
  return false;
}

}  // namespace

awaitable<json::array> Client::listVolumes(json::object filters, Deadline deadline) {
  Request request{.target = "/volumes?" + filterQuery(filters), .doing = "list volumes"};
  json::value listed = orThrow(co_await query(std::move(request), deadline));
  json::value* volumes = listed.is_object() ? listed.as_object().if_contains("Volumes") : nullptr;
  co_return volumes && volumes->is_array() ? std::move(volumes->as_array()) : json::array();
}

awaitable<std::optional<json::value>> Client::inspectVolume(std::string volume, Deadline deadline) {
  std::string target = "/volumes/" + net::percentEncode(volume);
  co_return orNothing(co_await query({.target = std::move(target), .doing = format("inspect the volume {}", volume)}, deadline));
}

awaitable<json::value> Client::createVolume(json::object body, std::string subject, Deadline deadline) {
  const std::string name = stringIn(body, "Name");
  Request request{.method = "POST", .target = "/volumes/create", .doing = format("create the volume {}", name), .body = std::move(body)};
  json::value made = orThrow(co_await query(std::move(request), deadline, std::move(subject)));
  if (member(made, "Labels")) co_return made;
  // After its own restart, Engine 20.10 omits the labels of a volume that existed before from this response.
  auto inspected = co_await inspectVolume(name, deadline);
  if (!inspected) throw Error(ErrorCode::UpstreamFailed, format("The volume {} disappeared while it was being created.", name));
  co_return std::move(*inspected);
}

awaitable<bool> Client::removeVolume(std::string volume, Deadline deadline) {
  std::string target = "/volumes/" + net::percentEncode(volume);
  co_return wasRemoved(
      co_await perform({.method = "DELETE", .target = std::move(target), .doing = format("remove the volume {}", volume)}, deadline));
}

awaitable<json::array> Client::listNetworks(json::object filters, Deadline deadline) {
  co_return co_await list({.target = "/networks?" + filterQuery(filters), .doing = "list networks"}, deadline);
}

awaitable<Outcome<json::value>> Client::inspectNetwork(std::string network, Deadline deadline) {
  co_return co_await query({.target = "/networks/" + network, .doing = format("inspect the network {}", network)}, deadline);
}

awaitable<Outcome<std::string>> Client::createNetwork(json::object body, std::string subject, std::shared_ptr<void> held,
                                                      Deadline deadline) {
  const std::string name = stringIn(body, "Name");
  Request request{.method = "POST", .target = "/networks/create", .doing = format("create the network {}", name), .body = std::move(body)};
  auto made = co_await query(std::move(request), deadline, std::move(subject), std::move(held));
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return stringAt(*made, "Id");
}

awaitable<void> Client::connectNetwork(std::string network_id, std::string container, Deadline deadline) {
  Request request{.method = "POST",
                  .target = format("/networks/{}/connect", network_id),
                  .doing = "join the network",
                  .body = json::object{{"Container", container}, {"EndpointConfig", json::object{{"NetworkID", network_id}}}}};
  orThrow(co_await perform(std::move(request), deadline));
}

awaitable<Outcome<void>> Client::disconnectNetwork(std::string network, std::string container, Deadline deadline) {
  co_return co_await perform({.method = "POST",
                              .target = format("/networks/{}/disconnect", network),
                              .doing = "leave the network",
                              .body = json::object{{"Container", container}, {"Force", true}}},
                             deadline);
}

awaitable<bool> Client::removeNetwork(std::string network_id, Deadline deadline) {
  co_return wasRemoved(
      co_await perform({.method = "DELETE", .target = "/networks/" + network_id, .doing = "remove the network"}, deadline));
}

}  // namespace swarm::engine
