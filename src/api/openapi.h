// The OpenAPI 3.1 document, made from the route table and the schemas of the model.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "api/route.h"

namespace swarm::api {

boost::json::object makeOpenApi(const std::vector<Endpoint>& table);

}  // namespace swarm::api
