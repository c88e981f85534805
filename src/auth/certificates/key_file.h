// The files of `[ssh]`: lines of text, comments (#) and empty lines.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/text/format.h"

namespace swarm {

/// Calls `use` with each line that is neither empty nor a comment. An Error that it throws gets the number of the line.
void forEachLine(std::string_view text, const std::function<void(std::string_view line)>& use);

/// Throws Error(InvalidArgument) when it cannot be read, or is larger than a list of keys can be.
std::string readKeyText(const std::filesystem::path& file);

/// What `parse` makes of the file. Throws Error(InvalidArgument), with the key of the configuration.
template <typename Parse>
auto readKeyFile(std::string_view key, const std::filesystem::path& file, Parse parse) {
  try {
    return parse(readKeyText(file));
  } catch (const Error& error) {
    throw Error(ErrorCode::InvalidArgument, format("[ssh] {}, {}, cannot be used: {}.", key, file.native(), error.message()));
  }
}

}  // namespace swarm
