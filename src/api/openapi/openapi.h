// The OpenAPI 3.1 document, generated from the route table and the schemas of the model.
#pragma once

#include <boost/json/object.hpp>
#include <vector>

#include "api/routes/route.h"
#include "provider/candidate.h"

namespace swarm::api {

/// `session_cookie`: its name, which depends on the address of the server.
boost::json::object makeOpenApi(const std::vector<Endpoint>& table, const std::string& session_cookie, const CandidateForms& candidates);

}  // namespace swarm::api
