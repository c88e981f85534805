// Opens a workspace in the desktop's browser.
#pragma once

#include <string>

#include "model/types/instance.h"

namespace swarm::cli {

/// Opens `url`, or prints it where there is no browser. Reports an instance that does not run.
void openInBrowser(const Instance& instance, const std::string& url);
/// The report alone.
void reportStopped(const Instance& instance);

}  // namespace swarm::cli
