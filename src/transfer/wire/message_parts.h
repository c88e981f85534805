// Internal: the two ways in which describe() (messages.cc) visits the members of a message.
#pragma once

#include <type_traits>

#include "transfer/wire/wire.h"

namespace swarm::transfer {

/// Writes.
struct Put {
  static constexpr bool kReads = false;
  void number(auto value, std::uint64_t = 0) { out.number(static_cast<std::uint64_t>(value)); }
  void signedNumber(std::int64_t value) { out.signedNumber(value); }
  void fixed(std::uint64_t value) { out.fixed(value); }
  void size(std::int64_t value) { number(value); }
  void flag(bool value) { out.flag(value); }
  void text(std::string_view value, std::size_t = 0) { out.bytes(value); }
  void list(const auto& items, std::size_t, auto each) {
    number(items.size());
    for (const auto& item : items) each(item);
  }
  Encoder out;
};

/// Reads, with the maximum of each member. Throws as Decoder.
struct Get {
  static constexpr bool kReads = true;
  explicit Get(std::string_view payload) : in(payload) {}
  template <typename Number>
  void number(Number& value, std::uint64_t maximum = UINT64_MAX) {
    value = static_cast<Number>(in.number(maximum));
  }
  void signedNumber(std::int64_t& value) { value = in.signedNumber(); }
  void fixed(std::uint64_t& value) { value = in.fixed(); }
  void size(std::int64_t& value) { value = in.size(); }
  void flag(bool& value) { value = in.flag(); }
  void text(std::string& value, std::size_t maximum = kMaxPayload) { value = in.bytes(maximum); }
  /// Items that take at least `min_bytes` each.
  void list(auto& items, std::size_t min_bytes, auto each) {
    for (std::size_t left = in.count(min_bytes); left > 0; --left) each(items.emplace_back());
  }
  Decoder in;
};

template <typename Io, typename Message>
using Part = std::conditional_t<Io::kReads, Message, const Message>;

}  // namespace swarm::transfer
