// Indented JSON, and YAML of the same value.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace swarm::cli {

std::string prettyJson(const boost::json::value& value);
std::string toYaml(const boost::json::value& value);

}  // namespace swarm::cli
