// Commands inside a Machine, as Fly's init runs them: as root, in "/", output buffered (fly-machines.md §8).
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/error.h"
#include "base/format.h"
#include "emulator/docker/docker_backend_impl.h"
#include "net/deadline.h"
#include "provider/docker/engine_errors.h"
#include "provider/docker/engine_stream.h"

namespace swarm::emulator {
namespace {

namespace asio = boost::asio;

/// Of stdout and of stderr each; the rest is read and dropped.
constexpr std::size_t kMostOutput = 5 * 1024 * 1024;
constexpr int kFirstSignalCode = 128;
constexpr int kLastSignalCode = 159;

void keep(std::string& kept, std::string_view data) { kept.append(data.substr(0, kMostOutput - std::min(kMostOutput, kept.size()))); }

/// Beside the reader: a command may answer before it has read all.
awaitable<void> writeInput(std::shared_ptr<net::Stream> stream, std::string input) {
  net::IoResult written = co_await stream->writeAll(std::string_view(input));
  if (!written.error) co_await stream->shutdownWrite();
}

bool saysNotStarted(std::string_view text) {
  return text.contains("OCI runtime exec failed") || text.contains("executable file not found") ||
         text.contains("no such file or directory");
}

/// As a shell says it.
GuestExecResult notStarted(std::string reason) {
  GuestExecResult result;
  result.exitCode = reason.contains("executable file not found") || reason.contains("no such file") ? 127 : 126;
  result.stderrText = std::move(reason);
  return result;
}

}  // namespace

awaitable<void> DockerBackend::readOutput(net::Stream& stream, GuestExecResult& result, Deadline deadline) {
  docker::FrameReader frames;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    net::IoResult got = co_await stream.readSome(asio::buffer(buffer));
    frames.add({buffer.data(), got.bytes});
    while (auto frame = frames.next()) keep(frame->stream == 2 ? result.stderrText : result.stdoutText, frame->data);
    if (frames.broken()) throw Error(ErrorCode::UpstreamFailed, "The Docker Engine's stream of a command's output could not be read.");
    if (got.error == asio::error::eof) co_return;
    if (got.error && deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command did not end in time.");
    if (got.error) {
      throw Error(ErrorCode::Unavailable, "The connection to the Docker Engine broke while a command ran.").withCause(got.error.message());
    }
  }
}

awaitable<json::value> DockerBackend::finishedExec(std::string exec, Deadline deadline) {
  for (;;) {
    json::value state = co_await engine_.call({.target = format("/exec/{}/json", exec), .doing = "run a command", .body = {}}, deadline);
    if (!docker::boolAt(state, "Running")) co_return state;
    // The stream may end a moment before the Engine has noted the exit; or the command closed its output and goes on.
    co_await net::sleepFor(std::chrono::milliseconds(10));
    if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command did not end in time.");
  }
}

awaitable<GuestExecResult> DockerBackend::exec(std::string machine_id, GuestExec request, Deadline deadline) {
  const std::string doing = "run a command";
  Deadline end = deadline.orAfter(request.timeout);
  bool has_input = !request.stdinText.empty();
  json::object body{{"AttachStdin", has_input}, {"AttachStdout", true}, {"AttachStderr", true}, {"Tty", false}, {"User", "0:0"},
                    {"WorkingDir", "/"}};
  body["Cmd"] = json::array(request.command.begin(), request.command.end());
  docker::EngineCall create{
      .method = "POST", .target = format("/containers/{}/exec", containerName(id(), machine_id)), .doing = doing, .body = std::move(body)};
  docker::EngineReply made = co_await engine_.send(std::move(create), deadline);
  if (made.status == 404) throw Error(ErrorCode::NotFound, format("There is no container of the Machine {}.", machine_id));
  if (made.status == 409) throw Error(ErrorCode::Conflict, format("The Machine {} does not run.", machine_id));
  if (!made.ok()) throw docker::engineError(made.status, made.body, doing);
  std::string exec = docker::stringAt(made.json(doing), "Id");
  docker::EngineCall start{.method = "POST",
                           .target = format("/exec/{}/start", exec),
                           .doing = doing,
                           .body = json::object{{"Detach", false}, {"Tty", false}},
                           .headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}}};
  GuestExecResult result;
  std::shared_ptr<net::Stream> stream;
  try {
    auto exchange = co_await engine_.open(std::move(start), end);
    stream = exchange->takeStream();
    stream->setDeadline(end.time());
    auto executor = co_await asio::this_coro::executor;
    if (has_input) asio::co_spawn(executor, writeInput(stream, std::move(request.stdinText)), asio::detached);
    co_await readOutput(*stream, result, end);
    stream->close();
    json::value state = co_await finishedExec(exec, end);
    result.exitCode = static_cast<int>(docker::integerAt(state, "ExitCode"));
  } catch (const Error& error) {
    if (stream) stream->close();
    if (error.code() == ErrorCode::DeadlineExceeded && end.hasPassed()) co_return GuestExecResult{};
    if (!saysNotStarted(error.cause())) throw;
    co_return notStarted(error.cause());
  }
  bool refused = result.exitCode == 126 || result.exitCode == 127;
  if (refused && result.stderrText.empty() && saysNotStarted(result.stdoutText)) co_return notStarted(std::move(result.stdoutText));
  // The Engine tells a signal as a shell does.
  if (*result.exitCode > kFirstSignalCode && *result.exitCode <= kLastSignalCode) result.exitSignal = *result.exitCode - kFirstSignalCode;
  co_return result;
}

}  // namespace swarm::emulator
