// RevokedKeys: the file `[ssh] revokedKeys`, which an administrator changes while the server runs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "auth/certificates/revoked_key_list.h"
#include "base/files/file_mark.h"

namespace swarm {

/// Thread-safe.
class RevokedKeys {
 public:
  /// `file`: empty: none is revoked. `note_revocation` is called after a change. Throws Error(InvalidArgument) when the file cannot be
  /// used.
  RevokedKeys(std::filesystem::path file, std::function<void()> note_revocation);

  /// Reads the file if it has changed. Call it a few times a second, on one thread.
  void refresh();

  /// As the file was when it could be used last: open connections may go on while an administrator mends it.
  std::shared_ptr<const RevokedKeyList> list() const;
  /// The file cannot be used: what it revokes is unknown, so no sign-in may be accepted.
  bool isUnknown() const;

 private:
  std::shared_ptr<const RevokedKeyList> load();
  void put(std::shared_ptr<const RevokedKeyList> list);  ///< null: unknown

  const std::filesystem::path file_;
  const std::function<void()> note_revocation_;
  FileMark seen_{};
  std::string fault_;  ///< of the last attempt
  mutable std::mutex mutex_;
  std::shared_ptr<const RevokedKeyList> list_;
  bool is_unknown_ = false;
};

}  // namespace swarm
