// Checks a request against the description of its route.
#include "api/http/call.h"

#include <boost/json/serialize.hpp>

#include "api/http/entity_tags.h"
#include "api/http/json_keys.h"
#include "base/text/format.h"
#include "base/text/number.h"
#include "model/codec/codec.h"
#include "model/codec/untrusted_json.h"

namespace swarm::api {
namespace {

using ParameterKind = Parameter::Kind;

constexpr std::size_t kSmallBody = 4 * 1024;  // not counted in its client's budget
/// The loop of a connection reads a body, and serves others, too.
constexpr JsonLimits kBodyLimits{.values = 10'000, .depth = 32};

/// The fault of a parameter's value; empty: none.
std::string faultOf(const Parameter& parameter, const std::string& value) {
  switch (parameter.kind) {
    case ParameterKind::Text:
      if (parameter.maximum > 0 && value.size() > static_cast<std::size_t>(parameter.maximum))
        return format("must have at most {} characters", parameter.maximum);
      if (value.empty()) return "must not be empty";
      return {};
    case ParameterKind::Integer: {
      const auto number = parseNumber<std::int64_t>(value);
      if (!number || *number < parameter.minimum || *number > parameter.maximum)
        return format("must be an integer from {} to {}", parameter.minimum, parameter.maximum);
      return {};
    }
    case ParameterKind::Flag:
      return value == "true" || value == "false" ? "" : "must be true or false";
    case ParameterKind::Time:
      try {
        parseTime(value);
        return {};
      } catch (const Error&) {
        return "must be a time in RFC 3339, like 2026-11-23T19:04:36Z";
      }
    case ParameterKind::Choice: {
      std::string names;
      for (std::string_view choice : parameter.choices) {
        if (choice == value) return {};
        if (!names.empty()) names += ", ";
        names += choice;
      }
      return "must be one of " + names;
    }
    case ParameterKind::EntityTags:
      if (value.size() > static_cast<std::size_t>(parameter.maximum)) return format("must have at most {} characters", parameter.maximum);
      return parseEntityTags(value) ? "" : "must be a list of ETags, like \"v3\", or *";
    case ParameterKind::Labels:
      return {};
  }
  return {};
}

/// KEY of "label[KEY]" and "label.KEY"; empty for other names.
std::string_view labelKey(std::string_view name) {
  if (name.starts_with("label.")) return name.substr(6);
  if (name.starts_with("label[") && name.ends_with(']')) return name.substr(6, name.size() - 7);
  return {};
}

const Parameter* findParameter(const Endpoint& route, std::string_view name) {
  for (const Parameter& parameter : route.parameters) {
    if (parameter.location != Parameter::Location::Query) continue;
    if (parameter.kind == ParameterKind::Labels ? !labelKey(name).empty() : parameter.name == name) return &parameter;
  }
  return nullptr;
}

/// Whether the content is JSON in UTF-8, as application/json or `other`.
bool isJson(std::string_view content_type, std::string_view other) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (!net::equalsIgnoreCase(type, kJsonType) && !net::equalsIgnoreCase(type, other)) return false;
  if (content_type.find(';') == std::string_view::npos) return true;
  std::string_view parameter = content_type.substr(content_type.find(';') + 1);
  while (parameter.starts_with(' ')) parameter.remove_prefix(1);
  return net::equalsIgnoreCase(parameter, "charset=utf-8") || net::equalsIgnoreCase(parameter, "charset=\"utf-8\"");
}

/// Decoding would let a small request become large, and no client needs it.
void refuseContentCoding(const net::RequestHead& head) {
  for (const net::HeaderView& field : head.headers.all()) {
    if (!net::equalsIgnoreCase(field.name, "Content-Encoding") || net::equalsIgnoreCase(field.value, "identity")) continue;
    throw Error(ErrorCode::UnsupportedMedia,
                format("The content coding \"{}\" is not supported. Send the body without \"Content-Encoding\".", field.value));
  }
}

}  // namespace

Reply jsonReply(int status, const boost::json::value& body) { return {status, boost::json::serialize(body)}; }

boost::json::object principalJson(const Principal& principal) {
  return {{"user", principal.user}, {"role", nameOf(principal.role)}, {"expiresAt", formatTime(principal.expiresAt)}};
}

Reply loginReply(const LoginResult& login) {
  boost::json::object body = principalJson(login.principal);
  body["token"] = login.token.reveal();
  return jsonReply(200, body);
}

void addCommonHeaders(net::Headers& headers, std::string_view content_type, const std::string& request_id) {
  if (!content_type.empty()) headers.push_back({"Content-Type", std::string(content_type)});
  headers.push_back({"X-Request-Id", request_id});
  if (net::findHeader(headers, "Cache-Control").empty()) headers.push_back({"Cache-Control", "no-store"});
  headers.push_back({"X-Content-Type-Options", "nosniff"});
}

Call::Call(net::Exchange& exchange, std::string request_id)
    : exchange_(exchange), request_id_(std::move(request_id)), method_(exchange.head().method), path_(exchange.head().path()) {}

void Call::bindQuery(const Endpoint& route, std::vector<FieldError>& faults) {
  for (auto& [name, value] : net::parseQuery(exchange_.head().query())) {
    std::string pointer = "?" + name;
    const Parameter* parameter = findParameter(route, name);
    if (parameter == nullptr) {
      faults.push_back({pointer, "is not a parameter of this request"});
    } else if (std::string fault = faultOf(*parameter, value); !fault.empty()) {
      faults.push_back({pointer, fault});
    } else if (!values_.emplace(parameter->kind == ParameterKind::Labels ? "label." + std::string(labelKey(name)) : name, std::move(value))
                    .second) {
      faults.push_back({pointer, "occurs more than once"});
    }
    if (faults.size() >= 20) return;
  }
}

void Call::bind(const Endpoint& route, std::vector<std::string> arguments) {
  route_ = &route;
  arguments_ = std::move(arguments);
  std::vector<FieldError> faults;
  bindQuery(route, faults);
  for (const Parameter& parameter : route.parameters)
    if (parameter.location == Parameter::Location::Header) bindHeader(parameter, faults);
  throwIfAny(std::move(faults));
  refuseCondition(route);
}

void Call::bindHeader(const Parameter& parameter, std::vector<FieldError>& faults) {
  std::string pointer = "header " + std::string(parameter.name);
  std::optional<std::string> value;
  for (const net::HeaderView& field : exchange_.head().headers.all()) {
    if (!net::equalsIgnoreCase(field.name, parameter.name)) continue;
    if (value && parameter.kind != ParameterKind::EntityTags) return faults.push_back({pointer, "occurs more than once"});
    value = value ? *value + "," + std::string(field.value) : std::string(field.value);
  }
  if (!value) return;
  if (std::string fault = faultOf(parameter, *value); !fault.empty()) return faults.push_back({pointer, fault});
  values_[std::string(parameter.name)] = std::move(*value);
}

/// A resource without a version has none of the versions that If-Match names, and so is not changed.
void Call::refuseCondition(const Endpoint& route) const {
  auto condition = exchange_.head().headers.find("If-Match");
  bool is_read = route.method == "GET" || route.kind == RouteKind::Upgrade;
  bool is_known = std::any_of(route.parameters.begin(), route.parameters.end(),
                              [](const Parameter& parameter) { return parameter.kind == ParameterKind::EntityTags; });
  if (!condition || *condition == "*" || is_read || is_known) return;
  throw Error(ErrorCode::PreconditionFailed, "Nothing was changed: this resource has no ETag. Send the request without If-Match.");
}

/// A client may take very long over the last byte: what it has sent until then is held for it.
awaitable<std::string> Call::readText(std::size_t limit, OpenBudget& budget, const std::string& payer) {
  const net::BodyFraming framing = exchange_.head().body;
  const std::size_t most = framing.kind == net::BodyKind::Length ? static_cast<std::size_t>(framing.length) : limit;
  if (most > kSmallBody) body_share_.emplace(budget.takeBytes(payer, most));
  std::string text = co_await net::readAll(exchange_.body(), limit);
  if (text.size() <= kSmallBody) body_share_.reset();
  co_return text;
}

awaitable<void> Call::readBody(std::size_t limit, OpenBudget& budget, std::string payer) {
  const net::RequestHead& head = exchange_.head();
  const net::BodyFraming framing = head.body;
  bool empty = framing.kind == net::BodyKind::None || (framing.kind == net::BodyKind::Length && framing.length == 0);
  if (!empty) refuseContentCoding(head);
  if (route_->body.rule == BodyRule::Bytes) co_return;
  if (route_->body.rule == BodyRule::None) {
    if (empty) co_return;
    // A chunked body may be empty.
    if (framing.kind == net::BodyKind::Length || !(co_await readText(limit, budget, payer)).empty())
      throw Error(ErrorCode::InvalidArgument, "This request takes no body.");
    co_return;
  }
  if (!empty && !isJson(head.headers.find("Content-Type").value_or(""), route_->body.type))
    throw Error(ErrorCode::UnsupportedMedia,
                format("The request body must be JSON: send it with \"Content-Type: {}\".", route_->body.type));
  if (framing.kind == net::BodyKind::Length && framing.length > limit)
    throw Error(ErrorCode::PayloadTooLarge, format("The request body has {} bytes; the maximum is {}.", framing.length, limit));
  std::string text;
  if (!empty) text = co_await readText(limit, budget, payer);
  if (text.empty() && route_->body.rule == BodyRule::OptionalJson) co_return;
  body_ = parseJson(text, "The request body", kBodyLimits);
  std::vector<FieldError> faults;
  for (std::string& pointer : duplicateKeys(text)) faults.push_back({std::move(pointer), "occurs more than once"});
  throwIfAny(std::move(faults));
}

awaitable<void> Call::begin(std::string_view content_type, net::Headers more) {
  addCommonHeaders(more, content_type, request_id_);
  co_await exchange_.begin(200, std::move(more));
}

awaitable<net::StreamPtr> Call::takeOver(net::Headers headers) {
  net::StreamPtr stream = co_await exchange_.upgrade(std::move(headers));
  took_over_ = true;
  co_return stream;
}

void Call::cut() {
  exchange_.respondedRaw(net::Exchange::Reuse::Close);
  exchange_.stream().close();
}

std::optional<std::string> Call::text(std::string_view name) const {
  auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::int64_t> Call::integer(std::string_view name) const {
  auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  return parseNumber<std::int64_t>(found->second);
}

bool Call::flag(std::string_view name) const {
  auto found = values_.find(name);
  return found != values_.end() && found->second == "true";
}

VersionCondition Call::versions() const {
  auto value = text("If-Match");
  return value ? parseEntityTags(*value).value() : VersionCondition{};
}

}  // namespace swarm::api
