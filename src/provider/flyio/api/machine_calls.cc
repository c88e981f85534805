// Machines: their life, leases and commands.
#include "provider/flyio/api/call_parts.h"
#include "provider/flyio/api/machines_client.h"

namespace swarm::flyio {
namespace {

std::string pathOf(const Machine& machine, std::string_view rest = {}) {
  return inApp(machine.app, format("/machines/{}{}", machine.id, rest));
}

auto machineReader(std::string app) {
  return [app = std::move(app)](const json::value& document) {
    Machine machine = readMachine(document, app);
    return machine.id.empty() ? std::nullopt : std::optional(std::move(machine));
  };
}

}  // namespace

awaitable<std::vector<Machine>> MachinesClient::listMachines(std::string app, Deadline deadline, Deleted deleted) {
  const std::string doing = "list the app's Machines";
  std::string target = inApp(app, deleted == Deleted::Included ? "/machines?include_deleted=true" : "/machines");
  auto document = co_await transport_.find({Action::ListMachines, app, "GET", std::move(target), doing}, deadline);
  co_return readList(document, doing, [&](const json::value& item) { return readMachine(item, app); });
}

awaitable<std::optional<Machine>> MachinesClient::findMachine(std::string app, std::string id, Deadline deadline, Age age) {
  FlyCall call{
      .action = Action::GetMachine, .id = id, .target = inApp(app, "/machines/" + id), .doing = format("look up the Machine {}", id)};
  if (age == Age::New) call.patienceForNew = tuning().lookFor;
  auto document = co_await transport_.find(std::move(call), deadline);
  if (!document) co_return std::nullopt;
  Machine machine = readMachine(*document, app);
  if (machine.id.empty()) throw Error(ErrorCode::UpstreamFailed, format("Fly's response about the Machine {} does not contain it.", id));
  co_return machine;
}

awaitable<FlyResult<Machine>> MachinesClient::createMachine(MachineRequest request, Deadline deadline) {
  json::object body{{"name", request.name}, {"region", request.region}, {"config", std::move(request.config)}};
  if (request.minSecretsVersion > 0) body["min_secrets_version"] = request.minSecretsVersion;
  return change<Machine>(
      {Action::CreateMachine, request.app, "POST", inApp(request.app, "/machines"), format("create the Machine in {}", request.region),
       std::move(body), "", Repeat::Never, std::chrono::seconds(60), tuning().lookFor},
      machineReader(request.app), deadline);
}

awaitable<FlyResult<Machine>> MachinesClient::updateMachine(Machine machine, MachineUpdate update, std::string lease, Deadline deadline) {
  json::object body{{"config", std::move(update.config)}, {"current_version", machine.version}, {"name", machine.name}};
  if (!machine.region.empty()) body["region"] = machine.region;
  if (update.minSecretsVersion > 0) body["min_secrets_version"] = update.minSecretsVersion;
  if (machine.state == MachineState::created) body["skip_launch"] = true;
  return change<Machine>({Action::UpdateMachine, machine.id, "POST", pathOf(machine), "change the Machine's configuration", std::move(body),
                          std::move(lease), Repeat::Never, std::chrono::seconds(60)},
                         machineReader(machine.app), deadline);
}

awaitable<FlyResult<void>> MachinesClient::startMachine(Machine machine, std::string lease, Deadline deadline) {
  return changeConfirmed({Action::StartMachine, machine.id, "POST", pathOf(machine, "/start"), "start the Machine", {}, std::move(lease)},
                         deadline);
}

awaitable<FlyResult<void>> MachinesClient::stopMachine(Machine machine, std::chrono::seconds grace, std::string lease, Deadline deadline) {
  return changeConfirmed({Action::StopMachine, machine.id, "POST", pathOf(machine, "/stop"), "stop the Machine",
                          json::object{{"signal", "SIGTERM"}, {"timeout", format("{}s", grace.count())}}, std::move(lease), Repeat::Safe,
                          grace + std::chrono::seconds(30)},
                         deadline);
}

awaitable<FlyResult<void>> MachinesClient::destroyMachine(Machine machine, std::string lease, Deadline deadline) {
  return changeConfirmed(
      {Action::DeleteMachine, machine.id, "DELETE", pathOf(machine, "?force=true"), "destroy the Machine", {}, std::move(lease)}, deadline);
}

awaitable<void> MachinesClient::patchMetadata(Machine machine, json::object values, Deadline deadline) {
  co_await transport_.call({Action::PatchMetadata, machine.id, "PATCH", pathOf(machine, "/metadata"), "change the Machine's metadata",
                            json::object{{"metadata", std::move(values)}}},
                           deadline);
}

awaitable<MachinesClient::Waited> MachinesClient::wait(Machine machine, MachineStates states, std::chrono::seconds round,
                                                       Deadline deadline) {
  const std::string doing = "wait for the Machine";
  FlyCall call{Action::WaitMachine,
               machine.id,
               "GET",
               pathOf(machine, format("/wait?state={}&timeout={}", toString(states), round.count())),
               doing,
               {},
               "",
               Repeat::Safe,
               round + std::chrono::seconds(15)};
  if (!machine.version.empty()) call.target += "&version=" + machine.version;
  FlyReply reply = co_await transport_.send(std::move(call), deadline);
  if (reply.ok()) co_return Waited{true, OpenEnum<MachineState>::ofName(stringAt(reply.document, "state"))};
  // Gone, lost or timed out: the caller reads the Machine again.
  if (reply.isAbsent() || reply.status == 408 || reply.status == 0) co_return Waited{};
  throw transport_.failure(reply, doing).error();
}

awaitable<std::optional<Lease>> MachinesClient::findLease(Machine machine, Deadline deadline) {
  FlyReply reply =
      co_await transport_.send({Action::GetLease, machine.id, "GET", pathOf(machine, "/lease"), "read the Machine's lease"}, deadline);
  if (!reply.ok()) co_return std::nullopt;
  const json::value* lease = member(reply.document, "data");
  if (!lease) lease = &reply.document;
  co_return Lease{stringAt(*lease, "description"), stringAt(*lease, "nonce")};
}

awaitable<FlyResult<std::string>> MachinesClient::acquireLease(Machine machine, std::string description, std::string lease,
                                                               Deadline deadline) {
  auto read = [](const json::value& document) -> std::optional<std::string> {
    std::string nonce = stringAt(document, "data.nonce");
    return nonce.empty() ? stringAt(document, "nonce") : nonce;
  };
  return change<std::string>({Action::AcquireLease, machine.id, "POST", pathOf(machine, "/lease"), "acquire the Machine's lease",
                              json::object{{"description", description}, {"ttl", tuning().leaseTime.count()}}, std::move(lease)},
                             read, deadline);
}

awaitable<void> MachinesClient::releaseLease(Machine machine, std::string lease, Deadline deadline) {
  co_await transport_.send(
      {Action::ReleaseLease, machine.id, "DELETE", pathOf(machine, "/lease"), "release the Machine's lease", {}, std::move(lease)},
      deadline);
}

awaitable<FlyResult<ExecOutcome>> MachinesClient::execute(Machine machine, ExecRequest request, Deadline deadline) {
  const std::string doing = "run the command";
  FlyReply reply = co_await transport_.send({Action::ExecMachine, machine.id, "POST", pathOf(machine, "/exec"), doing, request.body(), "",
                                             Repeat::Never, request.timeout + std::chrono::seconds(15)},
                                            deadline);
  if (!reply.ok()) co_return std::unexpected(transport_.failure(reply, doing));
  ExecOutcome outcome;
  outcome.stdoutText = stringAt(reply.document, "stdout");
  outcome.stderrText = stringAt(reply.document, "stderr");
  std::int64_t signal = integerAt(reply.document, "exit_signal");
  outcome.exitCode = integerAt(reply.document, "exit_code", signal > 0 ? 128 + signal : 0);
  outcome.isRejected = isRejectedCommand(reply.body);
  co_return outcome;
}

}  // namespace swarm::flyio
