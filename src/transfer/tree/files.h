// Files relative to open directories: paths are never too long, and symbolic links are never followed.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/files/descriptor.h"
#include "transfer/wire/messages.h"

namespace swarm::transfer {

/// For display: printable (base/text/untrusted_text.h), with other bytes as \xNN. Shows the end of a long path.
std::string readable(std::string_view path);

/// "mount path/directory/name" for display.
std::string describePath(std::string_view mount, std::string_view directory, std::string_view name = {});

/// Throws the Error for `error` (an errno) at `path`: "Could not write "/home/dev/a": No space left on device.". OutOfResources for a full
/// disk, Unprocessable for what the file system does not allow, UpstreamFailed otherwise.
[[noreturn]] void failAt(const char* doing, const std::string& path, int error);

/// Opens the directory `path` ("" for the top itself) below `top`; invalid with errno when a component is missing or not a directory.
Descriptor openBelow(int top, std::string_view path, int flags = 0);

/// Sorted bytewise. Throws std::system_error.
std::vector<std::string> namesIn(int directory);
/// The same; throws Error, which names the directory.
std::vector<std::string> namesIn(int directory, const std::string& shown);

Facts factsOf(const struct stat& status);
EntryType typeOf(const struct stat& status);  ///< of a directory, regular file or symbolic link
bool isCarried(const struct stat& status);    ///< whether it is one of these

/// The transferred attributes of `name` in `directory`, or of the directory itself for an empty name; never those of a symbolic link's
/// target. Empty when the file system has none, or when the file vanished. Throws std::system_error.
Attributes readAttributes(int directory, const std::string& name);
Attributes readAttributes(int file);

/// The target of a symbolic link; empty with errno when it cannot be read.
std::string readLink(int directory, const std::string& name);

/// Sets owner, attributes, mode and times of an open file or directory where they differ, in an order in which no step undoes another.
void applyFacts(int file, const Facts& facts, const Attributes& attributes, const std::string& path);
/// Sets owner and times of a symbolic link.
void applyLinkFacts(int directory, const std::string& name, const Facts& facts, const std::string& path);

}  // namespace swarm::transfer
