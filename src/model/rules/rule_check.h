// Applies the field rules to the members of a described value, and of what is in it. Include it in a .cc only.
#pragma once

#include "model/codec/codec_detail.h"
#include "model/codec/type_names.h"
#include "model/rules/field_rules.h"

namespace swarm::codec {

std::string memberPath(std::string_view pointer);  ///< "/memory/max" → "memory.max"
void checkNumber(const FieldRule& rule, double value, const Path& path, Sink& sink);
/// False: it is too short or too long. `what`: "characters"; empty for elements.
bool checkLength(const FieldRule& rule, std::size_t length, std::string_view what, const Path& path, Sink& sink);
/// The maximum that another member of `owner` sets.
void checkAtMost(const FieldRule& rule, const json::value& owner, const Path& path, Sink& sink);

template <DescribedStruct T>
void checkRules(const T& value, const Path& path, Sink& sink);

template <typename T>
[[gnu::noinline]] void checkPart(const FieldRule* rule, const T& part, const Path& path, Sink& sink) {
  if constexpr (DescribedStruct<T>) {
    checkRules(part, path, sink);
  } else if constexpr (IsOptional<T>::value) {
    if (part) checkPart(rule, *part, path, sink);
  } else if constexpr (IsVector<T>::value) {
    // The elements of a list that is too long are not looked at.
    if (rule && !checkLength(*rule, part.size(), {}, path, sink)) return;
    const FieldRule* of_element = std::is_arithmetic_v<typename T::value_type> ? rule : nullptr;
    for (std::size_t i = 0; i < part.size(); ++i) checkPart(of_element, part[i], path.element(i), sink);
  } else if constexpr (std::is_arithmetic_v<T> && !std::same_as<T, bool>) {
    if (rule) checkNumber(*rule, static_cast<double>(part), path, sink);
  } else if constexpr (std::same_as<T, std::string>) {
    if (rule) checkLength(*rule, part.size(), "characters", path, sink);
  }
}

template <DescribedStruct T>
void checkRules(const T& value, const Path& path, Sink& sink) {
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const std::string_view name = jsonName<T>(member.name);
    const FieldRule* rule = findFieldRule(kSchemaName<OwnerOf<decltype(member)>>, name);
    checkPart(rule, value.*member.pointer, path.member(name), sink);
    if (rule && !rule->atMost.empty()) checkAtMost(*rule, write(value), path.member(name), sink);
  });
}

/// Whether they differ in a member that is fixed.
template <DescribedStruct T>
bool differInFixed(const T& a, const T& b) {
  bool differ = false;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const auto& part = a.*member.pointer;
    const auto& other = b.*member.pointer;
    if constexpr (DescribedStruct<std::remove_cvref_t<decltype(part)>>) {
      differ = differ || differInFixed(part, other);
    } else {
      const FieldRule* rule = findFieldRule(kSchemaName<T>, jsonName<T>(member.name));
      differ = differ || (rule && rule->fixed && part != other);
    }
  });
  return differ;
}

}  // namespace swarm::codec
