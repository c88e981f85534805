// Checker: what is wrong with a request according to Fly's OpenAPI document and the documented extras; the emulator's strict mode.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarm::emulator::openapi {

/// A request as it came. Views: they need to live as long as the call.
struct RequestFacts {
  std::string_view method;
  std::string_view path;         ///< as sent, percent-encoded, without the query: "/v1/apps/a1/machines"
  std::string_view query;        ///< without "?"; empty: none
  std::string_view contentType;  ///< empty: none
  std::string_view body;         ///< empty: none
};

enum class Place { Route, Query, ContentType, Body };

struct Finding {
  Place place = Place::Route;
  /// RFC 6901. In the body for Place::Body ("" is all of it, "/config/guest/cpus"), "/NAME" of the parameter for Place::Query, else empty.
  std::string pointer;
  std::string message;  ///< a sentence that names the place, too
};

/// All that is wrong, at most 20 findings; empty when Fly's document allows the request. An unknown path or method is the only finding.
/// Headers, and ranges that the document has in prose only, are not checked. Thread-safe.
std::vector<Finding> check(const RequestFacts& request);

/// Whether an answer's body has the types that the document's response schema of this status asks for. Unknown properties and null are
/// fine. Nothing to say about statuses that the document lacks. Thread-safe.
std::vector<Finding> checkAnswer(const RequestFacts& request, int status, std::string_view body);

/// The findings' sentences, one after the other.
std::string describe(const std::vector<Finding>& findings);

/// check() in the shape that the emulator's strict mode takes (EmulatorOptions::strictCheck): sentences, or nothing.
std::optional<std::string> findViolation(std::string_view method, std::string_view path, std::string_view query,
                                         std::string_view content_type, std::string_view body);

}  // namespace swarm::emulator::openapi
