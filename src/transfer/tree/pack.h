// Packs: content of many files together, hashed and optionally compressed.
#pragma once

#include <zstd.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string_view>

#include "transfer/rounds/session_state.h"

namespace swarm::transfer {

/// Chooses the compression level by the bottleneck: compression pays only while the connection is the bottleneck. Pure.
class CompressionChoice {
 public:
  /// `waited`: time spent waiting for the connection since the last pack, out of `elapsed`.
  void observe(std::chrono::nanoseconds waited, std::chrono::nanoseconds elapsed);
  int level();  ///< for the next pack; 0: no compression
  void result(std::size_t raw, std::size_t compressed);

 private:
  int level_ = 0;
  int skip_ = 0;      ///< packs to send without an attempt
  int patience_ = 0;  ///< grows while content is incompressible
  double pressure_ = 0;
};

/// The source's end of the pack window. For one thread.
class PackSender {
 public:
  explicit PackSender(SessionState& session);

  /// Room for `length` bytes (at most kMaxPackRaw), to be filled and then added as Data, or discarded.
  char* room(std::size_t length);
  /// Data: the next bytes of the room are content of the file. End, Gone: the file counts as done, with `bytes`, once the target has
  /// acknowledged it.
  void add(Segment segment, std::int64_t bytes = 0);
  void flush();
  void takeAcks();  ///< processes acknowledgements that have arrived
  void finish();    ///< flushes, and waits until everything is acknowledged
  bool hasUnsent() const { return !segments_.empty(); }

 private:
  struct InFlight {
    std::uint64_t sequence;
    std::int64_t files;
    std::int64_t bytes;
  };
  void takeAck();
  std::string compress(int level);

  SessionState& session_;
  std::string raw_;
  std::size_t used_ = 0;
  std::vector<Segment> segments_;
  InFlight current_{1, 0, 0};
  std::deque<InFlight> in_flight_;
  CompressionChoice choice_;
  std::unique_ptr<ZSTD_CCtx, decltype([](ZSTD_CCtx* context) { ::ZSTD_freeCCtx(context); })> context_;
  std::chrono::nanoseconds waited_{0};
  std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
};

/// The target's side: the raw content of a pack, verified. `buffer` is reused from pack to pack.
std::string_view unpack(const PackHead& head, std::string_view body, std::string& buffer);

}  // namespace swarm::transfer
