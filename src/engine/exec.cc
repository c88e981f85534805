// The hijacked connection of an exec: frames one way, bytes the other.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/attempt.h"
#include "async/deadline.h"
#include "base/text/format.h"
#include "engine/client.h"

namespace swarm::engine {
namespace {

namespace asio = boost::asio;

void keep(std::string& kept, std::string_view data, std::size_t max, bool& truncated) {
  std::size_t room = max - std::min(max, kept.size());
  kept.append(data.substr(0, room));
  if (data.size() > room) truncated = true;
}

/// Runs beside the reader: a command may write before it has read all. Ends when the stream is closed.
awaitable<void> writeInput(std::shared_ptr<net::Stream> stream, std::string input) {
  net::IoResult written = co_await stream->writeAll(std::string_view(input));
  if (!written.error) co_await stream->shutdownWrite();
}

awaitable<void> readOutput(net::Stream& stream, CommandResult& result, std::size_t max, Deadline deadline) {
  FrameReader frames;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    net::IoResult got = co_await stream.readSome(asio::buffer(buffer));
    frames.add({buffer.data(), got.bytes});
    while (auto frame = frames.next()) {
      keep(frame->stream == 2 ? result.stderrText : result.stdoutText, frame->data, max, result.truncated);
    }
    if (frames.broken()) throw brokenStream();
    if (got.error == asio::error::eof) co_return;
    if (got.error && deadline.hasPassed()) {
      throw Error(ErrorCode::DeadlineExceeded, "The command did not end in time. It may still be running in the container.");
    }
    if (got.error)
      throw Error(ErrorCode::Unavailable, "The connection to the Docker Engine broke while a command ran.").withCause(got.error.message());
  }
}

CommandResult notStarted(int code, std::string reason) {
  CommandResult result;
  result.exitCode = code;
  result.stderrText = std::move(reason);
  return result;
}

}  // namespace

Error brokenStream() { return Error(ErrorCode::UpstreamFailed, "The Docker Engine's stream of a command's output could not be read."); }

awaitable<Outcome<std::string>> Client::createExec(std::string container, const ExecRequest& request, Deadline deadline) {
  json::object body{{"AttachStdin", !request.input.empty()}, {"AttachStdout", true}, {"AttachStderr", true}, {"Tty", false}};
  body["Cmd"] = json::array(request.command.begin(), request.command.end());
  if (!request.user.empty()) body["User"] = request.user;
  if (!request.workingDirectory.empty()) body["WorkingDir"] = request.workingDirectory;
  Request create{.method = "POST", .target = format("/containers/{}/exec", container), .doing = "run the command", .body = std::move(body)};
  auto made = co_await query(std::move(create), deadline);
  if (!made) co_return std::unexpected(std::move(made.error()));
  co_return stringAt(*made, "Id");
}

/// The stream may end a moment before the Engine has noted the exit; or the command closed its output and continues.
awaitable<std::int64_t> Client::exitCodeOf(std::string exec, Deadline deadline) {
  for (;;) {
    json::value state = orThrow(co_await query({.target = format("/exec/{}/json", exec), .doing = "run the command"}, deadline));
    if (!boolAt(state, "Running")) co_return integerAt(state, "ExitCode");
    co_await async::sleepFor(std::chrono::milliseconds(10));
    if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command closed its output but did not end in time.");
  }
}

awaitable<CommandResult> Client::runExec(std::string exec, std::string input, std::size_t max_output, Deadline deadline) {
  Request start{.method = "POST",
                .target = format("/exec/{}/start", exec),
                .doing = "run the command",
                .body = json::object{{"Detach", false}, {"Tty", false}},
                .headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}}};
  auto opened = co_await async::attempt(transport_.open(std::move(start), deadline));
  if (!opened) {
    // Engines report a program that cannot be started by a refusal or as the command's only output.
    auto code = codeOfUnstarted(opened.error().cause());
    if (!code) throw std::move(opened.error());
    co_return notStarted(*code, opened.error().cause());
  }
  net::HttpExchange& exchange = **opened;
  if (!exchange.upgraded()) throw Error(ErrorCode::UpstreamFailed, "The Docker Engine did not open the command's stream.");
  std::shared_ptr<net::Stream> stream = exchange.takeStream();
  stream->setDeadline(deadline.time());
  auto executor = co_await asio::this_coro::executor;
  if (!input.empty()) asio::co_spawn(executor, writeInput(stream, std::move(input)), asio::detached);
  CommandResult result;
  std::exception_ptr failure;
  try {
    co_await readOutput(*stream, result, max_output, deadline);
  } catch (...) {
    failure = std::current_exception();
  }
  stream->close();
  if (failure) std::rethrow_exception(failure);
  result.exitCode = co_await exitCodeOf(std::move(exec), deadline);
  bool may_be_unstarted = (result.exitCode == 126 || result.exitCode == 127) && result.stderrText.empty();
  auto code = may_be_unstarted ? codeOfUnstarted(result.stdoutText) : std::nullopt;
  if (code) co_return notStarted(*code, std::move(result.stdoutText));
  co_return result;
}

}  // namespace swarm::engine
