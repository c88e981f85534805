// Unzip: a Zstandard stream, piece by piece.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace swarm::agent {

class Unzip {
 public:
  Unzip();
  ~Unzip();
  Unzip(const Unzip&) = delete;
  Unzip& operator=(const Unzip&) = delete;
  /// Takes some of `bytes` and appends what it holds, at most about a quarter of a MiB at once; gives how many bytes were taken. Throws
  /// Error(Unprocessable) for what is no Zstandard.
  std::size_t feed(std::string_view bytes, std::string& out);
  bool hasMore() const { return has_more_; }              ///< to be asked for with no further bytes
  bool betweenFrames() const { return between_frames_; }  ///< the last frame is whole

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  bool between_frames_ = false;
  bool has_more_ = false;
};

}  // namespace swarm::agent
