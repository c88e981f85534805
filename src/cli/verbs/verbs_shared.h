// What several verbs on instances have in common.
#pragma once

#include "base/text/format.h"
#include "cli/verbs/verbs.h"
#include "cli/wrong_use.h"
#include "model/codec/codec.h"
#include "model/titles.h"

namespace swarm::cli {

template <typename Enum>
std::optional<Enum> parseEnum(const std::string& text, const std::string& flag) {
  if (text.empty()) return std::nullopt;
  auto value = enumFromName<Enum>(text);
  if (!value) throw WrongUse(format("{} {}: expected one of {}.", flag, text, enumNames<Enum>()));
  return value;
}

/// Creates an instance and waits until it runs.
Instance createAndWait(Context& context, const CreateFlags& flags);
/// Puts what was given into `resources`.
ResourcePatch patchOf(const ResourceFlags& flags);
/// Prints an instance after a verb: JSON, YAML or its name as asked; for people, its URL.
void printResult(Context& context, const Instance& instance);
/// Of several, JSON and YAML are one list.
void printResults(Context& context, const std::vector<Instance>& instances);
/// The provider of that name; empty: none was named. Throws WrongUse with the names of those that the server has.
std::optional<ProviderType> parseProvider(Context& context, const std::string& text, const std::string& flag);
/// Whether the provider limits what a volume holds to its size. Where the server does not tell of the provider, nothing is claimed of it.
bool enforcesStorage(Context& context, ProviderType type);
std::string noSuchWorkspace(const std::string& name);
/// The instance as it is now; as it was when it is gone.
Instance reload(Context& context, const Instance& instance);

}  // namespace swarm::cli
