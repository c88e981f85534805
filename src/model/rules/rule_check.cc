#include "model/rules/rule_check.h"

namespace swarm::codec {
namespace {

/// Without an exponent, which a double of a round number would have.
std::string numberText(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? format("{}", static_cast<std::int64_t>(value)) : format("{}", value);
}

std::string rangeText(const FieldRule& rule) {
  std::string text = rule.maximum ? format("{} to {}", numberText(rule.minimum.value_or(0)), numberText(*rule.maximum))
                                  : format("at least {}", numberText(rule.minimum.value_or(0)));
  if (!rule.unit.empty()) text += format(" {}", rule.unit);
  if (!rule.zero.empty()) text += format(" (0: {})", rule.zero);
  return text;
}

}  // namespace

std::string memberPath(std::string_view pointer) {
  std::string path(pointer.substr(1));
  std::ranges::replace(path, '/', '.');
  return path;
}

void checkNumber(const FieldRule& rule, double value, const Path& path, Sink& sink) {
  if (value == 0 && !rule.zero.empty()) return;
  // Written so that NaN is outside.
  const bool inside = (!rule.minimum || value >= *rule.minimum) && (!rule.maximum || value <= *rule.maximum);
  if (!inside) {
    sink.add(path, format("must be {}, not {}", rangeText(rule), numberText(value)));
  } else if (rule.except && value == static_cast<double>(*rule.except)) {
    sink.add(path, format("must not be {}: {}", *rule.except, rule.exceptReason));
  }
}

void checkAtMost(const FieldRule& rule, const json::value& owner, const Path& path, Sink& sink) {
  const double value = owner.at(rule.member).to_number<double>();
  if (value == 0 && !rule.zero.empty()) return;
  const double most = owner.at_pointer(rule.atMost).to_number<double>();
  if (value > most) sink.add(path, format("must not be above {}, which is {} {}", memberPath(rule.atMost), numberText(most), rule.unit));
}

bool checkLength(const FieldRule& rule, std::size_t length, std::string_view what, const Path& path, Sink& sink) {
  if (length >= rule.minLength && (!rule.maxLength || length <= *rule.maxLength)) return true;
  const std::string range = !rule.maxLength       ? format("at least {}", rule.minLength)
                            : rule.minLength == 0 ? format("at most {}", *rule.maxLength)
                                                  : format("{} to {}", rule.minLength, *rule.maxLength);
  sink.add(path, format("must have {}{}{}", range, what.empty() ? "" : " ", what));
  return false;
}

}  // namespace swarm::codec
