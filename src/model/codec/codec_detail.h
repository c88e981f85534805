// The templates behind codec.h. Include it in a .cc only, to instantiate toJson/decode for described types; it is not a lean header.
#pragma once

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/mp11/algorithm.hpp>
#include <concepts>
#include <type_traits>

#include "base/strong_id.h"
#include "base/text/format.h"
#include "model/codec/codec.h"
#include "model/codec/describe.h"

namespace swarm::codec {

namespace json = boost::json;

/// Where in the document we are: a chain on the stack, made into text only for a fault.
struct Path {
  const Path* parent = nullptr;
  std::string_view key;
  std::size_t index = 0;
  bool isIndex = false;
  std::string_view prefix;

  std::string pointer() const {
    if (!parent) return std::string(prefix);
    return parent->pointer() + (isIndex ? pointerStep(index) : pointerStep(key));
  }
  Path member(std::string_view name) const { return {this, name, 0, false, {}}; }
  Path element(std::size_t i) const { return {this, {}, i, true, {}}; }
};

/// Collects faults, at most 100 of them: a hostile request must not make a huge response.
struct Sink {
  std::vector<FieldError>& faults;
  UnknownFields unknown;
  std::optional<ProviderType> provider{};  ///< of what is being read, once its member `provider` was

  void add(const Path& path, std::string detail) {
    if (faults.size() < 100) faults.push_back({path.pointer(), std::move(detail)});
  }
  void wrongType(const Path& path, std::string_view expected, const json::value& value);
  void unknownField(const Path& path, const std::vector<std::string_view>& known);
};

template <typename T>
concept DescribedStruct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;
template <typename T>
concept DescribedEnum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsMap : std::false_type {};
template <typename T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
template <typename T>
struct IsStrongId : std::false_type {};
template <typename Tag>
struct IsStrongId<StrongId<Tag>> : std::true_type {};

template <DescribedStruct T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <typename T>
struct OwnerOfPointer;
template <typename Owner, typename Part>
struct OwnerOfPointer<Part Owner::*> {
  using type = Owner;
};
/// The type that describes a member: a base, for one that is inherited.
template <typename Member>
using OwnerOf = typename OwnerOfPointer<std::remove_cvref_t<decltype(Member::pointer)>>::type;

template <DescribedEnum T>
std::string_view nameOfEnum(T value) {
  std::string_view name;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto one) {
    if (one.value == value) name = jsonEnumName<T>(one.name);
  });
  return name;
}

template <DescribedEnum T>
std::optional<T> enumOfName(std::string_view name) {
  std::optional<T> value;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto one) {
    if (name == jsonEnumName<T>(one.name)) value = one.value;
  });
  return value;
}

template <DescribedEnum T>
std::string namesOfEnum() {
  std::string names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto one) {
    if (!names.empty()) names += ", ";
    names += jsonEnumName<T>(one.name);
  });
  return names;
}

void addDerived(json::object& out, const Instance& instance);
void addDerived(json::object& out, const OperationStep& step);
template <typename T>
void addDerived(json::object&, const T&) {}

/// out[name] = value; not inlined, because each member of each type calls it.
void put(json::object& out, std::string_view name, json::value value);

/// Neither write() nor read() is inlined: the functions of a type's members would become a part of each type that has them, at each place,
/// and the compiler would need several times as long.
template <typename T>
[[gnu::noinline]] json::value write(const T& value) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, double> || std::same_as<T, std::int64_t> || std::same_as<T, json::object> ||
                std::same_as<T, json::value>) {
    return value;
  } else if constexpr (std::same_as<T, std::string>) {
    return json::string(value);
  } else if constexpr (IsStrongId<T>::value) {
    return json::string(value.str());
  } else if constexpr (std::same_as<T, SystemTime>) {
    return value == SystemTime{} ? json::value(nullptr) : json::value(formatTime(value));
  } else if constexpr (std::same_as<T, Error>) {
    return errorToJson(value);
  } else if constexpr (DescribedEnum<T>) {
    return json::string(nameOfEnum(value));
  } else if constexpr (IsOptional<T>::value) {
    return value ? write(*value) : json::value(nullptr);
  } else if constexpr (IsVector<T>::value) {
    json::array out;
    out.reserve(value.size());
    for (const auto& element : value) out.push_back(write(element));
    return out;
  } else if constexpr (IsMap<T>::value) {
    json::object out;
    for (const auto& [key, element] : value) put(out, key, write(element));
    return out;
  } else {
    static_assert(DescribedStruct<T>, "describe the type with BOOST_DESCRIBE_STRUCT");
    json::object out;
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      const auto& part = value.*member.pointer;
      if constexpr (IsOptional<std::remove_cvref_t<decltype(part)>>::value) {
        if (!part) return;
      }
      if constexpr (requires { T::omitsFalse; } && std::same_as<std::remove_cvref_t<decltype(part)>, bool>) {
        if (!part) return;
      }
      put(out, jsonName<T>(member.name), write(part));
    });
    addDerived(out, value);
    return out;
  }
}

