// The SQL of second factors.
#include "store/sqlite/row_parts.h"
#include "store/sqlite/rows.h"

namespace swarm::sqlite {

std::optional<SecondFactorRecord> getSecondFactor(Database& database, const SecretBox& box, const std::string& user) {
  Rows rows = database.query("SELECT seed, since, last_step FROM second_factors WHERE user = ?", {user});
  if (!rows.next()) return std::nullopt;
  return SecondFactorRecord{user, box.open(SecretPurpose::totpSeed, user, rows.text(0)), toTime(rows.integer(1)), rows.integer(2),
                            collect(database.query("SELECT digest FROM recovery_codes WHERE user = ? ORDER BY digest", {user}),
                                    [](const Rows& row) { return row.text(0); })};
}

void insertSecondFactor(Database& database, const SecretBox& box, const SecondFactorRecord& factor, const UserRecord& user) {
  requireAsGiven(database, user);
  database.execute("INSERT INTO second_factors(user, seed, since, last_step) VALUES(?, ?, ?, ?)",
                   {factor.user, box.seal(SecretPurpose::totpSeed, factor.user, factor.seed), toNumber(factor.since), factor.lastStep});
  for (const std::string& digest : factor.recoveryDigests)
    database.execute("INSERT INTO recovery_codes(user, digest) VALUES(?, ?)", {factor.user, digest});
}

bool useCodeStep(Database& database, const std::string& user, std::int64_t step) {
  return database.execute("UPDATE second_factors SET last_step = ?1 WHERE user = ?2 AND last_step < ?1", {step, user}) == 1;
}

bool useRecoveryCode(Database& database, const std::string& user, const std::string& digest) {
  return database.execute("DELETE FROM recovery_codes WHERE user = ? AND digest = ?", {user, digest}) == 1;
}

void deleteSecondFactor(Database& database, const std::string& user) {
  database.execute("DELETE FROM recovery_codes WHERE user = ?", {user});
  database.execute("DELETE FROM second_factors WHERE user = ?", {user});
}

}  // namespace swarm::sqlite
