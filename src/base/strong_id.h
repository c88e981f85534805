// StrongId: a string that identifies one kind of thing. Ids of different kinds do not convert to each other, and do not compare.
#pragma once

#include <compare>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>

namespace swarm {

/// `Tag` is an incomplete class, different for each kind.
template <typename Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const StrongId&) const = default;

 private:
  std::string text_;
};

template <typename Tag>
std::ostream& operator<<(std::ostream& out, const StrongId<Tag>& id) {
  return out << id.str();
}

}  // namespace swarm

template <typename Tag>
struct std::hash<swarm::StrongId<Tag>> {
  std::size_t operator()(const swarm::StrongId<Tag>& id) const { return std::hash<std::string>()(id.str()); }
};
