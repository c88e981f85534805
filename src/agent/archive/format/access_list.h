// Converts access lists between the kernel's attributes and libarchive's entries, which use the interchange format.
#pragma once

#include <archive_entry.h>

#include <cstdint>

#include "transfer/wire/messages.h"

namespace swarm::agent {

/// Whether it is an access list: then it has been added to the entry. A malformed list is not added.
bool addAccessList(archive_entry* entry, const transfer::Attribute& attribute);
/// The lists of an entry as attributes; none if they are equivalent to the mode.
transfer::Attributes accessListsOf(archive_entry* entry);
/// The mode as the kernel shows it: with a list, its group bits are the list's mask. libarchive stores the group's own bits there.
std::uint32_t modeWithMask(std::uint32_t mode, const transfer::Attributes& attributes);

}  // namespace swarm::agent
