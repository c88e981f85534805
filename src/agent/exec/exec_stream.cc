// GET /exec: a command's streams over a WebSocket, with back pressure both ways.
#include <signal.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "agent/exec/exec.h"
#include "agent/exec/exec_drain.h"
#include "async/deadline.h"
#include "async/io_wait.h"
#include "async/lock/mutex.h"
#include "async/task_group.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "net/websocket/websocket.h"
#include "protocol/exec_frames.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kOutputPiece = 32 * 1024;
constexpr char kEndOfTransmission = '\x04';
constexpr std::uint16_t kNormalClosure = 1000;
constexpr std::uint16_t kGoingAway = 1001;
constexpr std::chrono::milliseconds kPeerCheck{1000};
constexpr std::chrono::milliseconds kFarewell{500};  // time for a client to receive the remaining data
constexpr std::uint16_t kPolicyViolation = 1008;

/// One client and one command. Lives in handleExecStream's frame until all its tasks have ended.
class ExecSession {
 public:
  ExecSession(ExecContext& context, Activity& activity, net::WebSocket& socket, std::unique_ptr<ExecProcess> process)
      : context_(context),
        activity_(activity),
        socket_(socket),
        process_(std::move(process)),
        drain_(*process_),
        sending_(context.executor),
        input_changed_(context.executor, asio::steady_timer::time_point::max()),
        farewell_(context.executor),
        tasks_(context.executor) {}

  awaitable<void> run() {
    tasks_.spawn(sendOutput(process_->output, ExecFrame::Stdout));
    if (!process_->tty) tasks_.spawn(sendOutput(process_->error, ExecFrame::Stderr));
    tasks_.spawn(writeInput());
    tasks_.spawn(finishWhenDone());
    tasks_.spawn(receive());
    co_await tasks_.wait();
  }

  /// The command must end; the reason is the last frame that its client receives.
  void dismiss(std::string reason) {
    if (finished_ || gone_ || std::exchange(dismissed_, true)) return;
    hangUpCommand();
    tasks_.spawn(cutAfterFarewell());
    tasks_.spawn(sayFarewell(std::move(reason)));
  }

 private:
  awaitable<bool> send(ExecFrame kind, std::string_view payload) {
    std::string bytes = encodeFrame(kind, payload);
    co_await sending_.lock();
    bool sent = !gone_ && co_await socket_.write(bytes);
    sending_.unlock();
    co_return sent;
  }

  awaitable<void> sendOutput(asio::posix::stream_descriptor& output, ExecFrame kind) {
    std::vector<char> buffer(kOutputPiece);
    // The next read waits until the client has received the previous data. Without a client, output is read and discarded: a command that
    // cleans up after SIGHUP may still print.
    while (auto bytes = co_await drain_.read(output, asio::buffer(buffer))) {
      if (gone_) continue;
      activity_.touch();
      if (!co_await send(kind, {buffer.data(), bytes})) clientGone();
    }
    drain_.outputEnded();
  }

  awaitable<void> finishWhenDone() {
    co_await drain_.closeWhenDone();
    finished_ = true;
    input_changed_.cancel();
    // Output tasks own the socket until their last piece is sent; this comes after them.
    if (!gone_ && !dismissed_ &&
        co_await send(ExecFrame::Exit, boost::json::serialize(boost::json::object{{"exitCode", process_->child->exitCode()}}))) {
      co_await socket_.close(kNormalClosure, "");
    }
  }

  awaitable<void> receive() {
    try {
      while (auto message = co_await socket_.read()) {
        if (message->text || message->data.empty() || !co_await take(std::move(message->data))) {
          if (!finished_) co_await refuse();
          break;
        }
      }
    } catch (const std::exception&) {
      // The connection was closed, by the client or by the agent.
    }
    clientGone();
    farewell_.cancel();
  }

  awaitable<void> sayFarewell(std::string reason) {
    std::string message = boost::json::serialize(boost::json::object{{"message", reason}});
    if (co_await send(ExecFrame::Failed, message)) co_await socket_.close(kGoingAway, "");
    clientGone();
  }

  awaitable<void> cutAfterFarewell() {
    farewell_.expires_after(kFarewell);
    if (!co_await async::waitTimer(farewell_)) socket_.cut();
  }

  awaitable<void> refuse() {
    co_await sending_.lock();
    if (!gone_) co_await socket_.close(kPolicyViolation, "not an exec frame");
    sending_.unlock();
  }

