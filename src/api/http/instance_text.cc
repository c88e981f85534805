// Walks the model's descriptions and writes text.
#include "api/http/instance_text.h"

#include <boost/json/serialize.hpp>

#include "model/codec/codec_detail.h"

namespace swarm::api {
namespace {

namespace json = boost::json;

void appendQuoted(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.push_back('"');
  for (std::size_t plain = 0; plain <= text.size();) {
    std::size_t end = plain;
    while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0x20 && text[end] != '"' && text[end] != '\\') ++end;
    out.append(text.substr(plain, end - plain));
    if (end == text.size()) break;
    auto byte = static_cast<unsigned char>(text[end]);
    if (byte >= 0x20) {
      out.push_back('\\');
      out.push_back(text[end]);
    } else {
      out.append("\\u00");
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
    plain = end + 1;
  }
  out.push_back('"');
}

template <typename Number>
void appendNumber(std::string& out, Number number) {
  std::array<char, 32> text;
  auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), end);
}

template <typename T>
void append(std::string& out, const T& value);

void appendKey(std::string& out, std::string_view key, bool& first) {
  if (!first) out.push_back(',');
  first = false;
  appendQuoted(out, key);
  out.push_back(':');
}

void appendDerived(std::string& out, const Instance& instance, bool& first) {
  appendKey(out, "metadata", first);
  append(out, instance.config.metadata);
}
template <typename T>
void appendDerived(std::string&, const T&, bool&) {}

template <codec::DescribedStruct T>
void appendStruct(std::string& out, const T& value) {
  bool first = true;
  out.push_back('{');
  boost::mp11::mp_for_each<codec::Members<T>>([&](auto member) {
    const auto& part = value.*member.pointer;
    if constexpr (codec::IsOptional<std::remove_cvref_t<decltype(part)>>::value) {
      if (!part) return;
    }
    appendKey(out, codec::jsonName<T>(member.name), first);
    append(out, part);
  });
  appendDerived(out, value, first);
  out.push_back('}');
}

template <typename T>
void append(std::string& out, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    out.append(value ? "true" : "false");
  } else if constexpr (std::same_as<T, std::int64_t> || std::same_as<T, double>) {
    appendNumber(out, value);
  } else if constexpr (std::same_as<T, std::string>) {
    appendQuoted(out, value);
  } else if constexpr (codec::IsStrongId<T>::value) {
    appendQuoted(out, value.str());
  } else if constexpr (std::same_as<T, json::object>) {
    out.append(value.empty() ? "{}" : json::serialize(value));
  } else if constexpr (std::same_as<T, SystemTime>) {
    value == SystemTime{} ? void(out.append("null")) : appendQuoted(out, formatTime(value));
  } else if constexpr (codec::DescribedEnum<T>) {
    appendQuoted(out, codec::nameOfEnum(value));
  } else if constexpr (codec::IsOptional<T>::value) {
    append(out, *value);
  } else if constexpr (codec::IsVector<T>::value) {
    out.push_back('[');
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i != 0) out.push_back(',');
      append(out, value[i]);
    }
    out.push_back(']');
  } else if constexpr (codec::IsMap<T>::value) {
    bool first = true;
    out.push_back('{');
    for (const auto& [key, element] : value) {
      appendKey(out, key, first);
      append(out, element);
    }
    out.push_back('}');
  } else {
    appendStruct(out, value);
  }
}

}  // namespace

void appendJson(std::string& out, const Instance& instance) { append(out, instance); }

}  // namespace swarm::api
