// Limits of Fly's exec, and the proof that a large command ran.
#include <algorithm>

#include "base/id.h"
#include "base/text/format.h"
#include "base/text/utf8.h"
#include "provider/flyio/fly_parts.h"

namespace swarm::flyio {
namespace {

/// Fly's init takes bodies of 16 KiB and drops larger ones without an error; the body is serialized again on the way, hence the margin.
constexpr std::size_t kMaxExecBody = 14 * 1024;
/// From this size on the command must prove that it ran: a body near the limit may have been dropped.
constexpr std::size_t kProveFrom = 8 * 1024;
constexpr std::chrono::seconds kMaxExecTime{60};

bool isText(std::string_view text) { return isUtf8(text) && text.find('\0') == std::string_view::npos; }

void requireText(const std::vector<std::string>& command, const std::string& input) {
  if (command.empty()) throw Error(ErrorCode::InvalidArgument, "There is no command to run.").withField("/command", "must not be empty");
  if (!isText(input) || !std::ranges::all_of(command, isText)) {
    throw Error(ErrorCode::Unprocessable, "Fly's exec takes only UTF-8 text. Send binary input through the workspace's agent.")
        .withField("/stdin", "is not UTF-8 text");
  }
}

Error notRunning() { return Error(ErrorCode::Conflict, "The workspace is not running. Start it before running a command in it."); }

Error execFailure(const FlyFailure& failure, Deadline deadline) {
  const FlyFault& fault = failure.fault();
  UpstreamFacts upstream{.status = fault.status, .requestId = fault.requestId};
  if (fault.status == 0 && deadline.hasPassed())
    return Error(ErrorCode::DeadlineExceeded, "The command timed out. It may still be running in the workspace.");
  if (fault.status == 408) {
    return Error(ErrorCode::DeadlineExceeded,
                 "The command timed out (Fly's exec allows at most 60 s). It may still be running in the workspace.")
        .withUpstream(std::move(upstream));
  }
  if (isNotRunning(fault)) return notRunning().withUpstream(std::move(upstream));
  if (fault.status == 412) return Error(ErrorCode::Unavailable, format("The workspace stopped while a command ran: {}.", fault.text));
  return failure.error();
}

/// The command, followed by the output of `proof`.
std::vector<std::string> proving(const std::vector<std::string>& command, const std::string& proof) {
  std::vector<std::string> wrapped{"sh", "-c", "p=$1; shift; \"$@\"; c=$?; printf '\\n%s\\n' \"$p\"; exit $c", "sh", proof};
  wrapped.insert(wrapped.end(), command.begin(), command.end());
  return wrapped;
}

}  // namespace

awaitable<CommandResult> runCommand(FlyParts& parts, PlaceId place_id, std::vector<std::string> command, std::string input,
                                    Deadline deadline) {
  requireText(command, input);
  Machine machine = co_await parts.machines.require(place_id, deadline);
  if (machine.state != MachineState::started) throw notRunning().withInstance(place_id.str());
  ExecRequest request{std::move(command), std::move(input)};
  request.timeout = std::clamp(std::chrono::ceil<std::chrono::seconds>(deadline.left()), std::chrono::seconds(1), kMaxExecTime);
  std::size_t size = request.bodySize();
  if (size > kMaxExecBody) {
    throw Error(ErrorCode::PayloadTooLarge,
                format("Command and input are {} bytes; Fly's exec takes at most {}. Send more through the workspace's agent.", size,
                       kMaxExecBody));
  }
  std::string proof = size > kProveFrom ? toHex(randomBytes(8)) : "";
  if (!proof.empty()) request.command = proving(request.command, proof);
  FlyResult<ExecOutcome> outcome = co_await parts.client.execute(std::move(machine), std::move(request), deadline);
  if (!outcome) throw execFailure(outcome.error(), deadline).withInstance(place_id.str());
  CommandResult result;
  result.exitCode = outcome->exitCode;
  result.stdoutText = std::move(outcome->stdoutText);
  result.stderrText = std::move(outcome->stderrText);
  std::string end = "\n" + proof + "\n";
  bool is_proven = !proof.empty() && result.stdoutText.ends_with(end);
  if (outcome->isRejected || (!proof.empty() && !is_proven && result.exitCode == 0)) {
    throw Error(ErrorCode::PayloadTooLarge, "Fly dropped the command because it was too large. It did not run.")
        .withInstance(place_id.str());
  }
  if (is_proven) result.stdoutText.resize(result.stdoutText.size() - end.size());
  co_return result;
}

}  // namespace swarm::flyio
