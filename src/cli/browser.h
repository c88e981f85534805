// Opens links in the user's browser.
#pragma once

#include <string>
#include <string_view>

namespace swarm::cli {

/// Whether a link from the server may be opened: any other text could be a file, an option of xdg-open, or the link of another program.
bool isWebLink(std::string_view url);
/// False where there is no desktop.
bool startBrowser(const std::string& url);

}  // namespace swarm::cli
