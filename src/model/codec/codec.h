// The one JSON codec: every public type to and from JSON, by its Boost.Describe description. Lean: the templates behind it live in
// codec_detail.h, which only codec.cc (and a layer that describes types of its own) includes.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/types/instance.h"
#include "model/types/operation.h"
#include "model/types/provider_type.h"
#include "model/types/swarm_status.h"

namespace swarm {

/// Refuse: a member that the type does not have is an error (requests). Ignore: it is skipped (responses of a newer server).
enum class UnknownFields { Refuse, Ignore };

/// Parses one JSON document (UTF-8, at most `max_depth` nested arrays and objects). Throws Error(InvalidArgument) that says what is wrong
/// and at which line and column. `what` names the text in the message: "The request body". Thread-safe.
boost::json::value parseJson(std::string_view text, std::string_view what = "The request body", std::size_t max_depth = 32);

/// One step of a JSON pointer (RFC 6901): "/" and the escaped key.
std::string pointerStep(std::string_view key);
std::string pointerStep(std::size_t index);

/// Throws Error(InvalidArgument, "The request has N invalid fields: …") with all of them; does nothing when there are none.
void throwIfAny(std::vector<FieldError> faults);

/// T as JSON: members in the order of their description, enums by name, zero times as null, empty optionals left out. Instance repeats its
/// config's metadata as "metadata". Instantiated in codec.cc for every type of types.h, the scalars, strings, and vectors, maps and
/// optionals of them that the types use.
template <typename T>
boost::json::value toJson(const T& value);

/// Reads T: absent members keep what `base` has (defaults: T's), null stands for an absent optional or time. Every fault is appended to
/// `faults` with its pointer below `pointer`, and what could not be read keeps its default. Never throws for bad input.
template <typename T>
T decode(const boost::json::value& value, T base, std::string_view pointer, std::vector<FieldError>& faults, UnknownFields unknown);

/// Reads T and throws Error(InvalidArgument) with every fault at once.
template <typename T>
T fromJson(const boost::json::value& value, UnknownFields unknown = UnknownFields::Refuse, T base = {}) {
  std::vector<FieldError> faults;
  T result = decode<T>(value, std::move(base), "", faults, unknown);
  throwIfAny(std::move(faults));
  return result;
}

/// {"code","message","retryable"} and, where there are any, "errors":[{"pointer","detail"}], "instance", "upstream":{"status","requestId"}.
boost::json::object errorToJson(const Error& error);
/// The inverse, lenient: what is missing or unknown becomes Error(UpstreamFailed).
Error errorFromJson(const boost::json::value& value);

/// An enum's JSON name ("running"), and back. For ProviderType, InstanceStatus, ProviderHealth, OperationKind, OperationStatus.
template <typename Enum>
std::string_view enumName(Enum value);
template <typename Enum>
std::optional<Enum> enumFromName(std::string_view name);
/// "docker, flyio, fake": for messages.
template <typename Enum>
std::string enumNames();

/// Reads a JSON object that has no described type, member by member; finish() refuses members that were not read, and throws all faults.
///   ObjectReader body(parseJson(text));
///   auto user = body.require<std::string>("user");
///   auto ttl = body.read<std::int64_t>("ttl").value_or(60);
///   body.finish();
class ObjectReader {
 public:
  explicit ObjectReader(boost::json::value value, UnknownFields unknown = UnknownFields::Refuse);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Nothing when it is absent, null, or wrong (then finish() throws).
  template <typename T>
  std::optional<T> read(std::string_view name, T base = {}) {
    const boost::json::value* member = take(name);
    if (!member || member->is_null()) return std::nullopt;
    auto before = faults_.size();
    T result = decode<T>(*member, std::move(base), pointerStep(name), faults_, unknown_);
    if (faults_.size() != before) return std::nullopt;
    return result;
  }
  /// As read(); absent or null is a fault.
  template <typename T>
  T require(std::string_view name) {
    if (const boost::json::value* member = find(name); !member || member->is_null()) fail(pointerStep(name), "is required");
    return read<T>(name).value_or(T{});
  }
  void fail(std::string pointer, std::string detail) { faults_.push_back({std::move(pointer), std::move(detail)}); }
  std::vector<FieldError>& faults() { return faults_; }
  /// Takes members that the caller reads by other means out of the way of finish().
  void accept(std::string_view name) { take(name); }
  void finish();

 private:
  const boost::json::value* find(std::string_view name) const;
  const boost::json::value* take(std::string_view name);

  boost::json::value value_;
  UnknownFields unknown_;
  std::vector<std::string> known_;
  std::vector<FieldError> faults_;
};

}  // namespace swarm
