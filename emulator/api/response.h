// Answer: a response of the API; Refusal: a response that ends a request. Fly's error texts are in one table, response.cc.
#pragma once

#include <boost/json/value.hpp>
#include <exception>
#include <map>
#include <string>
#include <string_view>

#include "net/http/http.h"

namespace swarm::emulator {

struct Answer {
  int status = 200;
  std::string body;
  std::string contentType = "application/json";
  net::Headers headers = {};
  bool cut = false;  ///< the connection is closed instead
};

Answer jsonAnswer(int status, const boost::json::value& body);
Answer emptyAnswer(int status);
/// {"error":text} and, if given, "status":code (§1).
Answer errorAnswer(int status, std::string_view text, std::string_view code = "");

/// The emulator's own exception: Fly's statuses and texts are not those of swarm::Error's closed list. Caught in the dispatcher.
class Refusal : public std::exception {
 public:
  explicit Refusal(Answer answer) : answer_(std::move(answer)) {}
  const Answer& answer() const { return answer_; }
  const char* what() const noexcept override { return answer_.body.c_str(); }

 private:
  Answer answer_;
};

[[noreturn]] void refuse(int status, std::string_view text, std::string_view code = "");

/// Values of a catalogue row's placeholders: {id}, {name}, {state}, {owner}, {expires} …
using RowValues = std::map<std::string, std::string, std::less<>>;

/// The response of a row of §12 ("E1" … "E34", and variants such as "E19.cpus"); placeholders without a value keep their example. Throws
/// Error(InvalidArgument) for an unknown row.
Answer catalogueAnswer(std::string_view row, const RowValues& values = {});
[[noreturn]] void refuseBy(std::string_view row, const RowValues& values = {});

}  // namespace swarm::emulator
