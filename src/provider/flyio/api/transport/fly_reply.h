// Responses of Fly's REST API, and what they mean for the request: performed, refused, or unknown.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>

#include "provider/flyio/api/fly_errors.h"

namespace swarm::flyio {

namespace json = boost::json;

struct FlyReply {
  int status = 0;  ///< 0: the connection failed or timed out after the request was sent
  std::string body;
  std::string requestId;
  std::string trouble;     ///< why status is 0
  json::value document{};  ///< the body's; null if it is not JSON
  bool ok() const { return status >= 200 && status <= 299; }
  /// Fly reports that the named thing does not exist; not an unknown path or a proxy's page (§1, "Unrouted path").
  bool isAbsent() const;
  /// The request may have been performed: no response, 408, or an error of the platform that does not refuse it.
  bool isFateOpen() const;
  /// A successful response without its complete body: its content is unknown.
  bool isCut() const { return ok() && status != 202 && status != 204 && document.is_null() && !body.starts_with("null"); }
  FlyFault fault() const;
};

/// Why a call has no result.
class FlyFailure {
 public:
  /// `doing`: "create the app x".
  FlyFailure(const FlyReply& reply, std::string doing, std::string base_url);
  const FlyFault& fault() const { return fault_; }
  Shortage shortage() const { return shortageOf(fault_); }
  bool isAbsent() const { return is_absent_; }       ///< what the call names does not exist
  bool isFateOpen() const { return is_fate_open_; }  ///< the call may have taken effect
  bool isTemporary() const { return flyio::isTemporary(fault_); }
  /// `detail` is added to what was being done: " to IMAGE".
  Error error(std::string_view detail = {}) const;

 private:
  FlyFault fault_;
  std::string doing_;
  std::string base_url_;
  bool is_absent_;
  bool is_fate_open_;
  bool is_cut_;
};

template <typename T>
using FlyResult = std::expected<T, FlyFailure>;

}  // namespace swarm::flyio
