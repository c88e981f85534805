// Unzip: decompresses a Zstandard stream piece by piece.
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
  /// Consumes some of `bytes` and appends the decompressed data, at most about 256 KiB per call; returns the number of bytes consumed.
  /// Throws Error(Unprocessable) if the input is not Zstandard.
  std::size_t feed(std::string_view bytes, std::string& out);
  bool hasMore() const { return has_more_; }              ///< call again without further input
  bool betweenFrames() const { return between_frames_; }  ///< the last frame is complete

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  bool between_frames_ = false;
  bool has_more_ = false;
};

}  // namespace swarm::agent
