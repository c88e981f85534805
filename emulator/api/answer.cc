// Builds responses.
#include "emulator/api/answer.h"

#include <boost/json/serialize.hpp>

namespace swarm::emulator {

Answer jsonAnswer(int status, const boost::json::value& body) { return {status, boost::json::serialize(body)}; }

Answer emptyAnswer(int status) { return {status, "", ""}; }

Answer errorAnswer(int status, std::string_view text, std::string_view code) {
  boost::json::object body{{"error", text}};
  if (!code.empty()) body["status"] = code;
  return jsonAnswer(status, body);
}

void refuse(int status, std::string_view text, std::string_view code) { throw Refusal(errorAnswer(status, text, code)); }

void refuseBy(std::string_view row, const RowValues& values) { throw Refusal(catalogueAnswer(row, values)); }

}  // namespace swarm::emulator