  /// False: the client violated the protocol.
  awaitable<bool> take(std::string data) {
    co_await context_.whenThawed();
    auto kind = static_cast<ExecFrame>(data.front());
    std::string_view payload = std::string_view(data).substr(1);
    switch (kind) {
      case ExecFrame::Stdin:
        activity_.touch();
        co_return co_await queueInput(payload);
      case ExecFrame::StdinEnd:
        if (process_->tty) co_return co_await queueInput(std::string_view(&kEndOfTransmission, 1));
        input_ended_ = true;
        input_changed_.cancel();
        co_return true;
      case ExecFrame::Resize:
      case ExecFrame::Signal:
        co_return control(kind, payload);
      default:
        co_return false;
    }
  }

  bool control(ExecFrame kind, std::string_view payload) {
    try {
      ObjectReader reader(parseJson(payload, "The frame"));
      if (kind == ExecFrame::Resize) {
        auto columns = reader.require<std::int64_t>("columns");
        auto rows = reader.require<std::int64_t>("rows");
        reader.finish();
        process_->resize(columns, rows);
        return true;
      }
      auto number = signalNumber(reader.require<std::string>("signal"));
      reader.finish();
      if (number) process_->signal(*number);
      return number.has_value();
    } catch (const Error&) {
      return false;
    }
  }

  /// Waits while too much input is unread by the command: then nothing more is read from the client.
  awaitable<bool> queueInput(std::string_view payload) {
    if (input_ended_) co_return true;
    input_ += payload;
    input_changed_.cancel();
    while (input_.size() > kMaxQueuedInput && !finished_ && !gone_) {
      const bool changed = co_await async::race(inputChange(), async::sleepFor(kPeerCheck)) == 0;
      // Nothing is read now: the end of the connection shows only here.
      if (!changed && socket_.peerState() != net::PeerState::Open) clientGone();
    }
    co_return true;
  }

  awaitable<void> inputChange() { co_await async::waitTimer(input_changed_); }

  awaitable<void> writeInput() {
    while (!finished_ && !gone_) {
      if (input_.empty()) {
        if (input_ended_) break;
        co_await async::waitTimer(input_changed_);
        continue;
      }
      std::string piece = std::exchange(input_, std::string());
      input_changed_.cancel();
      boost::system::error_code error;
      co_await asio::async_write(process_->input, asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
      if (error) break;  // the command reads no more input; discard the rest
    }
    input_ended_ = true;
    input_.clear();
    input_changed_.cancel();
    if (!process_->tty) process_->closeInput();
  }

  void clientGone() {
    if (std::exchange(gone_, true)) return;
    input_changed_.cancel();
    if (!finished_ && !dismissed_) hangUpCommand();
  }

  void hangUpCommand() {
    if (process_->tty) process_->signal(SIGHUP);  // the foreground group differs from the shell's own
    asio::co_spawn(context_.executor, hangUp(context_, process_->child, kHangUpGrace), asio::detached);
  }

  ExecContext& context_;
  Activity& activity_;
  net::WebSocket& socket_;
  std::unique_ptr<ExecProcess> process_;
  OutputDrain drain_;
  async::Mutex sending_;
  asio::steady_timer input_changed_;
  std::string input_;
  bool input_ended_ = false;
  bool finished_ = false;
  bool gone_ = false;
  bool dismissed_ = false;
  asio::steady_timer farewell_;
  async::TaskGroup tasks_;
};

awaitable<void> fail(net::WebSocket& socket, std::string message) {
  std::string text = encodeFrame(ExecFrame::Failed, boost::json::serialize(boost::json::object{{"message", message}}));
  if (co_await socket.write(text)) co_await socket.close(kNormalClosure, "");
}

}  // namespace

awaitable<void> handleExecStream(ExecContext& context, Activity& activity, Hold& hold, net::Exchange& exchange) {
  Guest guest(hold);
  auto socket = co_await net::acceptWebSocket(exchange);
  guest.whenNotified([&socket] { socket->cut(); });
  Activity::Connection connection(activity);
  activity.touch();
  std::string problem;
  ExecSpec spec;
  try {
    auto first = co_await socket->read();
    if (!first) co_return;
    if (!first->text)
      problem = "The first message must be text: the command as JSON.";
    else
      spec = readExecSpec(parseJson(first->data, "The first message"), ExecForm::Stream);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidArgument) co_return;  // the connection was lost
    problem = error.message();
    for (const auto& field : error.fields()) problem += format(" {} {}.", field.pointer, field.detail);
  }
  std::unique_ptr<ExecProcess> process;
  co_await context.whenThawed();
  if (guest.notified()) co_return;
  if (problem.empty()) {
    auto started = startExec(context, spec);
    if (started)
      process = std::move(*started);
    else
      problem = started.error().message;
  }
  if (!process) {
    co_await fail(*socket, std::move(problem));
    co_return;
  }
  ExecSession session(context, activity, *socket, std::move(process));
  guest.whenNotified([&session, &guest] { session.dismiss(guest.reason()); });
  co_await session.run();
  activity.touch();
}

}  // namespace swarm::agent
