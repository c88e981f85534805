// OpenEnum: a value of an enum that another program or another version of this one wrote. A name that the enum lacks is kept.
#pragma once

#include <string>

#include "model/codec/codec.h"

namespace swarm {

/// `Enum` has a value `unknown`, which is not among its described ones.
template <typename Enum>
class OpenEnum {
 public:
  OpenEnum(Enum value = Enum::unknown) : value_(value) {}
  static OpenEnum ofName(std::string name) {
    OpenEnum read = enumFromName<Enum>(name).value_or(Enum::unknown);
    if (read.value_ == Enum::unknown) read.unknown_name_ = std::move(name);
    return read;
  }
  Enum value() const { return value_; }
  std::string_view name() const { return value_ == Enum::unknown ? unknown_name_ : enumName(value_); }
  bool operator==(const OpenEnum&) const = default;
  bool operator==(Enum value) const { return value_ == value; }

 private:
  Enum value_;
  std::string unknown_name_;
};

}  // namespace swarm
