#include "auth/certificates/revoked_keys.h"

#include "auth/certificates/key_file.h"
#include "base/diagnostics/log.h"
#include "base/error.h"

namespace swarm {
RevokedKeys::RevokedKeys(std::filesystem::path file, std::function<void()> note_revocation)
    : file_(std::move(file)), note_revocation_(std::move(note_revocation)), list_(std::make_shared<RevokedKeyList>()) {
  if (!file_.empty()) list_ = load();
}

void RevokedKeys::refresh() {
  if (file_.empty() || (markOf(file_) == seen_ && fault_.empty())) return;
  try {
    put(load());
    fault_.clear();
    note_revocation_();
    log::info("revoked SSH keys loaded", {{"file", file_.native()}});
  } catch (const Error& error) {
    put(nullptr);
    if (fault_ != error.message())
      log::error("no sign-in to the SSH listener is accepted until the list of revoked keys can be used", {{"reason", error.message()}});
    fault_ = error.message();
  }
}

std::shared_ptr<const RevokedKeyList> RevokedKeys::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

bool RevokedKeys::isUnknown() const {
  const std::lock_guard lock(mutex_);
  return is_unknown_;
}

std::shared_ptr<const RevokedKeyList> RevokedKeys::load() {
  seen_ = markOf(file_);
  return std::make_shared<RevokedKeyList>(readKeyFile("revokedKeys", file_, RevokedKeyList::parse));
}

void RevokedKeys::put(std::shared_ptr<const RevokedKeyList> list) {
  const std::lock_guard lock(mutex_);
  is_unknown_ = !list;
  if (list) list_ = std::move(list);
}

}  // namespace swarm
