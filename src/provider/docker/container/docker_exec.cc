// Commands inside a container (stdin, stdout and stderr apart, exit code) and a container's logs.
#include "base/text/format.h"
#include "provider/docker/docker_provider.h"
#include "provider/docker/engine/engine_errors.h"
#include "provider/docker/engine/engine_exec.h"
#include "provider/docker/engine/engine_stream.h"

namespace swarm::docker {
namespace {

/// Of stdout and of stderr each; what comes after is read and dropped.
constexpr std::size_t kMostOutput = 1024 * 1024;

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
  EngineReply made = co_await sendToInstance(
      instance_id, {.method = "POST", .target = "/exec", .doing = doing, .body = execBody(command, stdin_text)}, deadline);
  if (made.status == 409) {
    throw Error(ErrorCode::Conflict, "The workspace does not run: start it before running a command in it.").withInstance(instance_id);
  }
  if (!made.ok()) throw engineError(made.status, made.body, doing);
  std::string id = stringAt(made.json(doing), "Id");
  co_return co_await runExec(engine_, std::move(id), std::move(stdin_text), kMostOutput, deadline);
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
