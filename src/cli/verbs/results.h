// What verbs on workspaces print, and the requests that they share.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace swarm::cli {

/// Throws Error(NotFound) that names `swarm list`.
Instance requireInstance(Context& context, const std::string& name);
/// Throws Error(Conflict) that names `swarm start` for one that is stopped. One that starts accepts connections later.
void requireStarted(const Instance& instance);
/// Before a verb enters a workspace: reports to an administrator that the entry is recorded, where it belongs to another user. The gateway
/// announces those of browsers.
void announceEntry(Context& context, const std::string& name);
/// The instance in its current state; `instance` when it was deleted.
Instance reload(Context& context, const Instance& instance);
/// Prints an instance after a verb: as JSON, YAML or by its name, or else its URL.
void printResult(Context& context, const Instance& instance);
/// Reports what is wrong with an instance that runs, such as a failed setup script.
void reportNotice(const Instance& instance);
/// Opens `url` of an instance in the desktop's browser, or prints it where there is none. Reports an instance that does not run.
void openInBrowser(const Instance& instance, const std::string& url);
/// Several instances are one list in JSON and YAML.
void printResults(Context& context, const std::vector<Instance>& instances);
/// Whether the provider limits a volume to its size; true when that is unknown.
bool enforcesStorage(Context& context, ProviderType type);
/// Reports each provider of these instances that does not.
void reportUnenforcedStorage(Context& context, const std::vector<Instance>& instances);
/// Whether the instances of one owner are in a network of their own; false when that is unknown.
bool networkPerOwner(Context& context, ProviderType type);
/// Requires a confirmation before these are deleted with their files, unless `yes`.
bool confirmDeletion(const std::vector<std::string>& names, bool yes);

}  // namespace swarm::cli
