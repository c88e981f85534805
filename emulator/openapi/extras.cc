// The table of extras, and how its lines are added to the document's tree.
#include "emulator/openapi/extras.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "base/diagnostics/check.h"

namespace swarm::emulator::openapi {
namespace {

namespace json = boost::json;

#define APP "/v1/apps/{app_name}"
#define MACHINE APP "/machines/{machine_id}"
constexpr std::string_view kPolicyBody =
    R"({"required":true,"content":{"application/json":{"schema":{"type":"object","properties":{
      "name":{"type":"string"},"id":{"type":"string"},
      "selector":{"type":"object","properties":{"all":{"type":"boolean"},
        "metadata":{"type":"object","additionalProperties":{"type":"string"}},
        "machines":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"}}}}}},
      "rules":{"type":"array","items":{"type":"object","properties":{"action":{"type":"string","enum":["allow"]},
        "direction":{"type":"string","enum":["egress","ingress"]},
        "ports":{"type":"array","items":{"type":"object","properties":{"protocol":{"type":"string"},"port":{"type":"integer"}}}}}}}}}}}})";

constexpr std::string_view kBase64 = R"([{"type":"string"}])";
constexpr std::string_view kVersion = R"({"name":"version","in":"query","schema":{"type":"integer"}})";
constexpr std::string_view kNanoseconds = R"([{"type":"integer"}])";

constexpr std::array kExtras = {
    // §2, apps.
    Extra{"§2: docs samples and older clients say app_name", "components > schemas > CreateAppRequest > properties > app_name",
          R"({"type":"string"})"},
    Extra{"§2: fly-go sends app_role_id", "components > schemas > CreateAppRequest > properties > app_role_id", R"({"type":"string"})"},
    Extra{"§2: fly-go posts to /v1/apps?wait=true", "paths > /v1/apps > post > parameters > +",
          R"({"name":"wait","in":"query","schema":{"type":"boolean"}})"},
    Extra{"§2: DELETE /v1/apps/{app}?force=true", "paths > " APP " > delete > parameters > +",
          R"({"name":"force","in":"query","schema":{"type":"boolean"}})"},
    // §2, secrets and network policies.
    Extra{"§2: POST secrets, null unsets",
          "components > schemas > AppSecretsUpdateRequest > properties > values > additionalProperties > nullable", "true"},
    Extra{"§2: fly-go reads secrets with ?version=", "paths > " APP "/secrets > get > parameters > +", kVersion},
    Extra{"§2: fly-go reads secrets with ?version=", "paths > " APP "/secrets/{secret_name} > get > parameters > +", kVersion},
    Extra{"§2: Go writes bytes as base64", "components > schemas > SetSecretkeyRequest > properties > value > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > EncryptSecretkeyRequest > properties > plaintext > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > EncryptSecretkeyRequest > properties > associated_data > x-also",
          kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > EncryptSecretkeyResponse > properties > ciphertext > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > DecryptSecretkeyRequest > properties > ciphertext > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > DecryptSecretkeyRequest > properties > associated_data > x-also",
          kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > DecryptSecretkeyResponse > properties > plaintext > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > SignSecretkeyRequest > properties > plaintext > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > SignSecretkeyResponse > properties > signature > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > VerifySecretkeyRequest > properties > plaintext > x-also", kBase64},
    Extra{"§2: Go writes bytes as base64", "components > schemas > VerifySecretkeyRequest > properties > signature > x-also", kBase64},
    Extra{"§2: network policies", "paths > " APP "/network_policies > get", R"({"operationId":"Network_policies_list","responses":{}})"},
    Extra{"§2: network policies", "paths > " APP "/network_policies > post", R"({"operationId":"Network_policies_create","responses":{}})"},
    Extra{"§2: network policies", "paths > " APP "/network_policies > post > requestBody", kPolicyBody},
    Extra{"§2: network policies", "paths > " APP "/network_policies/{policy_id} > delete",
          R"({"operationId":"Network_policies_delete","responses":{}})"},
    // §3, Machines.
    Extra{"§3: fly-go deletes with kill", "paths > " MACHINE " > delete > parameters > +",
          R"({"name":"kill","in":"query","schema":{"type":"boolean"}})"},
    Extra{"§3: fly-go restarts with force_stop", "paths > " MACHINE "/restart > post > parameters > +",
          R"({"name":"force_stop","in":"query","schema":{"type":"boolean"}})"},
    Extra{"§3: fly-go's stop sends the id, too", "components > schemas > StopRequest > properties > id", R"({"type":"string"})"},
    Extra{"§3: fly-go's kill sends a signal's number", "components > schemas > SignalRequest > properties > signal > x-also",
          R"([{"type":"integer"}])"},
    Extra{"§3: PATCH metadata, null removes",
          "components > schemas > updateMetadataRequest > properties > metadata > additionalProperties > nullable", "true"},
    Extra{"§3: autostop is a boolean in the old format, and in answers",
          "components > schemas > fly.MachineService > properties > autostop > x-also", R"([{"type":"boolean"}])"},
    // §3, durations: Go's text or nanoseconds.
    Extra{"§3: durations", "components > schemas > fly.StopConfig > properties > timeout > x-also", kNanoseconds},
    Extra{"§3: durations", "components > schemas > fly.MachineCheck > properties > interval > x-also", kNanoseconds},
    Extra{"§3: durations", "components > schemas > fly.MachineCheck > properties > timeout > x-also", kNanoseconds},
    Extra{"§3: durations", "components > schemas > fly.MachineCheck > properties > grace_period > x-also", kNanoseconds},
    Extra{"§3: durations", "components > schemas > fly.MachineServiceCheck > properties > interval > x-also", kNanoseconds},
    Extra{"§3: durations", "components > schemas > fly.MachineServiceCheck > properties > timeout > x-also", kNanoseconds},
    Extra{"§3: durations", "components > schemas > fly.MachineServiceCheck > properties > grace_period > x-also", kNanoseconds},
    // §5, wait.
    Extra{"§5: states repeated or comma-separated", "paths > " MACHINE "/wait > get > parameters > state > x-list", "true"},
    // §6, leases.
    Extra{"§6: fly-go sends ?ttl= and no body", "paths > " MACHINE "/lease > post > parameters > +",
          R"({"name":"ttl","in":"query","schema":{"type":"integer"}})"},
    Extra{"§6: fly-go sends ?ttl= and no body", "paths > " MACHINE "/lease > post > requestBody > required", "false"},
};
#undef MACHINE
#undef APP

std::vector<std::string_view> stepsOf(std::string_view place) {
  constexpr std::string_view kSeparator = " > ";
  std::vector<std::string_view> steps;
  for (auto end = place.find(kSeparator); end != std::string_view::npos; end = place.find(kSeparator)) {
    steps.push_back(place.substr(0, end));
    place.remove_prefix(end + kSeparator.size());
  }
  steps.push_back(place);
  return steps;
}

json::value& memberNamed(json::array& members, std::string_view name) {
  for (json::value& member : members) {
    const json::value* its = member.as_object().if_contains("name");
    if (its && its->as_string() == name) return member;
  }
  SWARM_CHECK((false) && "an extra names a parameter that Fly's document lacks");
  return members.front();
}

}  // namespace

