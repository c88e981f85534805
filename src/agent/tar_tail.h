// TarTail: holds the end of a tar stream back, so that a last member can be put in before the mark at its end.
#pragma once

#include <string>
#include <string_view>

namespace swarm::agent {

/// The stream's last member must be an empty file `placeholder` with a header of one block. Pure.
class TarTail {
 public:
  explicit TarTail(std::string placeholder) : placeholder_(std::move(placeholder)) {}
  /// Appends to `out` what can't belong to the end.
  void feed(std::string_view bytes, std::string& out);
  /// The end, with `member` in the placeholder's place. Throws Error(Internal) when the stream did not end as it should.
  std::string finish(std::string_view member) const;

 private:
  std::string placeholder_;
  std::string held_;
};

/// tar's records: what it pads its end to.
inline constexpr int kTarRecordBlocks = 128;

}  // namespace swarm::agent
