// Leases (§6): exclusive, temporary permission to change a Machine. They expire by the clock; no job is needed.
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {

MachineLease* leaseOf(const Core& core, Machine& machine) {
  if (machine.lease && machine.lease->expiresAt <= core.now()) machine.lease.reset();
  return machine.lease ? &*machine.lease : nullptr;
}

void requireLease(const Core& core, const Call& call, Machine& machine) {
  const MachineLease* lease = leaseOf(core, machine);
  if (!lease || lease->nonce == call.leaseNonce) return;
  refuseBy("E16", {{"id", machine.id}, {"owner", lease->owner}, {"expires", formatSeconds(lease->expiresAt)}});
}

MachineLease& takeLease(Core& core, const Call& call, const MachinePtr& machine, std::int64_t ttl_seconds, std::string description) {
  MachineLease lease{newNonce(), call.owner, std::move(description), machine->version, core.now() + std::chrono::seconds(ttl_seconds)};
  if (const MachineLease* held = leaseOf(core, *machine)) lease.nonce = held->nonce;  // a refresh keeps the nonce
  machine->lease = std::move(lease);
  core.journal.changed(machine);
  return *machine->lease;
}

namespace {

constexpr std::int64_t kDefaultTtl = 120;  // I: for a lease without ttl
constexpr std::int64_t kLongestTtl = 24 * 3600;

json::object success(const MachineLease& lease) {
  return {{"status", "success"},
          {"data",
           {{"nonce", lease.nonce},
            {"expires_at", unixSeconds(lease.expiresAt)},
            {"owner", lease.owner},
            {"description", lease.description},
            {"version", lease.version}}}};
}

/// I: the body; §6 documents that the text contains "lease not found".
[[noreturn]] void refuseWithoutLease() {
  throw Refusal(jsonResponse(404, json::object{{"status", "error"}, {"message", "lease not found"}, {"code", "not_found"}}));
}

awaitable<Response> getLease(Core& core, Call& call) {
  const MachineLease* lease = leaseOf(core, *call.machine);
  if (!lease) refuseWithoutLease();
  co_return jsonResponse(200, success(*lease));
}

awaitable<Response> acquireLease(Core& core, Call& call) {
  requireLease(core, call, *call.machine);
  Body fields = call.fields();
  auto ttl = fields.integer("ttl");
  if (!ttl) ttl = call.integer("ttl", 1, kLongestTtl);
  if (ttl && (*ttl < 1 || *ttl > kLongestTtl)) refuse(400, "invalid lease ttl");  // I: range and wording
  co_return jsonResponse(201, success(takeLease(core, call, call.machine, ttl.value_or(kDefaultTtl), fields.text("description"))));
}

awaitable<Response> releaseLease(Core& core, Call& call) {
  if (!leaseOf(core, *call.machine)) refuseWithoutLease();
  requireLease(core, call, *call.machine);
  call.machine->lease.reset();
  core.journal.changed(call.machine);
  co_return jsonResponse(200, json::object{{"status", "success"}, {"data", {{"ok", true}}}});
}

}  // namespace

std::vector<Route> leaseRoutes() {
  return {
      {"GET", "/lease", "lease_get", getLease, Scope::Machine},
      {"POST", "/lease", "lease_acquire", acquireLease, Scope::Machine, optional("main.createLeaseRequest")},
      {"DELETE", "/lease", "lease_release", releaseLease, Scope::Machine},
  };
}

}  // namespace swarm::emulator
