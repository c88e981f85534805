// Access lists between the kernel's attributes and libarchive's entries, which write them as other programs read them.
#pragma once

#include <archive_entry.h>

#include <cstdint>

#include "transfer/messages.h"

namespace swarm::agent {

/// Whether it is an access list: then it has been added to the entry. A list that is not understood is not added.
bool addAccessList(archive_entry* entry, const transfer::Attribute& attribute);
/// The lists of an entry as attributes; none where the mode says as much.
transfer::Attributes accessListsOf(archive_entry* entry);
/// The mode as the kernel shows it: with a list, its group bits are the list's mask. The library has the group's own there.
std::uint32_t modeWithMask(std::uint32_t mode, const transfer::Attributes& attributes);

}  // namespace swarm::agent
