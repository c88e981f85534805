// The calls of SwarmClient about shares, groups, quotas and levels of ports.
#include "base/text/format.h"
#include "client/connection.h"
#include "client/impl.h"
#include "model/codec/codec.h"
#include "model/requests.h"
#include "net/http/http.h"
#include "swarm/client.h"

namespace swarm {
namespace {

std::string sharesPath(const std::string& ref) { return format("/api/instances/{}/shares", net::percentEncode(ref)); }
std::string sharePath(const std::string& ref, const Grantee& grantee) {
  return format("{}{}/{}", sharesPath(ref), grantee.kind == GranteeKind::group ? "/groups" : "", net::percentEncode(grantee.name));
}
std::string portsPath(const std::string& ref) { return format("/api/instances/{}/ports", net::percentEncode(ref)); }
std::string groupPath(const std::string& name) { return format("/api/groups/{}", net::percentEncode(name)); }
std::string memberPath(const std::string& group, const std::string& user) {
  return format("{}/members/{}", groupPath(group), net::percentEncode(user));
}
std::string quotaPath(const QuotaSubject& subject) {
  return format("/api/quotas/{}/{}", enumName(subject.kind), net::percentEncode(subject.name));
}

}  // namespace

boost::json::array SwarmClient::listShares(const std::string& ref) {
  return impl_->connection.call("GET", sharesPath(ref)).at("items").as_array();
}

boost::json::object SwarmClient::share(const std::string& ref, const Grantee& grantee, const ShareRequest& share) {
  const boost::json::value body = requestBody(share);
  return impl_->connection.call("PUT", sharePath(ref, grantee), &body).as_object();
}

void SwarmClient::endShare(const std::string& ref, const Grantee& grantee) { impl_->connection.call("DELETE", sharePath(ref, grantee)); }

boost::json::array SwarmClient::listGroups() { return impl_->connection.call("GET", "/api/groups").at("items").as_array(); }

boost::json::object SwarmClient::createGroup(const std::string& name) {
  const boost::json::value body = requestBody(CreateGroupRequest{name});
  return impl_->connection.call("POST", "/api/groups", &body).as_object();
}

void SwarmClient::deleteGroup(const std::string& name) { impl_->connection.call("DELETE", groupPath(name)); }

boost::json::object SwarmClient::addGroupMember(const std::string& group, const std::string& user) {
  return impl_->connection.call("PUT", memberPath(group, user)).as_object();
}

void SwarmClient::removeGroupMember(const std::string& group, const std::string& user) {
  impl_->connection.call("DELETE", memberPath(group, user));
}

boost::json::array SwarmClient::listPorts(const std::string& ref) {
  return impl_->connection.call("GET", portsPath(ref)).at("items").as_array();
}

boost::json::object SwarmClient::setPort(const std::string& ref, std::uint16_t port, const PortLevelRequest& request) {
  const boost::json::value body = requestBody(request);
  return impl_->connection.call("PUT", format("{}/{}", portsPath(ref), port), &body).as_object();
}

void SwarmClient::closePort(const std::string& ref, std::uint16_t port) {
  impl_->connection.call("DELETE", format("{}/{}", portsPath(ref), port));
}

Instance SwarmClient::handOver(const std::string& ref, const std::string& owner) {
  const boost::json::value body = requestBody(HandOverRequest{owner});
  return fromJson<Instance>(impl_->connection.call("PUT", format("/api/instances/{}/owner", net::percentEncode(ref)), &body),
                            UnknownFields::Ignore);
}

boost::json::array SwarmClient::listQuotas() { return impl_->connection.call("GET", "/api/quotas").at("items").as_array(); }

boost::json::array SwarmClient::getQuota(const QuotaSubject& subject) {
  return impl_->connection.call("GET", quotaPath(subject)).at("items").as_array();
}

void SwarmClient::setQuota(const QuotaSubject& subject, const ResourceLimits& limits) {
  const boost::json::value body = requestBody(SetQuotaRequest{limits});
  impl_->connection.call("PUT", quotaPath(subject), &body);
}

void SwarmClient::removeQuota(const QuotaSubject& subject) { impl_->connection.call("DELETE", quotaPath(subject)); }

}  // namespace swarm
