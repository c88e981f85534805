// Checker: validates a request against Fly's OpenAPI document and the documented extras; the emulator's strict mode.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::emulator::openapi {

/// A received request. Views: they must live as long as the call.
struct RequestFacts {
  std::string_view method;
  std::string_view path;         ///< as sent, percent-encoded, without the query: "/v1/apps/a1/machines"
  std::string_view query;        ///< without "?"; empty: none
  std::string_view contentType;  ///< empty: none
  std::string_view body;         ///< empty: none
};

enum class Location { Path, Query, ContentType, Body };

struct Finding {
  Location location = Location::Path;
  /// RFC 6901. In the body for Location::Body ("" is all of it, "/config/guest/cpus"), "/NAME" of the parameter for Location::Query, else
  /// empty.
  std::string pointer;
  std::string message;  ///< a sentence that also contains the location
};

/// All violations, at most 20 findings; empty when Fly's document allows the request. An unknown path or method is the only finding.
/// Headers, and ranges that the document states in prose only, are not checked. Thread-safe.
std::vector<Finding> check(const RequestFacts& request);

/// The findings' sentences, concatenated.
std::string describe(const std::vector<Finding>& findings);

/// check() with the signature of the emulator's strict mode (EmulatorOptions::strictCheck): sentences, or empty.
std::optional<std::string> findViolation(std::string_view method, std::string_view path, std::string_view query,
                                         std::string_view content_type, std::string_view body);

}  // namespace swarm::emulator::openapi