std::span<const Extra> extras() { return kExtras; }

void apply(const Extra& extra, json::object& tree) {
  const std::vector<std::string_view> steps = stepsOf(extra.place);
  const json::value value = json::parse(extra.value);
  SWARM_CHECK((steps.size() > 2 && tree.contains(steps[0])) && "an extra's place is not in Fly's document");
  json::value* at = &tree.at(steps[0]);
  for (std::size_t i = 1; i + 1 < steps.size(); ++i) {
    if (json::array* members = at->if_array()) {
      at = &memberNamed(*members, steps[i]);
      continue;
    }
    json::object& object = at->as_object();
    // Only new paths and an operation's first parameter may be missing: anything else was renamed in a newer document.
    const bool fresh = !object.contains(steps[i]);
    SWARM_CHECK((!fresh || steps[i] == "parameters" || (i == 1 && steps[0] == "paths")) && "an extra's place is not in Fly's document");
    if (fresh) object[steps[i]] = steps[i] == "parameters" ? json::value(json::array()) : json::value(json::object());
    at = &object.at(steps[i]);
  }
  if (json::array* members = at->if_array()) {
    SWARM_CHECK((steps.back() == "+") && "an extra replaces a member of a list");
    members->push_back(value);
  } else {
    at->as_object()[steps.back()] = value;
  }
}

}  // namespace swarm::emulator::openapi
