// Headers of POSIX tar: read strictly, because tar reads them after us and must understand the same.
#include "agent/tar_gate.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/error.h"
#include "base/format.h"
#include "base/utf8.h"

namespace swarm::agent {
namespace {
constexpr std::size_t kMostExtended = 4 * 1024 * 1024;  // attributes are at most 64 KiB each
constexpr std::size_t kMostOwn = 1024 * 1024;
constexpr std::uint64_t kMostSize = 1ULL << 50;
constexpr std::uint64_t kMostMode = 07777;

struct Field {
  std::size_t at, length;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12}, kModified{136, 12}, kChecksum{148, 8},
    kLink{157, 100}, kMagic{257, 8}, kPrefix{345, 155};
constexpr std::size_t kType = 156;
constexpr std::string_view kUstar(
    "ustar\0"
    "00",
    8);

[[noreturn]] void refuse(std::string why) { throw Error(ErrorCode::Unprocessable, std::move(why)); }
[[noreturn]] void refuseForm() { refuse("This is no archive of `swarm export`: it is not in its form of tar, or it is damaged."); }

std::string_view textAt(std::string_view block, Field field) {
  std::string_view text = block.substr(field.at, field.length);
  return text.substr(0, text.find('\0'));
}

std::uint64_t numberAt(std::string_view block, Field field) {
  std::string_view text = block.substr(field.at, field.length);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 8);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) refuseForm();
  return number;
}

std::uint64_t sumOf(std::string_view block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    bool own = i >= kChecksum.at && i < kChecksum.at + kChecksum.length;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

void put(std::string& block, Field field, std::string_view text) { block.replace(field.at, text.size(), text); }

std::uint64_t padded(std::uint64_t size) { return (size + kTarBlock - 1) / kTarBlock * kTarBlock; }

std::uint64_t decimal(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) refuseForm();
  return number;
}

std::string nameOf(std::string_view block) {
  std::string name(textAt(block, kName));
  std::string_view prefix = textAt(block, kPrefix);
  return prefix.empty() ? name : format("{}/{}", prefix, name);
}

std::string shown(std::string_view name) { return toValidUtf8(name); }

}  // namespace

std::string tarMember(std::string_view name, std::string_view content, std::int64_t modified) {
  std::string block(kTarBlock, '\0');
  put(block, kName, name);
  put(block, kMode, "0000644");
  put(block, kOwner, "0000000");
  put(block, kGroup, "0000000");
  put(block, kSize, format("{:011o}", content.size()));
  put(block, kModified, format("{:011o}", modified));
  block[kType] = '0';
  put(block, kMagic, kUstar);
  put(block, kChecksum, format("{:06o}", sumOf(block)));
  block[kChecksum.at + 7] = ' ';
  block += content;
  block.resize(kTarBlock + padded(content.size()));
  return block;
}

void TarGate::setStorages(std::vector<std::string> storages) {
  for (std::string& storage : storages) storages_.push_back(storage.substr(std::min(storage.find_first_not_of('/'), storage.size())));
  storages_known_ = true;
}

void TarGate::feed(std::string_view bytes, std::string& out) {
  pending_ += bytes;
  taken_ = 0;
  while (step(out)) {
  }
  pending_.erase(0, taken_);
}

/// Takes one header, or one piece of content. False: more must come first.
bool TarGate::step(std::string& out) {
  std::string_view waiting = std::string_view(pending_).substr(taken_);
  if (state_ == State::Ended) {
    taken_ = pending_.size();  // tar pads its last record
    return false;
  }
  if (state_ == State::Header) {
    if (waiting.size() < kTarBlock || (manifest_ && !storages_known_)) return false;
    taken_ += kTarBlock;
    takeHeader(waiting.substr(0, kTarBlock), out);
    return true;
  }
  if (left_ > 0 && waiting.empty()) return false;
  auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, waiting.size()));
  std::string_view piece = waiting.substr(0, take);
  if (state_ == State::Pass) out += piece;
  if (state_ == State::Extended || state_ == State::Own) collected_ += piece;
  taken_ += take;
  left_ -= take;
  if (left_ > 0) return true;
  collected_.resize(collected_.size() - std::min<std::size_t>(collected_.size(), static_cast<std::size_t>(padding_)));
  State done = std::exchange(state_, State::Header);
  if (done == State::Extended) takeExtended();
  if (done == State::Own && !manifest_) manifest_ = collected_;
  return true;
}

