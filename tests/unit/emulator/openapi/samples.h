// Valid requests generated from Fly's document, read here without the code under test.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <vector>

namespace swarm::test {

/// One operation of the raw document.
struct Operation {
  std::string method;  ///< upper case
  std::string route;   ///< "/v1/apps/{app_name}"
  boost::json::object tree;
  std::string name() const { return method + " " + route; }
};
std::vector<Operation> allOperations();

/// A request with every path segment filled, every query parameter given and every property of the body present, to any depth.
struct Sample {
  std::string method, path, query, contentType;
  boost::json::value body;
  bool hasBody = false;
  std::string bodyText() const;
};
Sample sampleOf(const Operation& operation);

/// The schema of the operation's request body with references resolved at its top, or null.
const boost::json::object* bodySchema(const Operation& operation);
/// Follows $ref and allOf.
const boost::json::object& resolved(const boost::json::object& schema);

/// Replaces or adds the value at the pointer; its parent must exist.
void setAt(boost::json::value& tree, const std::string& pointer, boost::json::value value);

/// Calls `visit(schema, pointer)` for every node of a body that sampleOf() creates, the body itself first.
void walkBody(const boost::json::object& schema, const std::string& pointer,
              const std::function<void(const boost::json::object& schema, const std::string& pointer)>& visit);

}  // namespace swarm::test
