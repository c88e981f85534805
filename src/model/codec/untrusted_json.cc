// Boost.JSON's parser with a handler that counts.
#include "model/codec/untrusted_json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {
namespace {

namespace json = boost::json;
using ErrorFlag = boost::system::error_code;

[[noreturn]] void refuse(std::string reason) { throw Error(ErrorCode::UpstreamFailed, std::move(reason)); }

/// Builds the value; each callback says whether to go on.
class CountingHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  CountingHandler(const JsonLimits& limits, json::storage_ptr storage)
      : storage_(std::move(storage)), left_(limits.values), longest_string_(limits.string) {}
  bool exceeded() const { return exceeded_; }
  bool cut() const { return cut_; }
  json::value release() { return stack_.release(); }

  bool on_document_begin(ErrorFlag&) {
    stack_.reset(storage_);
    return true;
  }
  bool on_document_end(ErrorFlag&) { return true; }
  bool on_object_begin(ErrorFlag& error) { return count(error); }
  bool on_object_end(std::size_t size, ErrorFlag&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(ErrorFlag& error) { return count(error); }
  bool on_array_end(std::size_t size, ErrorFlag&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(std::string_view text, std::size_t, ErrorFlag&) {
    stack_.push_chars(kept(text));
    return true;
  }
  bool on_key(std::string_view text, std::size_t, ErrorFlag& error) {
    stack_.push_key(kept(text));
    string_bytes_ = 0;
    return count(error);
  }
  bool on_string_part(std::string_view text, std::size_t, ErrorFlag&) {
    stack_.push_chars(kept(text));
    return true;
  }
  bool on_string(std::string_view text, std::size_t, ErrorFlag& error) {
    stack_.push_string(kept(text));
    string_bytes_ = 0;
    return count(error);
  }
  bool on_number_part(std::string_view, ErrorFlag&) { return true; }
  bool on_int64(std::int64_t value, std::string_view, ErrorFlag& error) {
    stack_.push_int64(value);
    return count(error);
  }
  bool on_uint64(std::uint64_t value, std::string_view, ErrorFlag& error) {
    stack_.push_uint64(value);
    return count(error);
  }
  /// "0e99999999" is NaN to the parser, which no JSON text can express: a response with it would be invalid.
  bool on_double(double value, std::string_view, ErrorFlag& error) {
    if (!std::isfinite(value)) {
      error = json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(value);
    return count(error);
  }
  bool on_bool(bool value, ErrorFlag& error) {
    stack_.push_bool(value);
    return count(error);
  }
  bool on_null(ErrorFlag& error) {
    stack_.push_null();
    return count(error);
  }
  bool on_comment_part(std::string_view, ErrorFlag&) { return true; }
  bool on_comment(std::string_view, ErrorFlag&) { return true; }

 private:
  bool count(ErrorFlag& error) {
    if (left_ > 0) {
      --left_;
      return true;
    }
    exceeded_ = true;
    error = make_error_code(json::error::array_too_large);
    return false;
  }

  /// What of the next piece of a string still has room.
  std::string_view kept(std::string_view piece) {
    const std::size_t room = longest_string_ - string_bytes_;
    if (piece.size() > room) {
      cut_ = true;
      piece = piece.substr(0, room);
    }
    string_bytes_ += piece.size();
    return piece;
  }

  json::storage_ptr storage_;
  json::value_stack stack_;
  std::size_t left_;
  std::size_t longest_string_;
  std::size_t string_bytes_ = 0;  ///< kept of the string that is being read
  bool exceeded_ = false;
  bool cut_ = false;
};

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
