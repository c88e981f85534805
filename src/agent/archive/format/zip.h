// Zip: compresses bytes into one Zstandard frame with a checksum of its content.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace swarm::agent {

/// Receives bytes in order. An exception aborts the work.
using ByteSink = std::function<void(std::string_view)>;

class Zip {
 public:
  explicit Zip(ByteSink sink);
  ~Zip();
  Zip(const Zip&) = delete;
  Zip& operator=(const Zip&) = delete;
  void write(std::string_view bytes);
  void finish();  ///< without it the frame has no end, and readers reject it as incomplete

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace swarm::agent
