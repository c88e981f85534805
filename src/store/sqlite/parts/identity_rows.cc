#include "store/sqlite/parts/identity_rows.h"

#include <boost/json/serialize.hpp>

#include "base/text/format.h"
#include "model/codec/codec_detail.h"
#include "store/sqlite/row_parts.h"
#include "store/sqlite/rows.h"

namespace swarm::sqlite {
namespace {

Identity identityOf(const Rows& rows) {
  auto identity = fromJson<Identity>(parseJson(rows.text(0), "A row of the database", 64), UnknownFields::Ignore);
  identity.user = rows.text(1);
  return identity;
}

void write(Database& database, const Identity& identity) {
  database.execute(
      "INSERT INTO identities(issuer, subject, user, email, body) VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT(issuer, subject) DO UPDATE SET email = excluded.email, body = excluded.body",
      {identity.issuer, identity.subject, identity.user, identity.email, boost::json::serialize(toJson(identity))});
}

}  // namespace

awaitable<std::vector<Identity>> SqliteIdentities::list(IdentityFilter filter) {
  std::vector<Identity> out;
  co_await writer_.run(JobKind::Read, [&](Database& database) {
    out = collect(database.query("SELECT body, user FROM identities WHERE (?1 = '' OR issuer = ?1) AND (?2 = '' OR subject = ?2) AND "
                                 "(?3 = '' OR user = ?3) AND (?4 = '' OR email = ?4) ORDER BY user, issuer, subject",
                                 {filter.issuer, filter.subject, filter.user, filter.email}),
                  identityOf);
  });
  co_return out;
}

awaitable<void> SqliteIdentities::put(Identity identity) {
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    requireOne(loadUsers(database, identity.user).empty() ? 0 : 1, "user", identity.user);
    const bool has_another =
        !database.query("SELECT 1 FROM identities WHERE issuer = ? AND subject = ?", {identity.issuer, identity.subject}).next() &&
        database.query("SELECT 1 FROM identities WHERE issuer = ? AND user = ?", {identity.issuer, identity.user}).next();
    if (has_another) throw Error(ErrorCode::Conflict, format("The user {} has another identity of this issuer.", identity.user));
    write(database, identity);
  });
}

awaitable<void> SqliteIdentities::putWithUser(Identity identity, UserRecord user) {
  co_await writer_.run(JobKind::Write, [&](Database& database) {
    if (database.query("SELECT 1 FROM identities WHERE issuer = ? AND subject = ?", {identity.issuer, identity.subject}).next())
      throw Error(ErrorCode::Conflict, "This person has an account already.");
    insertUser(database, user);
    write(database, identity);
  });
}

}  // namespace swarm::sqlite
