// Fly's responses: errors with bodies of every shape, classification, and advice for users (docs/reference/fly-machines.md §1, §12). Pure.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"

namespace swarm::flyio {

namespace json = boost::json;

/// The content of an error body. `code` is the body's "status" when it is one of the API's codes, else empty.
struct FlyFault {
  int status = 0;
  std::string text;
  std::string code;
  std::string requestId;
};

/// Takes {"error"}, {"message"}, lease envelopes, HTML, plain text and nothing; never throws.
FlyFault readFault(int status, std::string_view body, std::string request_id);

/// Where capacity is missing: on the Machine's host, on the volume's host, or in the whole region.
enum class Shortage { None, Host, VolumeHost, Region };
Shortage shortageOf(const FlyFault& fault);

bool isLeaseHeld(const FlyFault& fault);
bool isNameTaken(const FlyFault& fault);         ///< of an app
bool isMachineNameTaken(const FlyFault& fault);  ///< in its app
bool isNotRunning(const FlyFault& fault);        ///< a command needs a running Machine
/// The id in "machine ID <id> already exists with name", "volume is currently bound to machine: <id>"; empty without one.
std::string machineIdIn(std::string_view text);
/// A temporary 412: the Machine is still starting, stopping or being replaced, or its volume is still attached (E10 … E13, E25, E26).
bool isTemporary(const FlyFault& fault);

/// A 404 of the server for a path that the API does not have, or a proxy's page.
bool isUnroutedPath(std::string_view body);
/// The body of a response to a command that Fly's init refused without an error.
bool isRejectedCommand(std::string_view body);
/// The app has something, but lists nothing.
Error contradictoryLists(const std::string& app, std::string_view what);

/// "Fly could not <doing>: <text>", with advice where available. The upstream facts hold status and request id.
Error flyError(const FlyFault& fault, std::string_view doing);

/// A response of the API, and what it means for the request: performed, refused, or unknown.
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
  FlyFailure(FlyReply reply, std::string doing, std::string base_url)
      : reply_(std::move(reply)), fault_(reply_.fault()), doing_(std::move(doing)), base_url_(std::move(base_url)) {}
  const FlyFault& fault() const { return fault_; }
  Shortage shortage() const { return shortageOf(fault_); }
  bool isAbsent() const { return reply_.isAbsent(); }      ///< what the call names does not exist
  bool isFateOpen() const { return reply_.isFateOpen(); }  ///< the call may have taken effect
  bool isTemporary() const { return flyio::isTemporary(fault_); }
  /// `detail` is added to what was being done: " to IMAGE".
  Error error(std::string_view detail = {}) const;

 private:
  FlyReply reply_;
  FlyFault fault_;
  std::string doing_;
  std::string base_url_;
};

template <typename T>
using FlyResult = std::expected<T, FlyFailure>;

}  // namespace swarm::flyio
