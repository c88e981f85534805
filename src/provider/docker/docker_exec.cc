// Commands inside a container (stdin, stdout and stderr apart, exit code) and a container's logs.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/format.h"
#include "net/deadline.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine_errors.h"
#include "provider/docker/engine_stream.h"

namespace swarm::docker {
namespace {

namespace asio = boost::asio;

/// Of stdout and of stderr each; what comes after is read and dropped.
constexpr std::size_t kMostOutput = 4 * 1024 * 1024;

void keep(std::string& kept, std::string_view data, bool& truncated) {
  std::size_t room = kMostOutput - std::min(kMostOutput, kept.size());
  kept.append(data.substr(0, room));
  if (data.size() > room) truncated = true;
}

/// Runs beside the reader: a command may answer before it has read all. Ends when the stream is closed.
awaitable<void> writeInput(std::shared_ptr<net::Stream> stream, std::string input) {
  net::IoResult written = co_await stream->writeAll(std::string_view(input));
  if (!written.error) co_await stream->shutdownWrite();
}

Error brokenStream() { return Error(ErrorCode::UpstreamFailed, "The Docker Engine's stream of a command's output could not be read."); }

awaitable<void> readOutput(net::Stream& stream, CommandResult& result, Deadline deadline) {
  FrameReader frames;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    net::IoResult got = co_await stream.readSome(asio::buffer(buffer));
    frames.add({buffer.data(), got.bytes});
    while (auto frame = frames.next()) keep(frame->stream == 2 ? result.stderrText : result.stdoutText, frame->data, result.truncated);
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
  return text.starts_with("OCI runtime exec failed") || text.find("executable file not found") != std::string_view::npos;
}

/// A program that is missing or no program: as a shell says it, 127 and 126 with the reason on stderr. Engines tell it as an answer of 400
/// or as the command's only output.
CommandResult notStarted(std::string reason) {
  bool missing = reason.find("executable file not found") != std::string::npos || reason.find("no such file") != std::string::npos;
  CommandResult result;
  result.exitCode = missing ? 127 : 126;
  result.stderrText = std::move(reason);
  return result;
}

class LogReader final : public LogSource::Reader {
 public:
  explicit LogReader(std::unique_ptr<net::HttpExchange> exchange) : exchange_(std::move(exchange)) {}

  awaitable<std::string> next(Deadline deadline) override {
    for (;;) {
      std::string text;
      while (auto frame = frames_.next()) text += frame->data;
      if (!text.empty()) co_return text;
      if (frames_.broken()) throw brokenStream();
      if (ended_) co_return "";
      std::string piece = co_await exchange_->read(deadline);
      ended_ = piece.empty();
      frames_.add(piece);
    }
  }

 private:
  std::unique_ptr<net::HttpExchange> exchange_;
  FrameReader frames_;
  bool ended_ = false;
};

}  // namespace

awaitable<CommandResult> DockerProvider::executeIn(std::string instance_id, std::vector<std::string> command, std::string stdin_text,
                                                   Deadline deadline) {
  const std::string doing = "run the command";
  bool has_input = !stdin_text.empty();
  json::object body{{"AttachStdin", has_input}, {"AttachStdout", true}, {"AttachStderr", true}, {"Tty", false}};
  body["Cmd"] = json::array(command.begin(), command.end());
  EngineReply made =
      co_await sendToInstance(instance_id, {.method = "POST", .target = "/exec", .doing = doing, .body = std::move(body)}, deadline);
  if (made.status == 409) {
    throw Error(ErrorCode::Conflict, "The instance does not run: start it before running a command in it.").withInstance(instance_id);
  }
  if (!made.ok()) throw engineError(made.status, made.body, doing);
  std::string id = stringAt(made.json(doing), "Id");
  EngineCall start{.method = "POST",
                   .target = "/exec/" + id + "/start",
                   .doing = doing,
                   .body = json::object{{"Detach", false}, {"Tty", false}},
                   .headers = {{"Connection", "Upgrade"}, {"Upgrade", "tcp"}}};
  std::unique_ptr<net::HttpExchange> exchange;
  try {
    exchange = co_await engine_.open(std::move(start), deadline);
  } catch (const Error& error) {
    if (!saysNotStarted(error.cause())) throw;
    co_return notStarted(error.cause());
  }
  if (!exchange->upgraded()) throw Error(ErrorCode::UpstreamFailed, "The Docker Engine did not open the command's stream.");
  std::shared_ptr<net::Stream> stream = exchange->takeStream();
  stream->setDeadline(deadline.time());
  auto executor = co_await asio::this_coro::executor;
  if (has_input) asio::co_spawn(executor, writeInput(stream, std::move(stdin_text)), asio::detached);
  CommandResult result;
  std::optional<Error> failure;
  try {
    co_await readOutput(*stream, result, deadline);
  } catch (const Error& error) {
    failure = error;
  }
  stream->close();
  if (failure) throw *failure;
  // The stream may end a moment before the Engine has noted the exit.
  for (;;) {
    json::value state = co_await engine_.call({.target = "/exec/" + id + "/json", .doing = doing, .body = {}}, deadline);
    if (!boolAt(state, "Running")) {
      result.exitCode = integerAt(state, "ExitCode");
      bool refused = result.exitCode == 126 || result.exitCode == 127;
      if (refused && result.stderrText.empty() && saysNotStarted(result.stdoutText)) co_return notStarted(std::move(result.stdoutText));
      co_return result;
    }
    co_await net::sleepFor(std::chrono::milliseconds(10));
    if (deadline.hasPassed()) throw Error(ErrorCode::DeadlineExceeded, "The command closed its output but did not end in time.");
  }
}

awaitable<CommandResult> DockerProvider::executeCommand(std::string instance_id, std::vector<std::string> command, std::string stdin_text,
                                                        Deadline deadline) {
  if (command.empty()) throw Error(ErrorCode::InvalidArgument, "There is no command to run.").withField("/command", "must not be empty");
  co_return co_await executeIn(std::move(instance_id), std::move(command), std::move(stdin_text), deadline);
}

awaitable<std::unique_ptr<LogSource::Reader>> DockerProvider::openLogs(std::string instance_id, Options options, Deadline deadline) {
  ContainerDetails details = co_await requireInstance(instance_id, deadline);
  std::string target = format("/containers/{}/logs?stdout=true&stderr=true&follow={}", details.id, options.follow);
  if (options.tail) target += format("&tail={}", *options.tail);
  if (options.since) {
    auto since = options.since->time_since_epoch().count();
    target += format("&since={}.{:03}", since / 1000, since % 1000);
  }
  auto exchange = co_await engine_.open({.target = std::move(target), .doing = "read the container's logs", .body = {}}, deadline);
  co_return std::make_unique<LogReader>(std::move(exchange));
}

}  // namespace swarm::docker
