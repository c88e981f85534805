// Packs: content of many files together, hashed and perhaps compressed.
#pragma once

#include <zstd.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string_view>

#include "transfer/core.h"

namespace swarm::transfer {

/// Decides how hard to compress, from what is the bottleneck: only waiting for the connection makes it worth the while. Pure.
class CompressionChoice {
 public:
  /// `waited`: for the connection, since the last pack, of `elapsed`.
  void observe(std::chrono::nanoseconds waited, std::chrono::nanoseconds elapsed);
  int level();  ///< for the next pack; 0: none
  void result(std::size_t raw, std::size_t compressed);

 private:
  int level_ = 0;
  int skip_ = 0;      ///< packs that are not even tried
  int patience_ = 0;  ///< grows while content does not shrink
  double pressure_ = 0;
};

/// The source's end of the pack window. For one thread.
class PackSender {
 public:
  explicit PackSender(Core& core);

  /// Room for `length` bytes (at most kMaxPackRaw), to be filled and then given to data(), or not.
  char* room(std::size_t length);
  /// The next `length` bytes of the room are content of a file at `offset`.
  void data(std::uint64_t unit, std::uint64_t index, std::int64_t offset, std::size_t length);
  void hole(std::uint64_t unit, std::uint64_t index, std::int64_t offset, std::int64_t length);
  /// A file ends: it counts as done, with `bytes`, once the target has acknowledged it.
  void end(std::uint64_t unit, std::uint64_t index, const Facts& facts, std::int64_t bytes);
  void gone(std::uint64_t unit, std::uint64_t index, std::int64_t bytes);
  void flush();
  void takeAcks();  ///< those that are there
  void finish();    ///< flushes, and waits until all is acknowledged
  bool hasUnsent() const { return !segments_.empty(); }

 private:
  struct InFlight {
    std::uint64_t sequence;
    std::int64_t files;
    std::int64_t bytes;
  };
  void add(Segment segment);
  void takeAck();
  std::string compress(int level);

  Core& core_;
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

/// The target's: the raw content of a pack, checked. `buffer` is kept from one to the next.
std::string_view unpack(const PackHead& head, std::string_view body, std::string& buffer);

}  // namespace swarm::transfer
