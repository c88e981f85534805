// A Machine's log, and commands inside it, as Fly's init runs them: as root, in "/", output buffered (§8).
#include "async/attempt.h"
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"

namespace swarm::emulator {
namespace {

/// Limit for each of stdout and stderr; the rest is read and discarded.
constexpr std::size_t kMaxOutput = 5 * 1024 * 1024;
constexpr int kFirstExecSignal = 128;
constexpr int kLastExecSignal = 159;

}  // namespace

awaitable<GuestExecResult> DockerBackend::exec(std::string machine_id, GuestExec request, Deadline deadline) {
  Deadline end = deadline.orAfter(request.timeout);
  const engine::ExecRequest command{
      .command = std::move(request.command), .input = std::move(request.stdinText), .user = "0:0", .workingDirectory = "/"};
  auto exec = co_await engine_.createExec(containerName(id(), machine_id), command, deadline);
  if (!exec && exec.error().isNotFound()) throw Error(ErrorCode::NotFound, format("The Machine {} has no container.", machine_id));
  if (!exec && exec.error().isConflict()) throw Error(ErrorCode::Conflict, format("The Machine {} is not running.", machine_id));
  auto ended = co_await async::attempt(engine_.runExec(engine::orThrow(std::move(exec)), command.input, kMaxOutput, end));
  if (!ended) {
    if (ended.error().code() == ErrorCode::DeadlineExceeded && end.hasPassed()) co_return GuestExecResult{};
    throw ended.error();
  }
  GuestExecResult result;
  result.exitCode = static_cast<int>(ended->exitCode);
  result.stdoutText = std::move(ended->stdoutText);
  result.stderrText = std::move(ended->stderrText);
  // The Engine encodes a signal as a shell does.
  if (*result.exitCode > kFirstExecSignal && *result.exitCode <= kLastExecSignal) result.exitSignal = *result.exitCode - kFirstExecSignal;
  co_return result;
}

awaitable<std::vector<GuestLine>> DockerBackend::log(std::string machine_id, int most, Deadline deadline) {
  const engine::LogOptions options{.timestamps = engine::LogOptions::Timestamps::Yes, .tail = most};
  auto frames = engine::orNothing(co_await engine_.readLogs(containerName(id(), machine_id), options, deadline));
  std::vector<GuestLine> lines;
  if (!frames) co_return lines;
  for (const engine::FrameReader::Frame& frame : *frames) {
    std::string_view text = frame.data;  // "2026-12-01T12:00:00.123456789Z what was written\n"
    while (text.ends_with('\n')) text.remove_suffix(1);
    const std::size_t blank = std::min(text.find(' '), text.size());
    lines.push_back({std::string(text.substr(0, blank)), std::string(text.substr(std::min(blank + 1, text.size())))});
  }
  // The streams of a process are read each in its own order.
  std::ranges::sort(lines, {}, &GuestLine::time);
  co_return lines;
}

}  // namespace swarm::emulator
