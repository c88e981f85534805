// Bytes between agents pass through one buffer; only frames for the server are decoded.
#include "transfer/rounds/relay.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cstring>

#include "async/deadline.h"
#include "base/text/format.h"
#include "base/token_bucket.h"

namespace swarm::transfer {
namespace {

constexpr std::size_t kBuffer = 256 * 1024;
/// Agents send their progress every 200 ms, and a loaded machine delivers several at once. Each report is work for the control loop, which
/// all users share.
constexpr double kReportsPerSecond = 20;
constexpr double kReportBurst = 20;

/// Any program may pose as an agent: its errors describe its workspace, never the caller (401 would sign the user out).
ErrorCode failureCodeOf(std::string_view said) {
  using enum ErrorCode;
  constexpr std::array passed_on{Conflict, Unprocessable, Internal, Unavailable, DeadlineExceeded, OutOfResources};
  const ErrorCode code = errorCodeFromString(said).value_or(UpstreamFailed);
  return std::ranges::find(passed_on, code) != passed_on.end() ? code : UpstreamFailed;
}

class Listener {
 public:
  Listener(Relay& relay, std::size_t peer) : relay_(relay), peer_(peer), buffer_(std::make_unique_for_overwrite<char[]>(kBuffer)) {}

  awaitable<void> run() {
    while (co_await readMore(buffer_.get() + end_, kBuffer - end_, end_)) {
      if (!co_await consume()) co_return;
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
  }

 private:
  awaitable<bool> readMore(char* out, std::size_t length, std::size_t& filled) {
    stayPatient();
    const net::IoResult got = co_await relay_.peers[peer_].stream->readSome(boost::asio::buffer(out, length));
    if (got.error && relay_.closing) {
      relay_.peers[peer_].ended = true;
      if (!relay_.peers[peer_].result) relay_.peers[peer_].result.emplace();
      relay_.changed.notifyAll();
      co_return false;
    }
    if (got.error) {
      relay_.fail(lostConnection(peer_, got.error));
      co_return false;
    }
    filled += got.bytes;
    co_return true;
  }

  Error lostConnection(std::size_t peer, const boost::system::error_code& error) const {
    const bool silent = error == boost::asio::error::timed_out;
    return Error(ErrorCode::Unavailable,
                 format("The connection to the {} of the move {}.", relay_.name(peer), silent ? "has gone silent" : "was lost"))
        .withCause(error.message());
  }

  void stayPatient() { relay_.peers[peer_].stream->setDeadline(std::chrono::steady_clock::now() + relay_.options.silence); }

  /// Processes the buffer. Adjacent bytes to be relayed are written in one piece.
  awaitable<bool> consume() {
    std::size_t pass = begin_;  // relayed up to here
    while (begin_ < end_) {
      if (left_ > 0) {
        const std::size_t some = std::min(left_, end_ - begin_);
        begin_ += some;
        left_ -= some;
        continue;
      }
      if (end_ - begin_ < kHeaderBytes) break;
      const FrameHeader header = parseHeader({buffer_.get() + begin_, kHeaderBytes});
      if (isRelayed(header.kind)) {
        if (!relay_.relaying) brokenPeer("content outside of a round");
        begin_ += kHeaderBytes;
        left_ = header.length;
        continue;
      }
      if (!co_await passOn(pass, begin_)) co_return false;
      begin_ += kHeaderBytes;
      std::string payload(header.length, '\0');
      std::size_t filled = std::min(header.length, end_ - begin_);
      std::memcpy(payload.data(), buffer_.get() + begin_, filled);
      begin_ += filled;
      while (filled < payload.size()) {
        if (!co_await readMore(payload.data() + filled, payload.size() - filled, filled)) co_return false;
      }
      co_await handle(static_cast<Kind>(header.kind), std::move(payload));
      pass = begin_;
    }
    co_return co_await passOn(pass, begin_);
  }

  awaitable<bool> passOn(std::size_t from, std::size_t to) {
    net::Stream* other = relay_.peers[1 - peer_].stream.get();
    const std::int64_t limit = peer_ == 0 ? relay_.options.bytesPerSecond : 0;
    const std::size_t piece = limit > 0 ? static_cast<std::size_t>(std::clamp<std::int64_t>(limit / 20, 1024, kBuffer)) : kBuffer;
    while (from < to) {
      if (relay_.failure || !other) co_return false;
      const std::size_t some = std::min(piece, to - from);
      if (limit > 0) co_await waitForTurn(some, limit);
      // Nothing is read during this time, so it must not count as silence.
      stayPatient();
      const net::IoResult put = co_await other->writeAll(std::string_view(buffer_.get() + from, some));
      if (put.error) {
        relay_.fail(lostConnection(1 - peer_, put.error));
        co_return false;
      }
      from += some;
      if (peer_ == 0) relay_.relayed += static_cast<std::int64_t>(some);
    }
    co_return true;
  }

  awaitable<void> waitForTurn(std::size_t bytes, std::int64_t limit) {
    const SteadyTime now = std::chrono::steady_clock::now();
    relay_.free_at = std::max(relay_.free_at, now) +
                     std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(limit)));
    if (relay_.free_at > now) co_await async::sleepUntil(Deadline::at(relay_.free_at));
  }

