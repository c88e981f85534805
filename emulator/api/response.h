// Response: what a request gets; Refusal: a response that ends a request. Fly's error texts are in one table, response.cc.
#pragma once

#include <boost/json/value.hpp>
#include <exception>
#include <map>
#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm::emulator {

struct Response {
  int status = 200;
  std::string body;
  std::string contentType = "application/json";
  net::Headers headers = {};
  bool cut = false;  ///< the connection is closed instead
};

Response jsonResponse(int status, const boost::json::value& body);
Response emptyResponse(int status);
/// {"error":text} and, if given, "status":code (§1).
Response errorResponse(int status, std::string_view text, std::string_view code = "");

/// The emulator's own exception: Fly's statuses and texts are not those of swarm::Error's closed list. Caught in the dispatcher.
class Refusal : public std::exception {
 public:
  explicit Refusal(Response response) : response_(std::move(response)) {}
  const Response& response() const { return response_; }
  const char* what() const noexcept override { return response_.body.c_str(); }

 private:
  Response response_;
};

[[noreturn]] void refuse(int status, std::string_view text, std::string_view code = "");

/// Values of a catalogue row's placeholders: {id}, {name}, {state}, {owner}, {expires} …
using RowValues = std::map<std::string, std::string, std::less<>>;

/// The response of a row of §12 ("E1" … "E34", and variants such as "E19.cpus"); placeholders without a value keep their example. Throws
/// Error(InvalidArgument) for an unknown row.
Response catalogueResponse(std::string_view row, const RowValues& values = {});
[[noreturn]] void refuseBy(std::string_view row, const RowValues& values = {});

}  // namespace swarm::emulator
