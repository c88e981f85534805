// `swarm api`
#include <boost/json/parse.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/verbs/verb.h"

namespace swarm::cli {
namespace {

/// The value of --data: JSON, or the name of a file with it.
std::string dataOf(const std::string& text) {
  if (!text.starts_with("@")) return text;
  if (text == "@-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(text.substr(1), std::ios::binary);
  if (!file) throw Error(ErrorCode::NotFound, format("{} could not be read.", text.substr(1)));
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string targetOf(const std::string& given) {
  const std::string path = given.starts_with("/") ? given : "/" + given;
  const bool whole = path.starts_with("/api/") || path == "/healthz" || path == "/readyz" || path == "/metrics";
  return whole ? path : "/api" + path;
}

class ApiVerb final : public Verb {
 public:
  void declare(Arguments& arguments) override {
    arguments.word("method", method_, "GET, POST, PUT, PATCH or DELETE").oneOfAnyCase({"GET", "POST", "PUT", "PATCH", "DELETE"});
    arguments.word("path", path_, "Path and query, like /api/instances; /api may be left out");
    arguments.option("--data", data_, "JSON to send; @FILE or @- reads it").suggest(fileNames());
  }

  int run(Context& context) override {
    const std::string body = context.client().callApi(method_, targetOf(path_), dataOf(data_));
    if (body.empty()) return kDone;
    boost::system::error_code malformed;
    const boost::json::value value = boost::json::parse(body, malformed);
    print(malformed ? body : context.output() == OutputFormat::Yaml ? toYaml(value) : prettyJson(value));
    return kDone;
  }

 private:
  std::string method_, path_, data_;
};

}  // namespace

void addApi(const AddVerb& add) {
  add({.name = "api",
       .summary = "Call the server's API and print its response",
       .examples = {"swarm api GET /api/instances?status=running"}},
      std::make_unique<ApiVerb>());
}

}  // namespace swarm::cli
