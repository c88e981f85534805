// The audit log.
#include "client/impl.h"
#include "model/queries.h"

namespace swarm {

boost::json::object SwarmClient::listAudit(const ListAuditQuery& query) {
  return impl_->connection.call("GET", "/api/audit" + client::queryText(query)).as_object();
}

void SwarmClient::exportAudit(const AuditQuery& query, const std::function<void(std::string_view)>& sink, const std::stop_token& stop) {
  auto& connection = impl_->connection;
  net::HttpRequest request;
  request.method = "GET";
  request.target = "/api/audit/export" + client::queryText(query);
  request.headers = connection.authorization();
  const auto limit = [&] { return Deadline::after(connection.config().timeout); };
  client::OnLoop<net::HttpExchange> exchange(connection, connection.run(connection.http().open(std::move(request), limit()), stop));
  if (exchange->status() >= 400)
    throw client::errorFromResponse(exchange->status(), exchange->headers(), connection.run(client::readRest(*exchange, limit()), stop));
  for (;;) {
    const std::string piece = connection.run(exchange->read(limit()), stop);
    if (piece.empty()) return;
    sink(piece);
  }
}

boost::json::object SwarmClient::verifyAudit(std::int64_t sequence, const std::string& hash) {
  std::string target = "/api/audit/verification";
  if (!hash.empty()) target += "?sequence=" + std::to_string(sequence) + "&hash=" + net::percentEncode(hash);
  return impl_->connection.call("GET", std::move(target)).as_object();
}

}  // namespace swarm
