// Flags that several verbs have, and what their values mean.
#pragma once

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text/format.h"
#include "cli/arguments.h"
#include "cli/context.h"
#include "model/codec/codec.h"

namespace swarm::cli {

/// --no-wait and --timeout.
struct WaitFlags {
  bool noWait = false;
  std::chrono::seconds timeout{900};
  void declare(Arguments& arguments);
};
inline constexpr std::chrono::hours kLongWait{24};  // of a move or a snapshot

/// --cpus, --memory, --memory-min, --disk, --pids.
class ResourceFlags {
 public:
  void declare(Arguments& arguments);
  bool given() const;
  bool givesDisk() const { return flags_.storage->size.has_value(); }
  ResourcePatch patch() const;

 private:
  ResourcePatch flags_{.cpu = CpuPatch{}, .memory = MemoryPatch{}, .storage = StorageResourcePatch{}};
};
/// --no-new-privileges and --read-only-root.
class SecurityFlags {
 public:
  void declare(Arguments& arguments);
  bool given() const { return !no_new_privileges_.empty() || !read_only_root_.empty(); }
  SecurityPatch patch() const;

 private:
  std::string no_new_privileges_, read_only_root_;  ///< "", "on", "off"
};
/// --egress and --egress-allow.
class EgressFlags {
 public:
  void declare(Arguments& arguments);
  bool given() const { return !policy_.empty() || !allow_.empty(); }
  EgressPatch patch() const;  ///< throws WrongUse

 private:
  std::string policy_;
  std::vector<std::string> allow_;
};
/// The policy and what it allows nevertheless, for people; empty: none of the instance's own.
std::string egressText(const Instance& instance);

/// What is on, for people.
std::string securityText(const SecurityConfig& security);

/// What these flags set, as label and text; an empty text is not shown.
std::vector<std::pair<std::string_view, std::string>> resourceRows(const ResourceConfig& resources);

/// "K=V" → pair. Throws WrongUse that names `flag`.
std::pair<std::string, std::string> parseKeyValue(const std::string& text, const std::string& flag);
std::map<std::string, std::string> parsePairs(const std::vector<std::string>& texts, const std::string& flag);

/// "30m", "8h" or "7d". Throws WrongUse that names `flag`.
std::chrono::minutes parseSpan(const std::string& text, const std::string& flag);

/// The provider of that name; empty: none was given. Throws WrongUse with the names of those that the server has.
std::optional<ProviderType> parseProvider(Context& context, const std::string& text, const std::string& flag);

template <typename Enum>
Values enumValues() {
  Values values;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>([&](auto one) { values.words.emplace_back(one.name); });
  return values;
}

template <typename Enum>
std::optional<Enum> parseEnum(const std::string& text, const std::string& flag) {
  if (text.empty()) return std::nullopt;
  auto value = enumFromName<Enum>(text);
  if (!value) throw WrongUse(format("{} {}: expected one of {}.", flag, text, enumNames<Enum>()));
  return value;
}

/// What create and import share: the flags that describe a new workspace, and its creation.
struct CreateFlags {
  std::string name;
  std::string provider;
  std::vector<std::string> regions;  ///< tried in this order
  std::string image;
  ResourceFlags resources;
  std::vector<std::string> env;     ///< K=V
  std::vector<std::string> labels;  ///< K=V
  std::vector<std::int64_t> ports;
  std::vector<std::string> volumes;  ///< [NAME:]/path[:GiB]
  bool ephemeral = false;            ///< volumes are deleted with the instance
  bool internalNetwork = false;
  SecurityFlags security;
  EgressFlags egress;
  std::string setupFile;  ///< "-": stdin
  std::vector<std::string> command;

  void declare(Arguments& arguments);
};

/// Begins the creation. Throws WrongUse.
StartedOperation beginCreate(Context& context, const CreateFlags& flags);
/// Creates an instance and waits until it runs.
Instance createAndWait(Context& context, const CreateFlags& flags, std::chrono::seconds timeout);

}  // namespace swarm::cli
