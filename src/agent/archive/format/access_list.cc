// The attribute has the format of linux/posix_acl_xattr.h: version 2, then tag, permissions and id, little endian.
#include "agent/archive/format/access_list.h"

#include <archive.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace swarm::agent {
namespace {

constexpr std::string_view kAccess = "system.posix_acl_access";
constexpr std::string_view kDefault = "system.posix_acl_default";
constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kItemBytes = 8;
constexpr unsigned kVersion = 2;
constexpr std::size_t kMaxItems = 8'000;  // as many as fit into 64 KiB

constexpr unsigned kMaskTag = 0x10;

struct Tag {
  unsigned kernel;
  int library;
  bool named;
};
constexpr std::array<Tag, 6> kTags{{{0x01, ARCHIVE_ENTRY_ACL_USER_OBJ, false},
                                    {0x02, ARCHIVE_ENTRY_ACL_USER, true},
                                    {0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ, false},
                                    {0x08, ARCHIVE_ENTRY_ACL_GROUP, true},
                                    {kMaskTag, ARCHIVE_ENTRY_ACL_MASK, false},
                                    {0x20, ARCHIVE_ENTRY_ACL_OTHER, false}}};

unsigned numberAt(std::string_view bytes, std::size_t at, std::size_t length) {
  unsigned number = 0;
  for (std::size_t i = length; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

void putNumber(std::string& bytes, unsigned number, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) bytes += static_cast<char>(number >> (8 * i));
}

std::string valueOf(archive_entry* entry, int type) {
  struct Item {
    unsigned tag, id, permissions;
  };
  std::vector<Item> items;
  archive_entry_acl_reset(entry, type);
  int its_type = 0, permissions = 0, tag = 0, id = 0;
  const char* name = nullptr;
  while (archive_entry_acl_next(entry, type, &its_type, &permissions, &tag, &id, &name) == ARCHIVE_OK && items.size() < kMaxItems) {
    const auto* known = std::ranges::find(kTags, tag, &Tag::library);
    if (known == kTags.end()) continue;
    items.push_back({known->kernel, known->named ? static_cast<unsigned>(id) : ~0U, static_cast<unsigned>(permissions) & 7});
  }
  if (items.empty()) return {};
  std::ranges::sort(items, {}, [](const Item& item) { return std::pair(item.tag, item.id); });  // as the kernel requires
  std::string value;
  putNumber(value, kVersion, kHeadBytes);
  for (const Item& item : items) {
    putNumber(value, item.tag, 2);
    putNumber(value, item.permissions, 2);
    putNumber(value, item.id, 4);
  }
  return value;
}

}  // namespace

bool addAccessList(archive_entry* entry, const transfer::Attribute& attribute) {
  if (attribute.name != kAccess && attribute.name != kDefault) return false;
  int type = attribute.name == kAccess ? ARCHIVE_ENTRY_ACL_TYPE_ACCESS : ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
  std::string_view value = attribute.value;
  if (value.size() < kHeadBytes || numberAt(value, 0, kHeadBytes) != kVersion) return true;
  for (std::size_t at = kHeadBytes; at + kItemBytes <= value.size(); at += kItemBytes) {
    const auto* known = std::ranges::find(kTags, numberAt(value, at, 2), &Tag::kernel);
    if (known == kTags.end()) continue;
    int id = known->named ? static_cast<int>(numberAt(value, at + 4, 4)) : -1;
    archive_entry_acl_add_entry(entry, type, static_cast<int>(numberAt(value, at + 2, 2)), known->library, id, nullptr);
  }
  return true;
}

transfer::Attributes accessListsOf(archive_entry* entry) {
  transfer::Attributes lists;
  for (auto [type, name] : {std::pair(ARCHIVE_ENTRY_ACL_TYPE_ACCESS, kAccess), std::pair(ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, kDefault)}) {
    if ((archive_entry_acl_types(entry) & type) == 0) continue;
    if (std::string value = valueOf(entry, type); !value.empty()) lists.push_back({std::string(name), value});
  }
  return lists;
}

std::uint32_t modeWithMask(std::uint32_t mode, const transfer::Attributes& attributes) {
  auto list = std::ranges::find(attributes, kAccess, &transfer::Attribute::name);
  if (list == attributes.end()) return mode;
  for (std::size_t at = kHeadBytes; at + kItemBytes <= list->value.size(); at += kItemBytes) {
    if (numberAt(list->value, at, 2) == kMaskTag) return (mode & ~070U) | numberAt(list->value, at + 2, 2) << 3;
  }
  return mode;
}

}  // namespace swarm::agent
