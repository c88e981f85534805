// The parts of the codec that are not templates: numbers, times, errors, faults and their messages.
#include <algorithm>
#include <numeric>

#include "model/codec/codec_detail.h"

namespace swarm {
namespace {

namespace json = boost::json;

std::string_view kindOf(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

/// Levenshtein distance of two short names.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

/// "is not a known field", with the nearest known name when one is near.
std::string unknownFieldDetail(std::string_view key, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
  for (std::string_view name : known) {
    if (key.size() > 64) break;
    if (auto d = distance(key, name); d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  if (best.empty()) return "is not a known field";
  return format("is not a known field; did you mean \"{}\"?", best);
}

}  // namespace

std::string pointerStep(std::string_view key) {
  std::string out = "/";
  for (char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string pointerStep(std::size_t index) { return "/" + std::to_string(index); }

void throwIfAny(std::vector<FieldError> faults) {
  if (faults.empty()) return;
  constexpr std::size_t shown = 5;
  std::string text =
      faults.size() == 1 ? std::string("The request has 1 invalid field: ") : format("The request has {} invalid fields: ", faults.size());
  for (std::size_t i = 0; i < std::min(shown, faults.size()); ++i) {
    if (i) text += "; ";
    text += (faults[i].pointer.empty() ? std::string("the whole body") : faults[i].pointer) + " " + faults[i].detail;
  }
  text += faults.size() > shown ? format("; and {} more.", faults.size() - shown) : text.ends_with('?') ? "" : ".";
  Error error(ErrorCode::InvalidArgument, std::move(text));
  error.fields() = std::move(faults);
  throw error;
}

json::object errorToJson(const Error& error) {
  json::object out{{"code", toString(error.code())}, {"message", error.message()}, {"retryable", error.retryable()}};
  if (!error.fields().empty()) {
    json::array fields;
    for (const FieldError& field : error.fields()) fields.push_back({{"pointer", field.pointer}, {"detail", field.detail}});
    out["errors"] = std::move(fields);
  }
  if (!error.instance().empty()) out["instance"] = error.instance();
  if (error.upstream().status != 0 || !error.upstream().requestId.empty())
    out["upstream"] = json::object{{"status", error.upstream().status}, {"requestId", error.upstream().requestId}};
  return out;
}

Error errorFromJson(const json::value& value) {
  constexpr std::string_view nothing = "The other side answered with an error that has no description.";
  if (!value.is_object()) return Error(ErrorCode::UpstreamFailed, std::string(nothing));
  const json::object& object = value.get_object();
  ErrorCode code = errorCodeFromString(stringIn(object, "code")).value_or(ErrorCode::UpstreamFailed);
  std::string message = stringIn(object, "message");
  if (message.empty()) message = stringIn(object, "detail");
  if (message.empty()) message = nothing;
  const json::value* retryable = object.if_contains("retryable");
  bool is_retryable = retryable && retryable->is_bool() ? retryable->get_bool() : isRetryableByDefault(code);
  UpstreamFacts facts;
  if (const json::value* upstream = object.if_contains("upstream"); upstream && upstream->is_object()) {
    facts.requestId = stringIn(upstream->get_object(), "requestId");
    const json::value* status = upstream->get_object().if_contains("status");
    if (status && status->is_int64()) facts.status = static_cast<int>(std::clamp<std::int64_t>(status->get_int64(), 0, 999));
  }
  Error error =
      Error(code, std::move(message)).withRetryable(is_retryable).withInstance(stringIn(object, "instance")).withUpstream(std::move(facts));
  if (const json::value* fields = object.if_contains("errors"); fields && fields->is_array()) {
    for (const json::value& field : fields->get_array()) {
      if (field.is_object()) error.fields().push_back({stringIn(field.get_object(), "pointer"), stringIn(field.get_object(), "detail")});
    }
  }
  return error;
}

ObjectReader::ObjectReader(json::value value, UnknownFields unknown) : value_(std::move(value)), unknown_(unknown) {
  if (!value_.is_object()) {
    fail("", format("must be an object, not {}", kindOf(value_)));
    throwIfAny(faults_);
  }
}

const json::value* ObjectReader::find(std::string_view name) const { return value_.get_object().if_contains(name); }

const json::value* ObjectReader::take(std::string_view name) {
  known_.emplace_back(name);
  return find(name);
}

void ObjectReader::finish() {
  if (unknown_ == UnknownFields::Refuse) {
    std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& entry : value_.get_object()) {
      if (faults_.size() >= 100) break;
      if (std::find(known.begin(), known.end(), std::string_view(entry.key())) == known.end())
        fail(pointerStep(entry.key()), unknownFieldDetail(entry.key(), known));
    }
  }
  throwIfAny(std::move(faults_));
}

namespace codec {

void Sink::wrongType(const Path& path, std::string_view expected, const json::value& value) {
  add(path, format("must be {}, not {}", expected, kindOf(value)));
}

void Sink::unknownField(const Path& path, const std::vector<std::string_view>& known) { add(path, unknownFieldDetail(path.key, known)); }

void put(json::object& out, std::string_view name, json::value value) { out.emplace(name, std::move(value)); }

const json::value* MemberReader::take(std::string_view name) {
  known.push_back(name);
  const json::value* part = object.if_contains(name);
  if (!part || !refusesNull || !part->is_null()) return part;
  sink.add(path.member(name), "must not be null");
  return nullptr;
}

void MemberReader::refuseOthers(bool (*isDerived)(std::string_view)) {
  if (sink.unknown == UnknownFields::Ignore) return;
  for (const auto& entry : object) {
    std::string_view key = entry.key();
    if (!isDerived(key) && std::find(known.begin(), known.end(), key) == known.end()) sink.unknownField(path.member(key), known);
  }
}

void readInteger(const json::value& value, std::int64_t& out, const Path& path, Sink& sink) {
  constexpr auto too_large = "is out of range: it must fit in 64 bits with a sign";
  if (value.is_int64()) {
    out = value.get_int64();
  } else if (value.is_uint64()) {
    sink.add(path, too_large);
  } else if (!value.is_double()) {
    sink.wrongType(path, "an integer", value);
  } else if (double number = value.get_double(); !std::isfinite(number) || std::abs(number) >= 9.2e18) {
    sink.add(path, too_large);
  } else if (number != std::floor(number)) {
    sink.add(path, "must be an integer, without a fraction");
  } else {
    out = static_cast<std::int64_t>(number);
  }
}

void readDouble(const json::value& value, double& out, const Path& path, Sink& sink) {
  if (!value.is_number()) return sink.wrongType(path, "a number", value);
  const double number = value.to_number<double>();
  if (!std::isfinite(number)) return sink.add(path, "is out of range");
  out = number;
}

void readTime(const json::value& value, SystemTime& out, const Path& path, Sink& sink) {
  if (value.is_null()) {
    out = SystemTime{};
    return;
  }
  if (!value.is_string()) return sink.wrongType(path, "a time (RFC 3339, like 2026-11-23T19:04:36Z)", value);
  try {
    out = parseTime(std::string_view(value.get_string()));
  } catch (const Error&) {
    sink.add(path, "must be a time in RFC 3339, like 2026-11-23T19:04:36Z");
  }
}

/// Earlier versions had the regions of each provider in its options. After a move between providers both are there: those of `provider`
/// count, and in a request, which need not name one, all.
json::object presentNames(const NetworkConfig&, const json::object& given, const Sink& sink) {
  json::object present = given;
  std::optional<json::array> regions;
  const auto take = [&](ProviderType provider, std::string_view options, std::string_view name) {
    json::value* part = present.if_contains(options);
    json::object* object = part ? part->if_object() : nullptr;
    const json::value* former = object ? object->if_contains(name) : nullptr;
    if (!former) return;
    if (!regions) regions.emplace();
    if (!sink.provider || *sink.provider == provider) {
      const json::array list = former->is_array() ? former->get_array() : *former == "" ? json::array() : json::array{*former};
      regions->insert(regions->end(), list.begin(), list.end());
    }
    object->erase(name);
  };
  take(ProviderType::docker, "docker", "host");
  take(ProviderType::flyio, "flyio", "regions");
  if (regions && (!regions->empty() || !present.contains("regions"))) present["regions"] = std::move(*regions);
  return present;
}

void addDerived(json::object& out, const Instance& instance) { out["metadata"] = instance.config.metadata; }

void addDerived(json::object& out, const OperationStep& step) {
  if (step.bytesTotal > 0) out["percent"] = std::clamp<std::int64_t>(step.bytesDone * 100 / step.bytesTotal, 0, 100);
}

}  // namespace codec
}  // namespace swarm
