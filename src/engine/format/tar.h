// A minimal ustar writer, for the archives that the Engine unpacks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::engine {

/// Builds an archive in memory. Names are relative, at most 100 bytes; owner and group are root.
class TarWriter {
 public:
  void addFolder(std::string_view name, unsigned mode);
  void addFile(std::string_view name, unsigned mode, std::string_view content);
  void addLink(std::string_view name, std::string_view target);  ///< symbolic
  std::string finish() &&;                                       ///< with the two empty blocks at the end

 private:
  void addHeader(std::string_view name, unsigned mode, std::uint64_t size, char type, std::string_view link);
  std::string bytes_;
};

}  // namespace swarm::engine
