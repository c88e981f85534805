// The Engine's stream formats: JSON lines, pull progress, and the frames that carry stdout and stderr in one stream. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace swarm::engine {

/// Cuts a stream into lines of at most kMaxLine bytes; a longer one is dropped.
class LineReader {
 public:
  static constexpr std::size_t kMaxLine = 256 * 1024;
  void add(std::string_view piece);
  std::optional<std::string> next();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what is still unread
  bool dropping_ = false;  ///< in a line that is too long
};

using PullReport = std::function<void(std::string text, std::int64_t bytes_done, std::int64_t bytes_total)>;

/// Sums the layers of a pull into one progress.
class PullProgress {
 public:
  void read(std::string_view line, const PullReport& report);
  const std::string& error() const { return error_; }  ///< empty: none so far

 private:
  struct Layer {
    std::int64_t done = 0;
    std::int64_t total = 0;
    bool complete = false;
  };
  static constexpr std::size_t kMaxLayers = 1000;
  std::map<std::string, Layer> layers_;
  std::string error_;
};

/// Splits the multiplexed stream of exec, attach and logs: 8-byte headers {stream, 0, 0, 0, big-endian size}.
class FrameReader {
 public:
  struct Frame {
    int stream = 1;  ///< 0 stdin, 1 stdout, 2 stderr
    std::string data;
  };
  void add(std::string_view piece);
  /// The next whole frame, or what has arrived of it (a frame may be larger than the memory for it).
  std::optional<Frame> next();
  bool broken() const { return broken_; }  ///< the bytes are not such a stream

 private:
  std::string_view unread() const { return std::string_view(buffer_).substr(begin_); }

  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t left_ = 0;  ///< bytes of the frame begun
  int stream_ = 1;
  bool broken_ = false;
};

}  // namespace swarm::engine
