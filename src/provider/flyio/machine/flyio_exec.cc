// executeCommand through Fly's exec: small texts and short commands only. Larger ones are refused before they are sent, because Fly drops
// them silently (docs/reference/fly-machines.md §8). The agent has none of these limits.
#include <boost/json/serialize.hpp>

#include "base/id.h"
#include "base/text/format.h"
#include "provider/flyio/api/json_access.h"
#include "provider/flyio/flyio_provider.h"

namespace swarm::flyio {
namespace {

/// Fly's init takes bodies of 16 KiB and drops larger ones without an error; the body is serialized again on the way, hence the margin.
constexpr std::size_t kMostBody = 14 * 1024;
/// From this size on the command must prove that it ran: a body near the limit may have been dropped.
constexpr std::size_t kProveFrom = 8 * 1024;
constexpr std::chrono::seconds kMaxCommandTime{60};

bool isText(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    auto byte = static_cast<unsigned char>(text[i]);
    std::size_t length = byte < 0x80                   ? 1
                         : byte >= 0xC2 && byte < 0xE0 ? 2
                         : byte >= 0xE0 && byte < 0xF0 ? 3
                         : byte >= 0xF0 && byte < 0xF5 ? 4
                                                       : 0;
    if (length == 0 || i + length > text.size() || byte == 0) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

json::object execBody(const std::vector<std::string>& command, const std::string& input, std::chrono::seconds timeout) {
  json::object body{{"command", json::array(command.begin(), command.end())}, {"timeout", timeout.count()}};
  if (!input.empty()) body["stdin"] = input;
  return body;
}

void checkContent(const std::vector<std::string>& command, const std::string& input) {
  if (command.empty()) throw Error(ErrorCode::InvalidArgument, "There is no command to run.").withField("/command", "must not be empty");
  bool all_text = isText(input) && std::all_of(command.begin(), command.end(), [](const std::string& word) { return isText(word); });
  if (!all_text) {
    throw Error(ErrorCode::Unprocessable, "Fly's exec takes only UTF-8 text. Send binary input through the workspace's agent.")
        .withField("/stdin", "is not UTF-8 text");
  }
}

Error execFailure(const FlyReply& reply, const MachinesClient& client) {
  FlyFault fault = reply.fault();
  if (fault.status == 408) {
    return Error(ErrorCode::DeadlineExceeded,
                 "The command timed out (Fly's exec allows at most 60 s). It may still be running in the workspace.")
        .withUpstream({.status = 408, .requestId = reply.requestId});
  }
  if (fault.text.find("machine not running") != std::string::npos) {
    return Error(ErrorCode::Conflict, "The workspace is not running. Start it before running a command in it.")
        .withUpstream({.status = fault.status, .requestId = reply.requestId});
  }
  if (fault.status == 412) return Error(ErrorCode::Unavailable, format("The workspace stopped while a command ran: {}.", fault.text));
  return client.failure(reply, "run the command");
}

}  // namespace

awaitable<CommandResult> FlyIOProvider::executeCommand(std::string instance_id, std::vector<std::string> command, std::string stdin_text,
                                                       Deadline deadline) {
  checkContent(command, stdin_text);
  Machine machine = co_await requireMachine(instance_id, deadline);
  if (machine.state != "started") {
    throw Error(ErrorCode::Conflict, "The workspace is not running. Start it before running a command in it.").withInstance(instance_id);
  }
  std::chrono::seconds timeout =
      std::clamp(std::chrono::ceil<std::chrono::seconds>(deadline.left()), std::chrono::seconds(1), kMaxCommandTime);
  json::object body = execBody(command, stdin_text, timeout);
  std::size_t size = json::serialize(body).size();
  if (size > kMostBody) {
    throw Error(
        ErrorCode::PayloadTooLarge,
        format("Command and input are {} bytes; Fly's exec takes at most {}. Send more through the workspace's agent.", size, kMostBody));
  }
  std::string proof;
  if (size > kProveFrom) {
    proof = "\n" + toHex(randomBytes(8)) + "\n";
    std::vector<std::string> wrapped{"sh", "-c", "p=$1; shift; \"$@\"; c=$?; printf '\\n%s\\n' \"$p\"; exit $c", "sh", proof.substr(1, 16)};
    wrapped.insert(wrapped.end(), command.begin(), command.end());
    body = execBody(wrapped, stdin_text, timeout);
  }
  FlyCall call{.action = Action::ExecMachine,
               .id = machine.id,
               .method = "POST",
               .target = format("/v1/apps/{}/machines/{}/exec", machine.app, machine.id),
               .doing = "run the command",
               .body = std::move(body),
               .repeat = Repeat::Never,
               .timeout = timeout + std::chrono::seconds(15)};
  FlyReply reply = co_await client_.send(std::move(call), deadline);
  if (reply.status == 0 && deadline.hasPassed()) {
    throw Error(ErrorCode::DeadlineExceeded, "The command timed out. It may still be running in the workspace.");
  }
  if (!reply.ok()) throw execFailure(reply, client_).withInstance(instance_id);
  json::value answer = reply.json();
  CommandResult result;
  result.stdoutText = stringAt(answer, "stdout");
  result.stderrText = stringAt(answer, "stderr");
  std::int64_t signal = integerAt(answer, "exit_signal");
  result.exitCode = integerAt(answer, "exit_code", signal > 0 ? 128 + signal : 0);
  bool rejected = reply.body.find("Unhandled rejection: Rejection([") != std::string::npos;
  bool unproven = !proof.empty() && !result.stdoutText.ends_with(proof);
  if (rejected || (unproven && result.exitCode == 0)) {
    throw Error(ErrorCode::PayloadTooLarge, "Fly dropped the command because it was too large. It did not run.").withInstance(instance_id);
  }
  if (!proof.empty() && !unproven) result.stdoutText.resize(result.stdoutText.size() - proof.size());
  co_return result;
}

}  // namespace swarm::flyio
