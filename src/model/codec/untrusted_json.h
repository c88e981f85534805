// JSON from a peer that may send anything: parsed as it arrives, and given up as soon as it is more than was expected.
#pragma once

#include <boost/json/value.hpp>
#include <memory>
#include <string_view>

namespace swarm {

/// What a response may cost: memory and time follow from these, not from what the sender does.
struct JsonLimits {
  std::size_t bytes = 16 * 1024;
  std::size_t values = 256;  ///< values of every kind, keys included
  std::size_t depth = 8;
  std::size_t string = SIZE_MAX;  ///< bytes of one string: what it has beyond them is dropped, and cut() says so
};

/// One document. Not thread-safe.
class UntrustedJson {
 public:
  explicit UntrustedJson(JsonLimits limits, boost::json::storage_ptr storage = {});  ///< `storage`: of the value
  ~UntrustedJson();

  /// Throws Error(UpstreamFailed) with a reason ("it has more than 16384 bytes") when it is not JSON or exceeds a limit.
  void add(std::string_view piece);
  boost::json::value finish();
  bool cut() const;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// parseJson() (codec.h) within `limits`, of which only values and depth count.
boost::json::value parseJson(std::string_view text, std::string_view what, const JsonLimits& limits);

}  // namespace swarm
