// A session: the loop moves bytes between the connection and two queues; a thread executes the commands.
#include "transfer/rounds/session.h"

#include <pthread.h>

#include <boost/asio/this_coro.hpp>
#include <optional>
#include <thread>

#include "async/deadline.h"
#include "async/io_wait.h"
#include "base/diagnostics/log.h"
#include "base/error.h"
#include "transfer/rounds/session_state.h"
#include "transfer/wire/frame_stream.h"

namespace swarm::transfer {

void runBoth(SessionState& session, const std::function<void()>& here, const std::function<void()>& beside) {
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&](const std::function<void()>& work) {
    try {
      work();
    } catch (const Stopped&) {
      session.abort();
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
      session.abort();
    }
  };
  std::thread thread([&] {
    ::pthread_setname_np(::pthread_self(), "transfer-list");
    run(beside);
  });
  run(here);
  thread.join();
  if (failure) std::rethrow_exception(failure);
  session.stop.check();
}

namespace {

using std::chrono::milliseconds;
constexpr milliseconds kProgressEvery{200};
constexpr std::chrono::seconds kKeepAlive{10};

void syncStorages(SessionState& session) {
  for (const Storage& storage : session.storages) {
    session.stop.check();
    if (::syncfs(storage.top.get()) != 0) failAt("write to the disk of", readable(storage.mountPath), errno);
  }
}

void greet(SessionState& session, const Hello& hello) {
  if (hello.isSource != (session.options.role == Role::Source)) brokenPeer("it confuses source and target");
  session.storages = openStorages(hello.scope, session.options.root);
  // Default until the capability is known: the first release excluded every entry with this name.
  for (Storage& storage : session.storages) storage.leavesLostAndFound = true;
  session.greeted = true;
}

void meet(SessionState& session, std::uint64_t other) {
  session.other = other;
  for (Storage& storage : session.storages) storage.leavesLostAndFound = other < 2;
}

/// Executes one command and sends its response. False for Bye.
bool serve(SessionState& session, const Arrived& command) {
  const bool source = session.options.role == Role::Source;
  session.counters.reset();
  if (!session.greeted && command.kind != Kind::Hello && command.kind != Kind::Bye) brokenPeer("a command before Hello");
  std::string result;
  switch (command.kind) {
    case Kind::Hello:
      greet(session, decode<Hello>(command.payload));
      result = encodeCapability(kCapability);
      break;
    case Kind::Scan:
      result = encode(scanStorages(session.storages, session.counters.files, session.counters.bytes, session.stop));
      break;
    case Kind::Round: {
      const auto round = decode<RoundCommand>(command.payload);
      result = encode(source ? runSourceRound(session, round.kind) : runTargetRound(session));
      break;
    }
    case Kind::Digest:
      result = encode(runDigest(session, decode<DigestCommand>(command.payload).held));
      break;
    case Kind::Manifest:
      runManifest(session, decode<DigestCommand>(command.payload).held);
      break;
    case Kind::Sync:
      syncStorages(session);
      break;
    case Kind::Other:
      meet(session, decodeCapability(command.payload));
      break;
    case Kind::Bye:
      return false;
    default:
      brokenPeer("an unknown command");
  }
  session.outbox.push({Kind::Result, std::move(result), {}});
  return true;
}

Frame failedFrame(const Error& error) { return {Kind::Failed, encode(Failure{std::string(toString(error.code())), error.message()}), {}}; }

void serveAll(SessionState& session) {
  try {
    while (serve(session, session.inbox.take(Inbox::Commands))) {
    }
    session.outbox.pushLast({Kind::Result, {}, {}});
  } catch (const Stopped&) {
  } catch (...) {
    const Error error = currentExceptionAsError();
    log::warning("transfer failed", {{"error", error.message()}, {"cause", error.cause()}});
    session.abort();
    session.outbox.pushLast(failedFrame(error));
  }
}

/// The session's thread; joined however this object is destroyed.
class Server {
 public:
  Server(SessionState& session, std::shared_ptr<LoopWake> wake)
      : session_(session), wake_(std::move(wake)), thread_([this] {
          ::pthread_setname_np(::pthread_self(), "transfer");
          serveAll(session_);
          ended_ = true;
          wake_->signal();
        }) {}
  ~Server() {
    session_.abort();
    if (thread_.joinable()) thread_.join();
    wake_->disarm();
  }
  bool ended() const { return ended_; }

 private:
  SessionState& session_;
  std::shared_ptr<LoopWake> wake_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

awaitable<void> receive(net::Stream& stream, SessionState& session) {
  FrameReader reader(stream, &session.buffers);
  try {
    for (;;) {
      auto frame = co_await reader.next();
      if (!frame) break;
      session.inbox.push(std::move(*frame));
    }
  } catch (const Error& error) {
    log::warning("transfer connection was abandoned", {{"error", error.message()}});
  }
}

Frame progressFrame(const SessionState& session) {
  return {Kind::Progress, encode(TransferProgress{session.counters.files, session.counters.bytes, 0}), {}};
}

/// Sends the threads' frames, progress, and a sign of life every ten seconds.
awaitable<void> send(net::Stream& stream, SessionState& session, LoopWake& wake) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  // The first completed file is reported at once, so that the server sees progress even on a connection that is soon lost.
  auto reported = std::chrono::steady_clock::now() - kProgressEvery;
  std::int64_t reported_files = 0;
  std::int64_t reported_bytes = 0;
  for (;;) {
    std::vector<Frame> frames = session.outbox.take();
    const auto now = std::chrono::steady_clock::now();
    const bool changed = reported_files != session.counters.files || reported_bytes != session.counters.bytes;
    if (!session.outbox.finished() && now - reported >= (changed ? milliseconds(kProgressEvery) : milliseconds(kKeepAlive))) {
      reported = now;
      reported_files = session.counters.files;
      reported_bytes = session.counters.bytes;
      frames.insert(frames.begin(), progressFrame(session));
    }
    if (frames.empty()) {
      if (session.outbox.finished()) co_return;
      // Counters change without a notification: poll them five times a second.
      wake.timer.expires_after(kProgressEvery);
      co_await async::waitTimer(wake.timer);
    } else {
      if (!co_await writeFrames(stream, frames)) co_return;
      for (Frame& frame : frames) session.buffers.give(std::move(frame.body));
    }
    const boost::asio::cancellation_state state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
  }
}

}  // namespace

awaitable<void> runSession(net::StreamPtr stream, SessionOptions options) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto wake = std::make_shared<LoopWake>(co_await boost::asio::this_coro::executor);
  SessionState session(wake, std::move(options));
  std::optional<Server> started;
  std::optional<Error> failure;
  try {
    started.emplace(session, wake);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure) {  // no thread can be created: report the reason to the server
    co_await writeFrames(*stream, {failedFrame(*failure)});
    stream->close();
    co_return;
  }
  Server& server = *started;
  co_await async::race(receive(*stream, session), send(*stream, session, *wake));
  stream->close();
  session.abort();
  while (!server.ended()) {
    wake->timer.expires_at(SteadyTime::max());
    co_await async::waitTimer(wake->timer);
  }
}

}  // namespace swarm::transfer
