// One request in its handler: the caller and the parameters, checked against the description of the route; and the reply.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/api.h"
#include "api/routes/route.h"
#include "model/queries.h"
#include "net/http/http_server.h"

namespace swarm::api {

/// The response of a handler. `sent`: the handler has sent it already (streams, upgrades); status is then for log and metrics only.
struct Reply {
  int status = 200;
  std::string body = {};
  std::string_view contentType = "application/json";
  net::Headers headers = {};
  bool sent = false;
};
Reply jsonReply(int status, const boost::json::value& body);
boost::json::object principalJson(const Principal& principal);
Reply loginReply(const LoginResult& login);  ///< the user, and their token
inline Reply sentReply(int status) { return {status, {}, {}, {}, true}; }
/// Adds the headers that every response has.
void addCommonHeaders(net::Headers& headers, std::string_view content_type, const std::string& request_id);

/// The newest result of ApiOptions::checkStore, which requests share.
struct StoreCheck {
  std::mutex mutex = {};
  SteadyTime next = {};  ///< when a request repeats it
  std::optional<Error> failure = {};
};

/// The dependencies of handlers.
struct Services {
  ApiOptions options;
  SwarmController& controller;
  Auth& auth;
  BrowserSession browser;
  Metrics& metrics;
  const Clock& clock;
  std::vector<Endpoint> table = {};
  std::string openapi = {};  ///< the text of the document
  OpenBudget open = OpenBudget();
  OpenBudget requests = OpenBudget();                       ///< in progress, without the streams that `open` counts
  std::mutex scrape = {};                                   ///< guards countedOperations
  SwarmController::EndedOperations countedOperations = {};  ///< by earlier scrapes
  StoreCheck storeCheck = {};
};

/// What a request was allowed for. Its stream ends when the caller may not do it any more.
struct Grounds {
  Permission permission = Permission::Read;
  InstanceId instance;
  std::string name;  ///< of the instance
};

class Call {
 public:
  Call(net::Exchange& exchange, std::string request_id);

  /// Checks query and headers against the route and copies them: views into the head become invalid when the body is read. Throws
  /// Error(InvalidArgument) with every fault.
  void bind(const Endpoint& route, std::vector<std::string> arguments);
  /// Reads the body by the rule of the route; a large one counts in the budget of `payer`, a user, until the call ends. Throws
  /// Error(UnsupportedMedia|PayloadTooLarge|InvalidArgument|TooManyRequests). Bytes are left to the handler.
  awaitable<void> readBody(std::size_t limit, OpenBudget& budget, std::string payer);

  net::Exchange& exchange() { return exchange_; }
  const std::string& requestId() const { return request_id_; }
  const std::string& path() const { return path_; }
  bool isHead() const { return method_ == "HEAD"; }
  const std::string& method() const { return method_; }

  const Endpoint& route() const { return *route_; }  ///< after bind()
  const std::string& argument(std::size_t index = 0) const { return arguments_.at(index); }
  const std::vector<std::string>& arguments() const { return arguments_; }
  /// Values of parameters, which bind() has checked.
  std::optional<std::string> text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// A query that model/queries.h describes.
  template <typename Query>
  Query query() const {
    return readQuery<Query>(values_);
  }
  /// The versions of an instance that If-Match names; all when it is absent or *.
  VersionCondition versions() const;
  boost::json::value& body() { return body_; }
  /// `?wait=`; zero when absent.
  std::chrono::seconds wait() const { return std::chrono::seconds(integer("wait").value_or(0)); }

  const Principal& principal() const { return principal_; }
  /// The client's address and its name for itself, for the audit log.
  const LoginOrigin& origin() const { return origin_; }
  void setOrigin(LoginOrigin origin) { origin_ = std::move(origin); }
  bool sentToken() const { return sent_token_; }  ///< in the header Authorization
  void noteToken() { sent_token_ = true; }
  /// Whether the audit log has a record of the call already.
  bool isRecorded() const { return recorded_; }
  void setRecorded() { recorded_ = true; }
  /// Starts a streamed response: status 200 with the headers that every response has, and `more`.
  awaitable<void> begin(std::string_view content_type, net::Headers more = {});
  /// Takes the connection over with a 101; after that, exchange() has no stream.
  awaitable<net::StreamPtr> takeOver(net::Headers headers);
  bool tookOver() const { return took_over_; }
  /// Ends a streamed response by closing the connection, so that the client detects that it is incomplete: for a stream that was
  /// interrupted or that has no end.
  void cut();
  void signIn(Principal principal) { principal_ = std::move(principal); }
  void allowFor(Grounds grounds) { grounds_ = std::move(grounds); }
  const std::optional<Grounds>& grounds() const { return grounds_; }  ///< nothing: for no instance
  /// Counts the request in its user's budget until the call ends. Throws Error(TooManyRequests).
  void takeShare(OpenBudget& budget) { share_.emplace(budget.take(principal_.user)); }

 private:
  void bindQuery(const Endpoint& route, std::vector<FieldError>& faults);
  void bindHeader(const Parameter& parameter, std::vector<FieldError>& faults);
  void refuseCondition(const Endpoint& route) const;
  awaitable<std::string> readText(std::size_t limit, OpenBudget& budget, const std::string& payer);

  net::Exchange& exchange_;
  std::string request_id_;
  std::string method_;
  std::string path_;
  const Endpoint* route_ = nullptr;
  std::vector<std::string> arguments_;
  std::map<std::string, std::string, std::less<>> values_;  ///< query "name", headers "Name"
  boost::json::value body_;
  std::optional<OpenBudget::Share> share_;
  std::optional<OpenBudget::Share> body_share_;
  Principal principal_;
  std::optional<Grounds> grounds_;
  LoginOrigin origin_;
  bool took_over_ = false;
  bool sent_token_ = false;
  bool recorded_ = false;
};

}  // namespace swarm::api
