#include "oidc/jose/strict_json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cmath>

#include "base/error.h"
#include "model/codec/untrusted_json.h"

namespace swarm::oidc {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 12;

/// Counts the names in a text.
struct NameCounter {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  std::size_t names = 0;

  using Code = boost::system::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(std::string_view, std::size_t, Code&) { return true; }
  bool on_key(std::string_view, std::size_t, Code&) {
    ++names;
    return true;
  }
  bool on_string_part(std::string_view, std::size_t, Code&) { return true; }
  bool on_string(std::string_view, std::size_t, Code&) { return true; }
  bool on_number_part(std::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, std::string_view, Code&) { return true; }
  bool on_uint64(std::uint64_t, std::string_view, Code&) { return true; }
  bool on_double(double, std::string_view, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }
};

std::size_t namesIn(const json::value& value) {
  std::size_t names = 0;
  if (const json::object* object = value.if_object()) {
    names = object->size();
    for (const auto& [name, member] : *object) names += namesIn(member);
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) names += namesIn(element);
  }
  return names;
}

}  // namespace

std::optional<json::object> parseStrictObject(std::string_view text) {
  json::value value;
  try {
    value = parseJson(text, "The document", JsonLimits{.values = kMaxJsonValues, .depth = kMaxDepth});
  } catch (const Error&) {
    return std::nullopt;
  }
  if (!value.is_object()) return std::nullopt;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<NameCounter> counter(options);
  boost::system::error_code error;
  counter.write_some(false, text.data(), text.size(), error);
  if (error || counter.handler().names != namesIn(value)) return std::nullopt;
  return std::move(value.get_object());
}

std::optional<std::int64_t> numericDate(const json::object& object, std::string_view name) {
  constexpr double latest = 1e11;  // in the year 5138
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double seconds = value->to_number<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > latest) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

std::int64_t toNumericDate(SystemTime time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

}  // namespace swarm::oidc
