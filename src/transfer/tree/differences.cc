// Readable differences between two manifests, which are read in parallel since both are in canonical order.
#include <compare>
#include <map>

#include "base/text/format.h"
#include "transfer/rounds/relay.h"
#include "transfer/tree/files.h"

namespace swarm::transfer {
namespace {

/// Directories in the order of the walk: '/' before every byte of a name.
std::strong_ordering compareDirectories(std::string_view left, std::string_view right) {
  const auto value = [](char byte) { return byte == '/' ? 0 : 1 + static_cast<int>(static_cast<unsigned char>(byte)); };
  for (std::size_t at = 0; at < left.size() && at < right.size(); ++at) {
    if (left[at] != right[at]) return value(left[at]) <=> value(right[at]);
  }
  return left.size() <=> right.size();
}

std::strong_ordering compareLines(const ManifestLine& left, const ManifestLine& right) {
  if (const auto order = left.storage <=> right.storage; std::is_neq(order)) return order;
  if (const auto order = compareDirectories(left.directory, right.directory); std::is_neq(order)) return order;
  return left.name <=> right.name;
}

std::map<std::string, std::string> fieldsOf(std::string_view facts) {
  std::map<std::string, std::string> fields;
  while (!facts.empty()) {
    const std::string_view field = facts.substr(0, facts.find(' '));
    facts.remove_prefix(std::min(facts.size(), field.size() + 1));
    const std::size_t equals = std::min(field.find('='), field.size());
    fields.emplace(field.substr(0, equals), field.substr(std::min(equals + 1, field.size())));
  }
  return fields;
}

std::string describeDifference(const ManifestLine& source, const ManifestLine& target) {
  const auto left = fieldsOf(source.facts);
  const auto right = fieldsOf(target.facts);
  std::string text;
  const auto value = [](const auto& fields, const std::string& key) {
    const auto found = fields.find(key);
    return found == fields.end() ? std::string("none") : found->second;
  };
  for (const char* key : {"type", "mode", "uid", "gid", "mtime", "size", "attributes", "target", "linked", "content"}) {
    const std::string here = value(left, key);
    const std::string there = value(right, key);
    if (here == there) continue;
    if (!text.empty()) text += "; ";
    const bool is_hash = std::string_view(key) == "content" || std::string_view(key) == "attributes" || std::string_view(key) == "target" ||
                         std::string_view(key) == "linked";
    text += is_hash ? format("different {}", key) : format("{} {} at the source, {} at the target", key, here, there);
  }
  return readable(text);
}

/// The lines of one side, read one at a time.
class Reader {
 public:
  Reader(Relay& relay, std::size_t peer) : relay_(relay), peer_(peer) {}

  awaitable<void> advance() {
    ++at_;
    while (!ended_ && at_ >= lines_.size()) {
      lines_ = co_await nextLines(relay_, peer_);
      at_ = 0;
      ended_ = lines_.empty() && relay_.peers[peer_].result.has_value();
    }
  }
  const ManifestLine* now() const { return at_ < lines_.size() ? &lines_[at_] : nullptr; }

 private:
  Relay& relay_;
  std::size_t peer_;
  std::vector<ManifestLine> lines_;
  std::size_t at_ = static_cast<std::size_t>(-1);
  bool ended_ = false;
};

}  // namespace

awaitable<std::vector<Note>> compareManifests(Relay& relay, const Scope& scope, std::size_t maximum) {
  Reader source(relay, 0);
  Reader target(relay, 1);
  co_await source.advance();
  co_await target.advance();
  std::vector<Note> notes;
  const auto add = [&](const ManifestLine& line, std::string reason) {
    if (notes.size() >= maximum) return;
    const std::string_view mount = line.storage < scope.storages.size() ? std::string_view(scope.storages[line.storage]) : "?";
    notes.push_back({describePath(mount, line.directory, line.name), std::move(reason)});
  };
  while (source.now() || target.now()) {
    const auto order = !source.now()   ? std::strong_ordering::greater
                       : !target.now() ? std::strong_ordering::less
                                       : compareLines(*source.now(), *target.now());
    if (std::is_lt(order)) add(*source.now(), "is missing at the target");
    if (std::is_gt(order)) add(*target.now(), "exists only at the target");
    if (std::is_eq(order) && source.now()->facts != target.now()->facts)
      add(*source.now(), describeDifference(*source.now(), *target.now()));
    if (std::is_lteq(order)) co_await source.advance();
    if (std::is_gteq(order)) co_await target.advance();
  }
  co_return notes;
}

}  // namespace swarm::transfer
