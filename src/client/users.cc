// The calls of SwarmClient about users, their access tokens and SSH keys.
#include "base/text/format.h"
#include "base/text/json_access.h"
#include "client/connection.h"
#include "client/impl.h"
#include "model/requests.h"
#include "net/http/http.h"
#include "swarm/client.h"

namespace swarm {
namespace {

std::string userPath(const std::string& name, std::string_view part = {}) {
  return format("/api/users/{}{}", net::percentEncode(name), part);
}

}  // namespace

boost::json::array SwarmClient::listUsers() { return impl_->connection.call("GET", "/api/users").at("items").as_array(); }

boost::json::object SwarmClient::createUser(const CreateUserRequest& user) {
  const boost::json::value body = requestBody(user);
  return impl_->connection.call("POST", "/api/users", &body).as_object();
}

std::string SwarmClient::inviteUser(const std::string& name) {
  return std::string(impl_->connection.call("POST", userPath(name, "/invite")).at("url").as_string());
}

boost::json::object SwarmClient::setUserRole(const std::string& name, const std::string& role) {
  const boost::json::value body = requestBody(ChangeUserRequest{role});
  return impl_->connection.call("PATCH", userPath(name), &body).as_object();
}

boost::json::object SwarmClient::disableUser(const std::string& name) {
  return impl_->connection.call("POST", userPath(name, "/disable")).as_object();
}

boost::json::object SwarmClient::enableUser(const std::string& name) {
  return impl_->connection.call("POST", userPath(name, "/enable")).as_object();
}

void SwarmClient::deleteUser(const std::string& name, const std::string& successor) {
  impl_->connection.call("DELETE", userPath(name, successor.empty() ? "" : "?handOverTo=" + net::percentEncode(successor)));
}

void SwarmClient::setPassword(const std::string& name, Secret password, Secret present) {
  const boost::json::value body = requestBody(SetPasswordRequest{password.reveal(), present.reveal()});
  impl_->connection.call("POST", userPath(name, "/password"), &body);
}

boost::json::object SwarmClient::secondFactor(const std::string& user) {
  return impl_->connection.call("GET", userPath(user, "/second-factor")).as_object();
}

SwarmClient::SecondFactorSetUp SwarmClient::setUpSecondFactor(Secret password) {
  const boost::json::value body = requestBody(SetUpSecondFactorRequest{password.reveal()});
  const boost::json::value made = impl_->connection.call("POST", userPath("me", "/second-factor"), &body);
  return {stringAt(made, "ticket"), Secret(stringAt(made, "secret")), Secret(stringAt(made, "uri"))};
}

std::vector<std::string> SwarmClient::confirmSecondFactor(const std::string& ticket, const std::string& code) {
  const boost::json::value body = requestBody(ConfirmSecondFactorRequest{ticket, code});
  const boost::json::value confirmed = impl_->connection.call("POST", userPath("me", "/second-factor/confirm"), &body);
  std::vector<std::string> codes;
  for (const boost::json::value& one : confirmed.at("recoveryCodes").as_array()) codes.emplace_back(one.as_string());
  return codes;
}

void SwarmClient::disableSecondFactor(Secret password, const std::string& code) {
  const boost::json::value body = requestBody(DisableSecondFactorRequest{password.reveal(), code});
  impl_->connection.call("POST", userPath("me", "/second-factor/disable"), &body);
}

void SwarmClient::resetSecondFactor(const std::string& user) { impl_->connection.call("DELETE", userPath(user, "/second-factor")); }

void SwarmClient::endSessions(const std::string& user) { impl_->connection.call("DELETE", userPath(user, "/sessions")); }

boost::json::array SwarmClient::listAccessTokens() { return impl_->connection.call("GET", "/api/tokens").at("items").as_array(); }

boost::json::object SwarmClient::createAccessToken(const CreateAccessTokenRequest& request) {
  const boost::json::value body = requestBody(request);
  return impl_->connection.call("POST", "/api/tokens", &body).as_object();
}

void SwarmClient::revokeAccessToken(const std::string& id) { impl_->connection.call("DELETE", "/api/tokens/" + net::percentEncode(id)); }

boost::json::array SwarmClient::listSshKeys() { return impl_->connection.call("GET", "/api/keys").at("items").as_array(); }

boost::json::object SwarmClient::addSshKey(const AddSshKeyRequest& request) {
  const boost::json::value body = requestBody(request);
  return impl_->connection.call("POST", "/api/keys", &body).as_object();
}

void SwarmClient::removeSshKey(const std::string& id) { impl_->connection.call("DELETE", "/api/keys/" + net::percentEncode(id)); }

boost::json::object SwarmClient::sshListener() { return impl_->connection.call("GET", "/api/ssh").as_object(); }

}  // namespace swarm