  awaitable<void> handle(Kind kind, std::string payload) {
    Peer& peer = relay_.peers[peer_];
    switch (kind) {
      case Kind::Progress:
        peer.progress = decode<TransferProgress>(payload);
        if (const SteadyTime now = std::chrono::steady_clock::now(); reports_.waitTime(now) == std::chrono::nanoseconds::zero()) {
          reports_.take(now);
          relay_.reportProgress();
        }
        break;
      case Kind::Result:
        if (peer.result) brokenPeer("an unsolicited response");
        peer.result = std::move(payload);
        relay_.changed.notifyAll();
        break;
      case Kind::Failed: {
        const auto failure = decode<Failure>(payload);
        relay_.fail(Error(failureCodeOf(failure.code), failure.message));
        break;
      }
      case Kind::ManifestLines:
        // Reading stops until these are taken: memory is bounded.
        while (!peer.lines.empty() && !relay_.failure) co_await relay_.changed.wait(relay_.changed.version(), Deadline::never());
        peer.lines.push_back(decode<std::vector<ManifestLine>>(payload));
        relay_.changed.notifyAll();
        break;
      default:
        brokenPeer("a command sent to the server");
    }
  }

  Relay& relay_;
  std::size_t peer_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t left_ = 0;  ///< bytes of a frame still to be relayed
  TokenBucket reports_{kReportsPerSecond, kReportBurst};
};

}  // namespace

void Relay::fail(Error error) {
  if (!failure) failure = std::move(error);
  shut();
}

void Relay::shut() {
  if (!failure) failure = Error(ErrorCode::Cancelled, "The move's link was closed.");
  for (Peer& peer : peers) {
    if (peer.stream) peer.stream->close();
  }
  sink = {};
  changed.notifyAll();
}

void Relay::reportProgress() {
  if (!sink) return;
  TransferProgress all;
  for (const Peer& peer : peers) {
    all.filesDone += peer.progress.filesDone;
    all.bytesDone += peer.progress.bytesDone;
  }
  all.bytesSent = relayed;
  // The sink may end the command that it belongs to.
  const ProgressSink now = sink;
  now(all);
}

awaitable<void> listenTo(std::shared_ptr<Relay> relay, std::size_t peer) {
  try {
    co_await Listener(*relay, peer).run();
  } catch (...) {
    relay->fail(currentExceptionAsError());
  }
}

awaitable<void> sendCommand(Relay& relay, std::size_t peer, Kind kind, std::string payload) {
  if (relay.failure) throw *relay.failure;
  Peer& to = relay.peers[peer];
  if (!to.stream) throw Error(ErrorCode::Internal, format("The link has no {}.", relay.name(peer)));
  to.result.reset();
  to.progress = {};
  std::vector<Frame> frames(1);
  frames[0] = {kind, std::move(payload), {}};
  if (!co_await writeFrames(*to.stream, frames)) {
    relay.fail(Error(ErrorCode::Unavailable, format("The connection to the {} of the move was lost.", relay.name(peer))));
  }
  if (relay.failure) throw *relay.failure;
}

awaitable<std::string> awaitResult(Relay& relay, std::size_t peer) {
  Peer& from = relay.peers[peer];
  while (!from.result && !relay.failure) co_await relay.changed.wait(relay.changed.version(), Deadline::never());
  if (relay.failure) throw *relay.failure;
  std::string result = std::move(*from.result);
  from.result.reset();
  co_return result;
}

awaitable<std::vector<ManifestLine>> nextLines(Relay& relay, std::size_t peer) {
  Peer& from = relay.peers[peer];
  while (from.lines.empty() && !from.result && !relay.failure) {
    co_await relay.changed.wait(relay.changed.version(), Deadline::never());
  }
  if (relay.failure) throw *relay.failure;
  std::vector<ManifestLine> lines;
  if (!from.lines.empty()) {
    lines = std::move(from.lines.front());
    from.lines.pop_front();
    relay.changed.notifyAll();
  }
  co_return lines;
}

}  // namespace swarm::transfer
