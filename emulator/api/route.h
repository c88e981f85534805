// Route: the API as data: each call's path, the object that must exist, the rate limit, and the handler; beside the handlers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/api/call.h"

namespace swarm::emulator {

using Handler = awaitable<Response> (*)(Core& core, Call& call);

/// The object in the path that must exist; the dispatcher looks it up. AppItself: also an app that has not propagated yet. WebApp: below
/// the web application's path.
enum class Scope { Nothing, AppItself, App, WebApp, Machine, Volume };
enum class LeaseGate { Open, Gated };  ///< Gated: refused (409) without the nonce while the Machine is leased (§6)
/// §1 "Rate limits"; none for Nothing and WebApp. For Normal and GetMachine the identifier is the Machine's id, else the app's.
enum class Limit { Normal, GetMachine, DeleteApp };

struct RequestBody {
  enum class Rule { None, Optional, Required };
  Rule rule = Rule::None;
  std::string_view goType = "";  ///< for error texts about wrong bodies
};
constexpr RequestBody optional(std::string_view go_type) { return {RequestBody::Rule::Optional, go_type}; }
constexpr RequestBody required(std::string_view go_type) { return {RequestBody::Rule::Required, go_type}; }

struct Route {
  std::string_view method;
  std::string pattern;      ///< behind the path of the scope's object; {name} matches one segment
  std::string_view action;  ///< for faults and rate limits
  Handler handler = nullptr;
  Scope scope = Scope::App;
  RequestBody body = {};
  LeaseGate gate = LeaseGate::Open;
  Limit limit = Limit::Normal;
};

/// Null: E5. `arguments` are the path's parameters, decoded.
const Route* findRoute(std::string_view method, std::string_view path, std::vector<std::string>& arguments);

/// Whether `path` matches the pattern; `arguments` are the values of its {…}, decoded.
bool matchesPath(std::string_view pattern, std::string_view path, std::vector<std::string>& arguments);

/// /emulator/…: controls of the emulator itself for tests and people, on the loopback interface only; not part of Fly's API. Throws Refusal
/// and swarm::Error (admin.cc).
awaitable<Response> handleAdmin(Core& core, Call& call);

// The routes of each file of handlers.
std::vector<Route> appRoutes();
std::vector<Route> addressRoutes();
std::vector<Route> certificateRoutes();
std::vector<Route> secretRoutes();
std::vector<Route> secretKeyRoutes();
std::vector<Route> policyRoutes();
std::vector<Route> machineReadRoutes();
std::vector<Route> machineWriteRoutes();
std::vector<Route> machineActRoutes();
std::vector<Route> guestRoutes();
std::vector<Route> leaseRoutes();
std::vector<Route> metadataRoutes();
std::vector<Route> volumeRoutes();
std::vector<Route> platformRoutes();
std::vector<Route> webRoutes();

// Handlers that GraphQL calls, too.
awaitable<Response> deleteApp(Core& core, Call& call);
awaitable<Response> createDeployToken(Core& core, Call& call);
awaitable<Response> assignIp(Core& core, Call& call);
awaitable<Response> releaseIp(Core& core, Call& call);
awaitable<Response> updateSecrets(Core& core, Call& call);

/// The current lease; null if there is none, or it has expired.
MachineLease* leaseOf(const Core& core, Machine& machine);
/// Throws the 409 of E16 when another owner holds a lease.
void requireLease(const Core& core, const Call& call, Machine& machine);
MachineLease& takeLease(Core& core, const Call& call, const MachinePtr& machine, std::int64_t ttl_seconds, std::string description);

}  // namespace swarm::emulator
