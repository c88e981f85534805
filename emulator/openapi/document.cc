// The embedded text, its parsed tree, and its paths, split once.
#include "emulator/openapi/document.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/diagnostics/check.h"
#include "emulator/openapi/extras.h"
#include "net/http/http.h"

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

std::vector<std::string> segmentsOf(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool isParameter(std::string_view segment) { return segment.starts_with('{'); }

// Literal segments sort before parameters, so that the first match is the right one.
bool isMoreLiteral(const PathItem& a, const PathItem& b) {
  return std::ranges::lexicographical_compare(a.segments, b.segments, [](const std::string& x, const std::string& y) {
    return std::pair(isParameter(x), x) < std::pair(isParameter(y), y);
  });
}

std::vector<PathItem> allPaths() {
  std::vector<PathItem> paths;
  for (const json::key_value_pair& path : document().at("paths").as_object()) {
    paths.push_back({std::string(path.key()), segmentsOf(path.key()), &path.value().as_object()});
  }
  std::ranges::sort(paths, isMoreLiteral);
  return paths;
}

bool matches(const PathItem& item, const std::vector<std::string>& sent) {
  return std::ranges::equal(item.segments, sent, [](const std::string& known, const std::string& segment) {
    if (isParameter(known)) return !segment.empty();
    const std::optional<std::string> decoded = net::percentDecode(segment);
    return decoded && *decoded == known;
  });
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

const PathItem* findPath(std::string_view path) {
  static const std::vector<PathItem> kPaths = allPaths();
  if (!path.starts_with('/')) return nullptr;
  const std::vector<std::string> sent = segmentsOf(path);
  const auto found = std::ranges::find_if(kPaths, [&](const PathItem& item) { return matches(item, sent); });
  return found == kPaths.end() ? nullptr : &*found;
}

const json::object* findOperation(const PathItem& item, std::string_view method) {
  for (const json::key_value_pair& operation : *item.operations) {
    if (net::equalsIgnoreCase(operation.key(), method)) return operation.value().if_object();
  }
  return nullptr;
}

std::string methodsOf(const PathItem& item) {
  std::string names;
  for (const json::key_value_pair& operation : *item.operations) {
    if (!names.empty()) names += ", ";
    std::ranges::transform(operation.key(), std::back_inserter(names), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }
  return names;
}

}  // namespace swarm::emulator::openapi
