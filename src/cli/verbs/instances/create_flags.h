// What create and import share: the flags that describe a new workspace, and its creation.
#pragma once

#include <string>
#include <vector>

#include "cli/verbs/flags.h"

namespace swarm::cli {

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
  std::string setupFile;  ///< "-": stdin
  std::vector<std::string> command;

  void declare(Arguments& arguments);
};

/// Begins the creation. Throws WrongUse.
StartedOperation beginCreate(Context& context, const CreateFlags& flags);
/// Creates an instance and waits until it runs.
Instance createAndWait(Context& context, const CreateFlags& flags, std::chrono::seconds timeout);

}  // namespace swarm::cli
