#include "model/codec/untrusted_json.h"

#include "base/error.h"
#include "base/text/format.h"
#include "model/codec/counting_handler.h"

namespace swarm {
namespace {

namespace json = boost::json;
using ErrorFlag = boost::system::error_code;

[[noreturn]] void refuse(std::string reason) { throw Error(ErrorCode::UpstreamFailed, std::move(reason)); }

json::parse_options optionsOf(const JsonLimits& limits) {
  json::parse_options options;
  options.max_depth = limits.depth;
  return options;
}

}  // namespace

struct UntrustedJson::Parser {
  Parser(JsonLimits its_limits, json::storage_ptr storage) : limits(its_limits), parser(optionsOf(limits), limits, std::move(storage)) {}

  void write(bool more, std::string_view piece) {
    ErrorFlag error;
    std::size_t consumed = parser.write_some(more, piece.data(), piece.size(), error);
    if (!error && consumed < piece.size()) error = make_error_code(json::error::extra_data);
    if (!error) return;
    if (parser.handler().exceeded()) refuse(format("it has more than {} values", limits.values));
    if (error == json::error::too_deep) refuse(format("it is nested deeper than {} levels", limits.depth));
    if (error == json::error::incomplete) refuse("it ends too early");
    refuse("it is not JSON");
  }

  JsonLimits limits;
  std::size_t bytes = 0;
  json::basic_parser<CountingHandler> parser;
};

UntrustedJson::UntrustedJson(JsonLimits limits, json::storage_ptr storage)
    : parser_(std::make_unique<Parser>(limits, std::move(storage))) {}
UntrustedJson::~UntrustedJson() = default;

void UntrustedJson::add(std::string_view piece) {
  if (piece.size() > parser_->limits.bytes - parser_->bytes) refuse(format("it has more than {} bytes", parser_->limits.bytes));
  parser_->bytes += piece.size();
  if (!piece.empty()) parser_->write(true, piece);
}

bool UntrustedJson::cut() const { return parser_->parser.handler().cut(); }

json::value UntrustedJson::finish() {
  parser_->write(false, {});
  return parser_->parser.handler().release();
}

}  // namespace swarm
