// JSON text to values, with errors that say where.
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/codec/counting_handler.h"

namespace swarm {
namespace {

namespace json = boost::json;

/// "line 3, column 14" (both from 1; columns count bytes).
std::string placeOf(std::string_view text, std::size_t offset) {
  std::string_view before = text.substr(0, std::min(offset, text.size()));
  auto line = std::count(before.begin(), before.end(), '\n') + 1;
  auto last = before.rfind('\n');
  auto column = before.size() - (last == std::string_view::npos ? 0 : last + 1) + 1;
  return format("line {}, column {}", line, column);
}

std::string reasonOf(const boost::system::error_code& code, std::size_t max_depth) {
  if (code == json::error::too_deep) return format("it is nested deeper than {} levels", max_depth);
  if (code == json::error::incomplete) return "it ends too early";
  if (code == json::error::extra_data) return "there is something after its end";
  return code.message();
}

}  // namespace

json::value parseJson(std::string_view text, std::string_view what, std::size_t max_depth) {
  return parseJson(text, what, JsonLimits{.values = SIZE_MAX, .depth = max_depth});
}

json::value parseJson(std::string_view text, std::string_view what, const JsonLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.depth;
  json::basic_parser<CountingHandler> parser(options, limits, json::storage_ptr());
  boost::system::error_code code;
  std::size_t consumed = parser.write_some(false, text.data(), text.size(), code);
  if (!code && consumed < text.size()) code = json::error::extra_data;
  if (code == json::error::incomplete) consumed = text.size();
  if (!code) return parser.handler().release();
  if (parser.handler().exceeded()) throw Error(ErrorCode::InvalidArgument, format("{} has more than {} values.", what, limits.values));
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw Error(ErrorCode::InvalidArgument, format("{} is empty; expected JSON.", what));
  throw Error(ErrorCode::InvalidArgument,
              format("{} is not valid JSON: {} ({}).", what, reasonOf(code, limits.depth), placeOf(text, consumed)));
}

}  // namespace swarm