/// The object with the names that its members have now.
json::object presentNames(const NetworkConfig&, const json::object& given, const Sink& sink);
template <typename T>
const json::object& presentNames(const T&, const json::object& given, const Sink&) {
  return given;
}

/// Not templates: shared by every type.
void readInteger(const json::value& value, std::int64_t& out, const Path& path, Sink& sink);
void readDouble(const json::value& value, double& out, const Path& path, Sink& sink);
void readTime(const json::value& value, SystemTime& out, const Path& path, Sink& sink);

template <typename T>
void read(const json::value& value, T& out, const Path& path, Sink& sink);

/// The members of one object, while a described struct is read from it.
struct MemberReader {
  const json::object& object;
  const Path& path;
  Sink& sink;
  bool refusesNull;
  std::vector<std::string_view> known{};

  /// What is to be read into the member of this name, if anything.
  const json::value* take(std::string_view name);
  void refuseOthers(bool (*isDerived)(std::string_view));
};

template <DescribedStruct T>
void readStruct(const json::value& value, T& out, const Path& path, Sink& sink) {
  if (!value.is_object()) return sink.wrongType(path, "an object", value);
  MemberReader members{presentNames(out, value.get_object(), sink), path, sink, refusesNull<T>};
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    constexpr std::string_view name = jsonName<T>(decltype(member)::name);
    if (const json::value* part = members.take(name)) {
      read(*part, out.*member.pointer, path.member(name), sink);
      if constexpr (std::same_as<std::remove_cvref_t<decltype(out.*member.pointer)>, ProviderType>) sink.provider = out.*member.pointer;
    }
  });
  members.refuseOthers(isDerived<T>);
}

template <typename T>
[[gnu::noinline]] void read(const json::value& value, T& out, const Path& path, Sink& sink) {
  if constexpr (std::same_as<T, bool>) {
    if (!value.is_bool()) return sink.wrongType(path, "true or false", value);
    out = value.get_bool();
  } else if constexpr (std::same_as<T, std::int64_t>) {
    readInteger(value, out, path, sink);
  } else if constexpr (std::same_as<T, double>) {
    readDouble(value, out, path, sink);
  } else if constexpr (std::same_as<T, std::string> || IsStrongId<T>::value) {
    if (!value.is_string()) return sink.wrongType(path, "a string", value);
    out = T(std::string(value.get_string()));
  } else if constexpr (std::same_as<T, json::value>) {
    out = value;
  } else if constexpr (std::same_as<T, json::object>) {
    if (!value.is_object()) return sink.wrongType(path, "an object", value);
    out = value.get_object();
  } else if constexpr (std::same_as<T, SystemTime>) {
    readTime(value, out, path, sink);
  } else if constexpr (DescribedEnum<T>) {
    if (!value.is_string()) return sink.wrongType(path, "one of " + namesOfEnum<T>(), value);
    std::string_view name = value.get_string();
    if (auto found = enumOfName<T>(name)) {
      out = *found;
    } else {
      sink.add(path, "must be one of " + namesOfEnum<T>());
    }
  } else if constexpr (std::same_as<T, std::optional<Error>>) {
    out.reset();
    if (!value.is_null()) out = errorFromJson(value);
  } else if constexpr (IsOptional<T>::value) {
    if (value.is_null()) {
      out.reset();
    } else {
      if (!out) out.emplace();
      read(value, *out, path, sink);
    }
  } else if constexpr (IsVector<T>::value) {
    if (!value.is_array()) return sink.wrongType(path, "an array", value);
    out.clear();
    std::size_t index = 0;
    for (const json::value& element : value.get_array()) read(element, out.emplace_back(), path.element(index++), sink);
  } else if constexpr (IsMap<T>::value) {
    if (!value.is_object()) return sink.wrongType(path, "an object", value);
    out.clear();
    for (const auto& entry : value.get_object()) read(entry.value(), out[std::string(entry.key())], path.member(entry.key()), sink);
  } else {
    readStruct(value, out, path, sink);
  }
}

}  // namespace swarm::codec

namespace swarm {

template <typename T>
boost::json::value toJson(const T& value) {
  return codec::write(value);
}

template <typename T>
T decode(const boost::json::value& value, T base, std::string_view pointer, std::vector<FieldError>& faults, UnknownFields unknown) {
  codec::Sink sink{faults, unknown};
  codec::read(value, base, codec::Path{nullptr, {}, 0, false, pointer}, sink);
  return base;
}

template <typename Enum>
std::string_view enumName(Enum value) {
  return codec::nameOfEnum(value);
}

template <typename Enum>
std::optional<Enum> enumFromName(std::string_view name) {
  return codec::enumOfName<Enum>(name);
}

template <typename Enum>
std::string enumNames() {
  return codec::namesOfEnum<Enum>();
}

}  // namespace swarm
