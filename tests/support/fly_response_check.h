// Holds responses of the emulator against Fly's OpenAPI document.
#pragma once

#include <boost/json/parse.hpp>

#include "base/text/format.h"
#include "emulator/openapi/document.h"
#include "emulator/openapi/schema_check.h"

namespace swarm::emulator::openapi {

/// Whether a response's body has the types of the document's response schema for this status. Unknown properties and null are accepted, as
/// are statuses that the document lacks.
inline std::vector<Finding> checkResponse(const RequestFacts& request, int status, std::string_view body) {
  const PathItem* item = findPath(request.path);
  const boost::json::object* operation = item ? findOperation(*item, request.method) : nullptr;
  const boost::json::value* response = operation ? operation->at("responses").as_object().if_contains(std::to_string(status)) : nullptr;
  const boost::json::value* content = response ? response->as_object().if_contains("content") : nullptr;
  const boost::json::value* media = content ? content->as_object().if_contains("application/json") : nullptr;
  if (!media) return {};
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(body, error);
  if (error) return {{Location::Body, "", format("The response is not JSON: {}.", error.message())}};
  std::vector<Finding> findings;
  checkValue(value, media->as_object().at("schema").as_object(), Reading::Open, "", findings);
  return findings;
}

}  // namespace swarm::emulator::openapi
