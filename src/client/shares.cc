// The calls of SwarmClient about shares.
#include "base/text/format.h"
#include "client/connection.h"
#include "client/impl.h"
#include "model/requests.h"
#include "net/http/http.h"
#include "swarm/client.h"

namespace swarm {
namespace {

std::string sharesPath(const std::string& ref) { return format("/api/instances/{}/shares", net::percentEncode(ref)); }
std::string sharePath(const std::string& ref, const std::string& user) {
  return format("{}/{}", sharesPath(ref), net::percentEncode(user));
}

}  // namespace

boost::json::array SwarmClient::listShares(const std::string& ref) {
  return impl_->connection.call("GET", sharesPath(ref)).at("items").as_array();
}

boost::json::object SwarmClient::share(const std::string& ref, const std::string& user, const ShareRequest& share) {
  const boost::json::value body = requestBody(share);
  return impl_->connection.call("PUT", sharePath(ref, user), &body).as_object();
}

void SwarmClient::endShare(const std::string& ref, const std::string& user) { impl_->connection.call("DELETE", sharePath(ref, user)); }

Instance SwarmClient::handOver(const std::string& ref, const std::string& owner) {
  const boost::json::value body = requestBody(HandOverRequest{owner});
  return fromJson<Instance>(impl_->connection.call("PUT", format("/api/instances/{}/owner", net::percentEncode(ref)), &body),
                            UnknownFields::Ignore);
}

}  // namespace swarm
