// The hijacked connection of an exec: frames one way, bytes the other.
#include "provider/docker/engine/engine_exec.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/deadline.h"
#include "base/text/format.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/engine/engine_stream.h"

namespace swarm::docker {
namespace {

namespace asio = boost::asio;

void keep(std::string& kept, std::string_view data, std::size_t most, bool& truncated) {
  std::size_t room = most - std::min(most, kept.size());
  kept.append(data.substr(0, room));
  if (data.size() > room) truncated = true;
}

/// Runs beside the reader: a command may answer before it has read all. Ends when the stream is closed.
awaitable<void> writeInput(std::shared_ptr<net::Stream> stream, std::string input) {
  net::IoResult written = co_await stream->writeAll(std::string_view(input));
  if (!written.error) co_await stream->shutdownWrite();
}

awaitable<void> readOutput(net::Stream& stream, CommandResult& result, std::size_t most, Deadline deadline) {
  FrameReader frames;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    net::IoResult got = co_await stream.readSome(asio::buffer(buffer));
    frames.add({buffer.data(), got.bytes});
    while (auto frame = frames.next()) {
      keep(frame->stream == 2 ? result.stderrText : result.stdoutText, frame->data, most, result.truncated);
    }
    if (frames.broken()) throw brokenStream();
    if (got.error == asio::error::eof) co_return;
    if (got.error && deadline.hasPassed()) {
      throw Error(ErrorCode::DeadlineExceeded, "The command did not end in time. It may still be running in the instance.");
    }
    if (got.error)
      throw Error(ErrorCode::Unavailable, "The connection to the Docker Engine broke while a command ran.").withCause(got.error.message());
  }
}

bool saysNotStarted(std::string_view text) {
  return text.contains("OCI runtime exec failed") || text.contains("executable file not found");
}

/// A program that is missing or no program: as a shell says it, 127 and 126 with the reason on stderr. Engines tell it as an answer of 400
/// or as the command's only output.
CommandResult notStarted(std::string reason) {
  CommandResult result;
  result.exitCode = reason.contains("executable file not found") || reason.contains("no such file") ? 127 : 126;
  result.stderrText = std::move(reason);
  return result;
}

/// The stream may end a moment before the Engine has noted the exit; or the command closed its output and goes on.
awaitable<std::int64_t> exitCodeOf(EngineClient& engine, std::string exec, Deadline deadline) {
  for (;;) {
    json::value state = co_await engine.call({.target = format("/exec/{}/json", exec), .doing = "run the command", .body = {}}, deadline);
    if (!boolAt(state, "Running")) co_return integerAt(state, "ExitCode");
    co_await async::sleepFor(std::chrono::milliseconds(10));
    if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command closed its output but did not end in time.");
  }
}

}  // namespace

Error brokenStream() { return Error(ErrorCode::UpstreamFailed, "The Docker Engine's stream of a command's output could not be read."); }

json::object execBody(const std::vector<std::string>& command, const std::string& input) {
  json::object body{{"AttachStdin", !input.empty()}, {"AttachStdout", true}, {"AttachStderr", true}, {"Tty", false}};
  body["Cmd"] = json::array(command.begin(), command.end());
  return body;
}

awaitable<CommandResult> runExec(EngineClient& engine, std::string exec, std::string input, std::size_t most_output, Deadline deadline) {
  EngineCall start{.method = "POST",
                   .target = format("/exec/{}/start", exec),
                   .doing = "run the command",
                   .body = json::object{{"Detach", false}, {"Tty", false}},
                   .headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}}};
  std::unique_ptr<net::HttpExchange> exchange;
  try {
    exchange = co_await engine.open(std::move(start), deadline);
  } catch (const Error& error) {
    if (!saysNotStarted(error.cause())) throw;
    co_return notStarted(error.cause());
  }
  if (!exchange->upgraded()) throw Error(ErrorCode::UpstreamFailed, "The Docker Engine did not open the command's stream.");
  std::shared_ptr<net::Stream> stream = exchange->takeStream();
  stream->setDeadline(deadline.time());
  auto executor = co_await asio::this_coro::executor;
  if (!input.empty()) asio::co_spawn(executor, writeInput(stream, std::move(input)), asio::detached);
  CommandResult result;
  std::exception_ptr failure;
  try {
    co_await readOutput(*stream, result, most_output, deadline);
  } catch (...) {
    failure = std::current_exception();
  }
  stream->close();
  if (failure) std::rethrow_exception(failure);
  result.exitCode = co_await exitCodeOf(engine, std::move(exec), deadline);
  bool refused = result.exitCode == 126 || result.exitCode == 127;
  if (refused && result.stderrText.empty() && saysNotStarted(result.stdoutText)) co_return notStarted(std::move(result.stdoutText));
  co_return result;
}

}  // namespace swarm::docker
