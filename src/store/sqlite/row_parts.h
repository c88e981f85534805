// What the files with the SQL of the tables share.
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/text/format.h"
#include "sqlite/database.h"

namespace swarm::sqlite {

inline std::int64_t toNumber(SystemTime time) { return time.time_since_epoch().count(); }
inline SystemTime toTime(std::int64_t milliseconds) { return SystemTime(std::chrono::milliseconds(milliseconds)); }

inline void requireOne(std::int64_t changed, std::string_view what, std::string_view id) {
  if (changed == 0) throw Error(ErrorCode::NotFound, format("The store has no {} {}.", what, id));
}

/// What `read` makes of each row.
template <typename Read>
auto collect(Rows rows, Read read) {
  std::vector<std::invoke_result_t<Read&, const Rows&>> out;
  while (rows.next()) out.push_back(read(rows));
  return out;
}

}  // namespace swarm::sqlite
