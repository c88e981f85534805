// Calls into a running Machine (§8): exec with its limits, processes, memory.
#include <algorithm>

#include "async/attempt.h"
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/api/route.h"

namespace swarm::emulator {
namespace {

constexpr std::size_t kInitBodyLimit = 16 * 1024;  // §8: init's own limit
constexpr std::int64_t kLongestExecSeconds = 60;
constexpr std::int64_t kDefaultExecSeconds = 30;  // I: without a timeout

/// `cmd`: one string, split at unquoted white space with quotes and backslashes as in a shell. I: that no other shell syntax applies.
std::vector<std::string> splitWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t index = 0; index < text.size(); ++index) {
    char letter = text[index];
    if (letter == '\\' && quote != '\'' && index + 1 < text.size()) {
      word += text[++index];
      in_word = true;
    } else if (quote != 0) {
      if (letter == quote)
        quote = 0;
      else
        word += letter;
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
      in_word = true;
    } else if (letter == ' ' || letter == '\t' || letter == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += letter;
      in_word = true;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

GuestExec readExec(const Call& call) {
  Body fields = call.fields();
  GuestExec request;
  request.command = fields.texts("command");
  if (request.command.empty()) request.command = splitWords(fields.text("cmd"));
  if (request.command.empty()) refuse(400, "command is required");  // I: the wording
  // I: the status; §8: they are mutually exclusive.
  if (fields.flag("machine").value_or(false) && !fields.text("container").empty())
    refuse(400, "machine and container are mutually exclusive");
  std::int64_t seconds = fields.integer("timeout").value_or(0);
  if (seconds > kLongestExecSeconds) refuseBy("E28.exec");
  if (seconds < 0) refuse(400, "timeout must not be negative");  // I: the wording
  request.timeout = std::chrono::seconds(seconds == 0 ? kDefaultExecSeconds : seconds);
  request.stdinText = fields.text("stdin");
  return request;
}

[[noreturn]] void refuseLate() {
  refuse(408,
         "deadline_exceeded: Post \"http://unix/v1/exec\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)");
}

awaitable<Response> execInMachine(Core& core, Call& call) {
  MachinePtr machine = call.machine;
  GuestExec request = readExec(call);
  if (machine->state != MachineState::started) refuseBy("E29");
  // I: status and wording; a host that Fly cannot reach runs no command.
  if (!isReachable(*machine)) refuse(412, "failed_precondition: machine's host is unreachable");
  // The command is silently not run (§8).
  if (call.body.size() > kInitBodyLimit) co_return catalogueResponse("E30");
  std::string version = machine->version;
  auto still_runs = [&] { return machine->state == MachineState::started && machine->version == version; };
  MachineLock turn(machine, &Machine::execBusy);  // init runs one command at a time (§8)
  if (!co_await turn.take(Deadline::after(request.timeout))) refuseLate();
  if (!still_runs()) refuseBy("E29");
  Deadline deadline = Deadline::after(request.timeout + std::chrono::seconds(10));
  auto result = co_await async::attempt(core.backend->exec(machine->id, std::move(request), deadline));
  if (!result || !still_runs()) refuseBy("E29.eof");
  if (!result->exitCode && result->exitSignal == 0) refuseLate();
  json::object body{{"exit_signal", result->exitSignal}, {"stdout", result->stdoutText}, {"stderr", result->stderrText}};
  if (result->exitCode) body["exit_code"] = *result->exitCode;
  co_return jsonResponse(200, body);
}

awaitable<Response> listProcesses(Core& core, Call& call) {
  std::string key = call.parameter("sort_by").value_or("");
  std::string order = call.parameter("order").value_or("");
  if (!order.empty() && order != "asc" && order != "desc") refuse(400, "invalid order");  // I: the wording
  if (call.machine->state != MachineState::started) refuseBy("E29");
  std::vector<GuestProcess> processes;
  try {
    processes = co_await core.backend->processes(call.machine->id, Deadline::after(std::chrono::seconds(30)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Conflict && error.code() != ErrorCode::NotFound) throw;
    refuseBy("E29");  // the process has ended, and the state has not followed yet
  }
  std::ranges::sort(processes,
                    [&](const GuestProcess& a, const GuestProcess& b) { return key == "rss" ? a.rssBytes < b.rssBytes : a.pid < b.pid; });
  if (order == "desc") std::ranges::reverse(processes);
  json::array list;
  for (const GuestProcess& process : processes) {
    list.push_back(json::object{{"pid", process.pid},
                                {"stime", 0},
                                {"rtime", 0},
                                {"command", process.command},
                                {"directory", "/"},
                                {"cpu", 0},
                                {"rss", process.rssBytes},
                                {"listen_sockets", json::array()}});
  }
  co_return jsonResponse(200, list);
}

// I: the meaning of the numbers of …/memory; the spec has only the fields.
awaitable<Response> getMemory(Core&, Call& call) {
  const Machine& machine = *call.machine;
  std::int64_t limit = machine.memoryLimitMb == 0 ? machine.guest.memoryMb : machine.memoryLimitMb;
  co_return jsonResponse(200, json::object{{"available_mb", machine.guest.memoryMb}, {"limit_mb", limit}});
}

awaitable<Response> setMemory(Core& core, Call& call) {
  std::int64_t limit = call.fields().integer("limit_mb").value_or(0);
  if (limit < 0 || limit > call.machine->guest.memoryMb)
    refuse(400, format("limit_mb must be between 0 and {}", call.machine->guest.memoryMb));
  call.machine->memoryLimitMb = limit;
  core.touch(call.machine);
  co_return co_await getMemory(core, call);
}

awaitable<Response> reclaimMemory(Core&, Call& call) {
  std::int64_t amount = call.fields().integer("amount_mb").value_or(0);
  co_return jsonResponse(200, json::object{{"actual_mb", std::clamp<std::int64_t>(amount, 0, call.machine->guest.memoryMb)}});
}

}  // namespace

std::vector<Route> guestRoutes() {
  return {
      // §1: exec was observed to accept about 5 calls a second.
      {"POST", "/exec", "machine_exec", execInMachine, Scope::Machine, required("main.execRequest"), LeaseGate::Open, Limit::GetMachine},
      {"GET", "/ps", "machine_ps", listProcesses, Scope::Machine},
      {"GET", "/memory", "memory_get", getMemory, Scope::Machine},
      {"PUT", "/memory", "memory_set", setMemory, Scope::Machine, required("main.setMemoryLimitRequest")},
      {"POST", "/memory/reclaim", "memory_reclaim", reclaimMemory, Scope::Machine, required("main.reclaimMemoryRequest")},
  };
}

}  // namespace swarm::emulator
