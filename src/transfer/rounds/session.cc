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
#include "transfer/rounds/core.h"
#include "transfer/wire/frame_stream.h"

namespace swarm::transfer {

void runBoth(Core& core, const std::function<void()>& here, const std::function<void()>& beside) {
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&](const std::function<void()>& work) {
    try {
      work();
    } catch (const Stopped&) {
      core.abort();
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
      core.abort();
    }
  };
  std::thread thread([&] {
    ::pthread_setname_np(::pthread_self(), "transfer-list");
    run(beside);
  });
  run(here);
  thread.join();
  if (failure) std::rethrow_exception(failure);
  core.stop.check();
}

namespace {

using std::chrono::milliseconds;
constexpr milliseconds kProgressEvery{200};
constexpr std::chrono::seconds kKeepAlive{10};

void syncStorages(Core& core) {
  for (const Storage& storage : core.storages) {
    core.stop.check();
    if (::syncfs(storage.top.get()) != 0) failAt("write to the disk of", readable(storage.mountPath), errno);
  }
}

void greet(Core& core, const Hello& hello) {
  if (hello.isSource != (core.options.role == Role::Source)) brokenPeer("it confuses source and target");
  core.storages = openStorages(hello.scope, core.options.root);
  // Default until the capability is known: the first release excluded every entry with this name.
  for (Storage& storage : core.storages) storage.leavesLostAndFound = true;
  core.greeted = true;
}

void meet(Core& core, std::uint64_t other) {
  core.other = other;
  for (Storage& storage : core.storages) storage.leavesLostAndFound = other < 2;
}

/// Executes one command and sends its response. False for Bye.
bool serve(Core& core, const Arrived& command) {
  const bool source = core.options.role == Role::Source;
  core.counters.reset();
  if (!core.greeted && command.kind != Kind::Hello && command.kind != Kind::Bye) brokenPeer("a command before Hello");
  std::string result;
  switch (command.kind) {
    case Kind::Hello:
      greet(core, decode<Hello>(command.payload));
      result = encodeCapability(kCapability);
      break;
    case Kind::Scan:
      result = encode(scanStorages(core.storages, core.counters.files, core.counters.bytes, core.stop));
      break;
    case Kind::Round: {
      const auto round = decode<RoundCommand>(command.payload);
      result = encode(source ? runSourceRound(core, round.kind) : runTargetRound(core));
      break;
    }
    case Kind::Digest:
      result = encode(runDigest(core, decode<DigestCommand>(command.payload).held));
      break;
    case Kind::Manifest:
      runManifest(core, decode<DigestCommand>(command.payload).held);
      break;
    case Kind::Sync:
      syncStorages(core);
      break;
    case Kind::Other:
      meet(core, decodeCapability(command.payload));
      break;
    case Kind::Bye:
      return false;
    default:
      brokenPeer("an unknown command");
  }
  core.outbox.push({Kind::Result, std::move(result), {}});
  return true;
}

Frame failedFrame(const Error& error) { return {Kind::Failed, encode(Failure{std::string(toString(error.code())), error.message()}), {}}; }

void serveAll(Core& core) {
  try {
    while (serve(core, core.inbox.take(Inbox::Commands))) {
    }
    core.outbox.pushLast({Kind::Result, {}, {}});
  } catch (const Stopped&) {
  } catch (...) {
    const Error error = currentExceptionAsError();
    log::warning("transfer failed", {{"error", error.message()}, {"cause", error.cause()}});
    core.abort();
    core.outbox.pushLast(failedFrame(error));
  }
}

/// The session's thread; joined however this object is destroyed.
class Server {
 public:
  Server(Core& core, std::shared_ptr<LoopWake> wake)
      : core_(core), wake_(std::move(wake)), thread_([this] {
          ::pthread_setname_np(::pthread_self(), "transfer");
          serveAll(core_);
          ended_ = true;
          wake_->signal();
        }) {}
  ~Server() {
    core_.abort();
    if (thread_.joinable()) thread_.join();
    wake_->disarm();
  }
  bool ended() const { return ended_; }

 private:
  Core& core_;
  std::shared_ptr<LoopWake> wake_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

awaitable<void> receive(net::Stream& stream, Core& core) {
  FrameReader reader(stream, &core.buffers);
  try {
    for (;;) {
      auto frame = co_await reader.next();
      if (!frame) break;
      core.inbox.push(std::move(*frame));
    }
  } catch (const Error& error) {
    log::warning("transfer connection was abandoned", {{"error", error.message()}});
  }
}

Frame progressFrame(const Core& core) {
  return {Kind::Progress, encode(TransferProgress{core.counters.files, core.counters.bytes, 0}), {}};
}

/// Sends the threads' frames, progress, and a sign of life every ten seconds.
awaitable<void> send(net::Stream& stream, Core& core, LoopWake& wake) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  // The first completed file is reported at once, so that the server sees progress even on a connection that is soon lost.
  auto reported = std::chrono::steady_clock::now() - kProgressEvery;
  std::int64_t reported_files = 0;
  std::int64_t reported_bytes = 0;
  for (;;) {
    std::vector<Frame> frames = core.outbox.take();
    const auto now = std::chrono::steady_clock::now();
    const bool changed = reported_files != core.counters.files || reported_bytes != core.counters.bytes;
    if (!core.outbox.finished() && now - reported >= (changed ? milliseconds(kProgressEvery) : milliseconds(kKeepAlive))) {
      reported = now;
      reported_files = core.counters.files;
      reported_bytes = core.counters.bytes;
      frames.insert(frames.begin(), progressFrame(core));
    }
    if (frames.empty()) {
      if (core.outbox.finished()) co_return;
      // Counters change without a notification: poll them five times a second.
      wake.timer.expires_after(kProgressEvery);
      co_await async::waitTimer(wake.timer);
    } else {
      if (!co_await writeFrames(stream, frames)) co_return;
      for (Frame& frame : frames) core.buffers.give(std::move(frame.body));
    }
    const boost::asio::cancellation_state state = co_await boost::asio::this_coro::cancellation_state;
    if (state.cancelled() != boost::asio::cancellation_type::none) co_return;
  }
}

}  // namespace

awaitable<void> runSession(net::StreamPtr stream, SessionOptions options) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  auto wake = std::make_shared<LoopWake>(co_await boost::asio::this_coro::executor);
  Core core(wake, std::move(options));
  std::optional<Server> started;
  std::optional<Error> failure;
  try {
    started.emplace(core, wake);
  } catch (...) {
    failure = currentExceptionAsError();
  }
  if (failure) {  // no thread can be created: report the reason to the server
    co_await writeFrames(*stream, {failedFrame(*failure)});
    stream->close();
    co_return;
  }
  Server& server = *started;
  co_await async::race(receive(*stream, core), send(*stream, core, *wake));
  stream->close();
  core.abort();
  while (!server.ended()) {
    wake->timer.expires_at(SteadyTime::max());
    co_await async::waitTimer(wake->timer);
  }
}

}  // namespace swarm::transfer
