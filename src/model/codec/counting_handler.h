// Internal: the handler with which Boost.JSON's parser builds a value, within limits.
#pragma once

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>

#include "model/codec/untrusted_json.h"

namespace swarm {

/// Builds the value; each callback says whether to go on.
class CountingHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  CountingHandler(const JsonLimits& limits, boost::json::storage_ptr storage)
      : storage_(std::move(storage)), left_(limits.values), longest_string_(limits.string) {}
  bool exceeded() const { return exceeded_; }
  bool cut() const { return cut_; }
  boost::json::value release() { return stack_.release(); }

  bool on_document_begin(boost::system::error_code&) {
    stack_.reset(storage_);
    return true;
  }
  bool on_document_end(boost::system::error_code&) { return true; }
  bool on_object_begin(boost::system::error_code& error) { return count(error); }
  bool on_object_end(std::size_t size, boost::system::error_code&) {
    stack_.push_object(size);
    return true;
  }
  bool on_array_begin(boost::system::error_code& error) { return count(error); }
  bool on_array_end(std::size_t size, boost::system::error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(std::string_view text, std::size_t, boost::system::error_code&) {
    stack_.push_chars(kept(text));
    return true;
  }
  bool on_key(std::string_view text, std::size_t, boost::system::error_code& error) {
    stack_.push_key(kept(text));
    string_bytes_ = 0;
    return count(error);
  }
  bool on_string_part(std::string_view text, std::size_t, boost::system::error_code&) {
    stack_.push_chars(kept(text));
    return true;
  }
  bool on_string(std::string_view text, std::size_t, boost::system::error_code& error) {
    stack_.push_string(kept(text));
    string_bytes_ = 0;
    return count(error);
  }
  bool on_number_part(std::string_view, boost::system::error_code&) { return true; }
  bool on_int64(std::int64_t value, std::string_view, boost::system::error_code& error) {
    stack_.push_int64(value);
    return count(error);
  }
  bool on_uint64(std::uint64_t value, std::string_view, boost::system::error_code& error) {
    stack_.push_uint64(value);
    return count(error);
  }
  /// "0e99999999" is NaN to the parser, which no JSON text can express: a response with it would be invalid.
  bool on_double(double value, std::string_view, boost::system::error_code& error) {
    if (!std::isfinite(value)) {
      error = boost::json::error::exponent_overflow;
      return false;
    }
    stack_.push_double(value);
    return count(error);
  }
  bool on_bool(bool value, boost::system::error_code& error) {
    stack_.push_bool(value);
    return count(error);
  }
  bool on_null(boost::system::error_code& error) {
    stack_.push_null();
    return count(error);
  }
  bool on_comment_part(std::string_view, boost::system::error_code&) { return true; }
  bool on_comment(std::string_view, boost::system::error_code&) { return true; }

 private:
  bool count(boost::system::error_code& error) {
    if (left_ > 0) {
      --left_;
      return true;
    }
    exceeded_ = true;
    error = make_error_code(boost::json::error::array_too_large);
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

  boost::json::storage_ptr storage_;
  boost::json::value_stack stack_;
  std::size_t left_;
  std::size_t longest_string_;
  std::size_t string_bytes_ = 0;  ///< kept of the string that is being read
  bool exceeded_ = false;
  bool cut_ = false;
};

}  // namespace swarm
