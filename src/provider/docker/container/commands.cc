// Runs programs inside containers (stdin, stdout and stderr apart, exit code), and reads a container's logs.
#include "provider/docker/docker_parts.h"

namespace swarm::docker {
namespace {

/// Of stdout and of stderr each; the rest is read and discarded.
constexpr std::size_t kMaxOutput = 1024 * 1024;

class LogReader final : public LogSource::Reader {
 public:
  explicit LogReader(std::unique_ptr<net::HttpExchange> exchange) : exchange_(std::move(exchange)) {}

  awaitable<std::string> next(Deadline deadline) override {
    for (;;) {
      std::string text;
      while (auto frame = frames_.next()) text += frame->data;
      if (!text.empty()) co_return text;
      if (frames_.broken()) throw engine::brokenStream();
      if (ended_) co_return "";
      std::string piece = co_await exchange_->read(deadline);
      ended_ = piece.empty();
      frames_.add(piece);
    }
  }

 private:
  std::unique_ptr<net::HttpExchange> exchange_;
  engine::FrameReader frames_;
  bool ended_ = false;
};

}  // namespace

awaitable<CommandResult> runCommand(DockerParts& parts, PlaceId place_id, std::vector<std::string> command, std::string stdin_text,
                                    Deadline deadline) {
  const engine::ExecRequest request{.command = std::move(command), .input = std::move(stdin_text)};
  auto create = [&](std::string container) { return parts.context.engine.createExec(std::move(container), request, deadline); };
  auto exec = co_await parts.index.withContainer(place_id, create, deadline);
  if (!exec && exec.error().isConflict()) {
    throw Error(ErrorCode::Conflict, "The workspace does not run: start it before running a command in it.").withInstance(place_id.str());
  }
  co_return co_await parts.context.engine.runExec(orThrow(std::move(exec)), request.input, kMaxOutput, deadline);
}

awaitable<std::unique_ptr<LogSource::Reader>> openLog(DockerParts& parts, PlaceId place_id, LogSource::Options options, Deadline deadline) {
  ContainerDetails details = co_await parts.index.require(place_id, deadline);
  using Follow = engine::LogOptions::Follow;
  engine::LogOptions logs{.follow = options.follow ? Follow::Yes : Follow::No, .tail = options.tail, .since = options.since};
  co_return std::make_unique<LogReader>(co_await parts.context.engine.openLogs(details.id, logs, deadline));
}

}  // namespace swarm::docker
