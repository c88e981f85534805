// Files relative to open directories: no path is ever too long, and no symbolic link is ever followed.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "transfer/descriptor.h"
#include "transfer/messages.h"

namespace swarm::transfer {

/// For people: printable (base/untrusted_text.h), with other bytes as \xNN. Of a long path the end.
std::string readable(std::string_view path);

/// "mount path/directory/name" for people.
std::string describePath(std::string_view mount, std::string_view directory, std::string_view name = {});

/// Throws the Error for `error` (an errno) at `path`: "Could not write "/home/dev/a": No space left on device.". OutOfResources for a full
/// disk, Unprocessable for what can't be done there, UpstreamFailed for the rest.
[[noreturn]] void failAt(const char* doing, const std::string& path, int error);

/// Opens the directory `path` ("" for the top itself) below `top`; invalid with errno when a component is missing or no directory.
Descriptor openBelow(int top, std::string_view path, int flags = 0);

/// Sorted as bytes. Throws std::system_error.
std::vector<std::string> namesIn(int directory);

Facts factsOf(const struct stat& status);
EntryType typeOf(const struct stat& status);  ///< of a directory, regular file or symbolic link
bool isCarried(const struct stat& status);    ///< whether it is one of these

/// The carried attributes of `name` in `directory`, or of the directory itself for an empty name; never of what a symbolic link points to.
/// Empty when the file system has none, or what is asked vanished. Throws std::system_error.
Attributes readAttributes(int directory, const std::string& name);
Attributes readAttributes(int file);

/// The target of a symbolic link; empty with errno when it can't be read.
std::string readLink(int directory, const std::string& name);

/// Sets owner, attributes, mode and times of an open file or directory where they differ, in the order in which none undoes another.
void applyFacts(int file, const Facts& facts, const Attributes& attributes, const std::string& path);
/// Owner and times of a symbolic link.
void applyLinkFacts(int directory, const std::string& name, const Facts& facts, const std::string& path);

}  // namespace swarm::transfer
