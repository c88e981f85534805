// Network policies (§2): stored and listed; the emulator does not enforce them.
#include <algorithm>

#include "emulator/api/route.h"
#include "emulator/rules/config/config_view.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

awaitable<Response> listPolicies(Core&, Call& call) {
  json::array list;
  for (const json::object& policy : call.app->policies) list.push_back(policy);
  co_return jsonResponse(200, list);
}

awaitable<Response> createPolicy(Core& core, Call& call) {
  Body fields = call.fields();
  if (fields.text("name").empty()) refuse(400, "name is required");     // I: status and wording
  if (!fields.object("selector")) refuse(400, "selector is required");  // I: status and wording
  if (!fields.list("rules")) refuse(400, "rules is required");          // I: status and wording
  json::object policy = fields.raw();
  std::string id = fields.text("id");
  if (id.empty()) id = newNonce();
  policy["id"] = id;
  auto same = std::ranges::find_if(call.app->policies, [&](const json::object& known) { return textOf(known, "id") == id; });
  if (same != call.app->policies.end())
    *same = policy;
  else
    call.app->policies.push_back(policy);
  core.journal.changed(call.app);
  co_return jsonResponse(200, policy);  // I: the status
}

awaitable<Response> deletePolicy(Core& core, Call& call) {
  auto gone = std::erase_if(call.app->policies, [&](const json::object& policy) { return textOf(policy, "id") == call.arguments[1]; });
  if (gone == 0) refuse(404, "network policy not found");  // I: the wording
  core.journal.changed(call.app);
  co_return emptyResponse(204);  // I: the status
}

}  // namespace

std::vector<Route> policyRoutes() {
  return {
      {"GET", "/network_policies", "policy_list", listPolicies},
      {"POST", "/network_policies", "policy_create", createPolicy, Scope::App, required("main.networkPolicy")},
      {"DELETE", "/network_policies/{id}", "policy_delete", deletePolicy},
  };
}

}  // namespace swarm::emulator
