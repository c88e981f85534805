// A Machine's log, and commands inside it, as Fly's init runs them: as root, in "/", output buffered (§8).
#include "base/error.h"
#include "base/text/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/engine/engine_exec.h"
#include "provider/docker/engine/engine_stream.h"

namespace swarm::emulator {
namespace {

/// Limit for each of stdout and stderr; the rest is read and discarded.
constexpr std::size_t kMaxOutput = 5 * 1024 * 1024;
constexpr int kFirstExecSignal = 128;
constexpr int kLastExecSignal = 159;

}  // namespace

awaitable<GuestExecResult> DockerBackend::exec(std::string machine_id, GuestExec request, Deadline deadline) {
  const std::string doing = "run a command";
  Deadline end = deadline.orAfter(request.timeout);
  json::object body = docker::execBody(request.command, request.stdinText);
  body["User"] = "0:0";
  body["WorkingDir"] = "/";
  docker::EngineCall create{
      .method = "POST", .target = format("/containers/{}/exec", containerName(id(), machine_id)), .doing = doing, .body = std::move(body)};
  docker::EngineReply made = co_await engine_.send(std::move(create), deadline);
  if (made.status == 404) throw Error(ErrorCode::NotFound, format("The Machine {} has no container.", machine_id));
  if (made.status == 409) throw Error(ErrorCode::Conflict, format("The Machine {} is not running.", machine_id));
  if (!made.ok()) throw docker::engineError(made.status, made.body, doing);
  std::string exec = docker::stringAt(made.json(doing), "Id");
  CommandResult ended;
  try {
    ended = co_await docker::runExec(engine_, std::move(exec), std::move(request.stdinText), kMaxOutput, end);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::DeadlineExceeded && end.hasPassed()) co_return GuestExecResult{};
    throw;
  }
  GuestExecResult result;
  result.exitCode = static_cast<int>(ended.exitCode);
  result.stdoutText = std::move(ended.stdoutText);
  result.stderrText = std::move(ended.stderrText);
  // The Engine encodes a signal as a shell does.
  if (*result.exitCode > kFirstExecSignal && *result.exitCode <= kLastExecSignal) result.exitSignal = *result.exitCode - kFirstExecSignal;
  co_return result;
}

awaitable<std::vector<GuestLine>> DockerBackend::log(std::string machine_id, int most, Deadline deadline) {
  const std::string doing = "read a Machine's log";
  std::string target = format("/containers/{}/logs?stdout=true&stderr=true&timestamps=true&tail={}", containerName(id(), machine_id), most);
  docker::EngineReply reply = co_await engine_.send({.target = std::move(target), .doing = doing, .body = {}}, deadline);
  std::vector<GuestLine> lines;
  if (reply.status == 404) co_return lines;
  if (!reply.ok()) throw docker::engineError(reply.status, reply.body, doing);
  docker::FrameReader frames;
  frames.add(reply.body);
  while (auto frame = frames.next()) {
    std::string_view text = frame->data;  // "2026-12-01T12:00:00.123456789Z what was written\n"
    while (text.ends_with('\n')) text.remove_suffix(1);
    const std::size_t blank = std::min(text.find(' '), text.size());
    lines.push_back({std::string(text.substr(0, blank)), std::string(text.substr(std::min(blank + 1, text.size())))});
  }
  // The streams of a process are read each in its own order.
  std::ranges::sort(lines, {}, &GuestLine::time);
  co_return lines;
}

}  // namespace swarm::emulator
