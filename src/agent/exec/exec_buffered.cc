// POST /exec.
#include <signal.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "agent/exec/exec.h"
#include "agent/exec/exec_drain.h"
#include "agent/server/responses.h"
#include "async/deadline.h"
#include "async/notifier.h"
#include "async/task_group.h"
#include "base/text/utf8.h"
#include "model/codec/codec.h"
#include "protocol/agent.h"

namespace swarm::agent {
namespace {
constexpr int kTimedOutExitCode = 124;  // as timeout(1)

awaitable<void> writeInput(ExecProcess& process, const std::string& text) {
  boost::system::error_code error;
  co_await asio::async_write(process.input, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
  process.closeInput();
}

awaitable<void> collect(OutputDrain& drain, asio::posix::stream_descriptor& output, std::string& text, bool& truncated) {
  std::array<char, 16 * 1024> buffer{};
  while (auto bytes = co_await drain.read(output, asio::buffer(buffer))) {
    auto room = kMaxBufferedOutput - text.size();
    text.append(buffer.data(), std::min(bytes, room));
    truncated = truncated || bytes > room;
  }
  drain.outputEnded();
}

/// Ends when the client closes its side or sends unexpected data.
awaitable<void> clientGone(net::Stream& stream) {
  std::array<char, 1> byte{};
  co_await stream.readSome(asio::buffer(byte));
}

/// Ends when the command's result is no longer needed.
awaitable<void> unwanted(net::Stream& stream, async::Notifier& notified) {
  auto held = [](async::Notifier& notifier) -> awaitable<void> { co_await notifier.wait(0, Deadline::never()); };
  co_await async::race(clientGone(stream), held(notified));
}

boost::json::object toResponse(const BufferedResult& run) {
  return {{"exitCode", run.result.exitCode},
          {"stdout", toValidUtf8(run.result.stdoutText)},
          {"stderr", toValidUtf8(run.result.stderrText)},
          {"truncated", run.result.truncated},
          {"timedOut", run.timedOut}};
}

}  // namespace

awaitable<BufferedResult> runBuffered(ExecContext& context, ExecSpec spec) {
  co_await context.whenThawed();
  BufferedResult run;
  auto started = startExec(context, spec);
  if (!started) {
    run.result.exitCode = started.error().exitCode;
    run.result.stderrText = started.error().message + "\n";
    co_return run;
  }
  ExecProcess& process = **started;
  OutputDrain drain(process);
  async::TaskGroup tasks(context.executor);
  tasks.spawn(writeInput(process, spec.stdinText));
  tasks.spawn(collect(drain, process.output, run.result.stdoutText, run.result.truncated));
  tasks.spawn(collect(drain, process.error, run.result.stderrText, run.result.truncated));
  std::exception_ptr cancelled;
  try {
    auto limit = spec.timeout.count() > 0 ? Deadline::after(spec.timeout) : Deadline::never();
    co_await async::withDeadline(drain.closeWhenDone(), limit, "The command timed out.");
    run.result.exitCode = process.child->exitCode();
  } catch (const Error&) {
    process.child->signalGroup(SIGKILL);
    run.timedOut = true;
    run.result.exitCode = kTimedOutExitCode;
  } catch (const boost::system::system_error&) {
    cancelled = std::current_exception();
  }
  // The tasks use objects in this frame: they must have ended, cancelled or not.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (cancelled) {
    co_await hangUp(context, process.child, kHangUpGrace);
    co_await drain.closeWhenDone();
  }
  process.closeAll();
  co_await tasks.wait();
  if (cancelled) std::rethrow_exception(cancelled);
  co_return run;
}

awaitable<void> handleExecPost(ExecContext& context, Activity& activity, Hold& hold, net::Exchange& exchange) {
  Guest guest(hold);
  ExecSpec spec = readExecSpec(parseJson(co_await net::readAll(exchange.body(), kMaxExecRequest)), ExecForm::Buffered);
  if (guest.notified()) co_return co_await respondReason(exchange, 503, guest.reason());
  Activity::Connection connection(activity);
  activity.touch();
  async::Notifier notified;
  guest.whenNotified([&notified] { notified.notifyAll(); });
  std::optional<BufferedResult> run;
  auto work = [](ExecContext& where, ExecSpec what, std::optional<BufferedResult>& result) -> awaitable<void> {
    result = co_await runBuffered(where, std::move(what));
  };
  co_await async::race(work(context, std::move(spec), run), unwanted(exchange.stream(), notified));
  activity.touch();
  // Data that the client sent during the command was discarded, so the connection serves no other request.
  if (guest.notified())
    co_await respondJson(exchange, 503, boost::json::object{{"reason", guest.reason()}}, Connection::Close);
  else if (run)
    co_await respondJson(exchange, 200, toResponse(*run), Connection::Close);
  else
    exchange.takeStream()->close();
}

}  // namespace swarm::agent
