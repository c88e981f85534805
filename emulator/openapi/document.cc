// The embedded text, and its parsed tree.
#include "emulator/openapi/document.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/diagnostics/check.h"
#include "emulator/openapi/extras.h"

// An assembler include costs no compile time; a string literal of 146 kB would cost a second per build.
asm(".pushsection .rodata\n"
    ".global swarm_fly_openapi_begin\n"
    ".global swarm_fly_openapi_end\n"
    "swarm_fly_openapi_begin:\n"
    ".incbin \"" SWARM_FLY_OPENAPI_FILE
    "\"\n"
    "swarm_fly_openapi_end:\n"
    ".byte 0\n"
    ".popsection\n");
extern "C" const char swarm_fly_openapi_begin[];
extern "C" const char swarm_fly_openapi_end[];

namespace swarm::emulator::openapi {
namespace {

namespace json = boost::json;

json::object parsedWithExtras() {
  json::value tree = json::parse(documentText());
  for (const Extra& extra : extras()) apply(extra, tree.as_object());
  return std::move(tree.as_object());
}

const json::object& schemaNamed(std::string_view reference) {
  const json::object& schemas = document().at("components").at("schemas").as_object();
  const auto slash = reference.rfind('/');
  const auto found = schemas.find(reference.substr(slash + 1));
  SWARM_CHECK((found != schemas.end()) && "Fly's document refers to a schema that it lacks");
  return found->value().as_object();
}

}  // namespace

std::string_view documentText() {
  return {swarm_fly_openapi_begin, static_cast<std::size_t>(swarm_fly_openapi_end - swarm_fly_openapi_begin)};
}

const json::object& document() {
  static const json::object kDocument = parsedWithExtras();
  return kDocument;
}

const json::object& resolve(const json::object& schema) {
  const json::object* at = &schema;
  while (true) {
    if (const json::value* reference = at->if_contains("$ref")) {
      at = &schemaNamed(std::string_view(reference->as_string()));
    } else if (const json::value* all = at->if_contains("allOf")) {
      at = &all->as_array().front().as_object();
    } else {
      return *at;
    }
  }
}

}  // namespace swarm::emulator::openapi