void TarGate::takeHeader(std::string_view block, std::string& out) {
  if (std::ranges::all_of(block, [](char byte) { return byte == '\0'; })) {
    if (!held_back_.empty() || !manifest_) refuseForm();
    out += block;
    if (++empty_blocks_ == 2) state_ = State::Ended;
    return;
  }
  if (empty_blocks_ > 0 || block.substr(kMagic.at, kMagic.length) != kUstar || numberAt(block, kChecksum) != sumOf(block)) refuseForm();
  if (numberAt(block, kMode) > kMostMode) refuseForm();  // some take a file's kind from it
  char type = block[kType];
  std::uint64_t size = numberAt(block, kSize);
  if (type == 'x') {
    if (!held_back_.empty() || size > kMostExtended || !manifest_) refuseForm();
    held_back_ = block;
    collected_.clear();
    state_ = State::Extended;
  } else {
    takeMember(block, type, extended_.size.value_or(size), out);
    extended_ = {};
    held_back_.clear();
    size = left_;
  }
  if (size > kMostSize) refuseForm();
  padding_ = padded(size) - size;
  left_ = padded(size);
}

/// Decides about one member; afterwards left_ is its content's size.
void TarGate::takeMember(std::string_view block, char type, std::uint64_t size, std::string& out) {
  std::string header_name = extended_.path.value_or(nameOf(block));
  left_ = size;
  if (header_name == kArchiveManifest || header_name == kArchiveNotes) {
    if (size > kMostOwn || type != '0' || (header_name == kArchiveManifest) != !manifest_) refuseForm();
    collected_.clear();
    state_ = State::Own;
    return;
  }
  if (!manifest_) refuse("This is no archive of `swarm export`: it does not begin with swarm-workspace.json.");
  if (extended_.sparse && (extended_.sparseMajor != 1U || extended_.sparseMinor != 0U || !extended_.sparseName)) refuseForm();
  std::string name = extended_.sparseName.value_or(header_name);
  checkName(header_name);
  checkName(name);
  bool has_content = type == '0' || type == '\0';
  if (type == '1') {
    checkName(extended_.link.value_or(std::string(textAt(block, kLink))));
  } else if (type == '3' || type == '4') {
    notes_.add(shown(name), "a device is not unpacked");
    state_ = State::Drop;
    if (size != 0) refuseForm();
    return;
  } else if (!has_content && type != '2' && type != '5' && type != '6') {
    refuseForm();
  }
  if (!has_content && size != 0) refuseForm();
  ++files_;
  bytes_ += static_cast<std::int64_t>(size);
  out += held_back_;
  out += block;
  state_ = State::Pass;
}

void TarGate::takeExtended() {
  std::string_view records = collected_;
  while (!records.empty()) {
    auto space = records.find(' ');
    if (space == std::string_view::npos) refuseForm();
    std::uint64_t length = decimal(records.substr(0, space));
    if (length <= space + 1 || length > records.size() || records[static_cast<std::size_t>(length) - 1] != '\n') refuseForm();
    std::string_view record = records.substr(space + 1, static_cast<std::size_t>(length) - space - 2);
    auto equals = record.find('=');
    if (equals == std::string_view::npos) refuseForm();
    noteRecord(record.substr(0, equals), record.substr(equals + 1));
    records.remove_prefix(static_cast<std::size_t>(length));
  }
  held_back_ += collected_;
  held_back_.resize(padded(held_back_.size()));
}

void TarGate::noteRecord(std::string_view key, std::string_view value) {
  auto once = [](auto& member, auto parsed) {
    if (member) refuseForm();
    member = std::move(parsed);
  };
  if (key == "path") return once(extended_.path, std::string(value));
  if (key == "linkpath") return once(extended_.link, std::string(value));
  if (key == "size") return once(extended_.size, decimal(value));
  if (!key.starts_with("GNU.")) return;
  extended_.sparse = true;
  if (key == "GNU.sparse.name") return once(extended_.sparseName, std::string(value));
  if (key == "GNU.sparse.major") return once(extended_.sparseMajor, decimal(value));
  if (key == "GNU.sparse.minor") return once(extended_.sparseMinor, decimal(value));
  if (key != "GNU.sparse.realsize") refuseForm();
}

bool TarGate::isInside(std::string_view name) const {
  return std::ranges::any_of(storages_, [&](const std::string& storage) {
    return name.starts_with(storage) && (name.size() == storage.size() || name[storage.size()] == '/');
  });
}

void TarGate::checkName(std::string_view name) const {
  std::string_view rest = name;
  if (rest.ends_with('/')) rest.remove_suffix(1);
  bool proper = isInside(rest) && name.find('\0') == std::string_view::npos;
  while (proper && !rest.empty()) {
    auto slash = rest.find('/');
    std::string_view part = rest.substr(0, slash);
    proper = !part.empty() && part != "." && part != "..";
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  if (!proper)
    refuse(format("The archive wants to write or link outside of its storages: \"{}\". Nothing of it is to be trusted.", shown(name)));
}

}  // namespace swarm::agent
