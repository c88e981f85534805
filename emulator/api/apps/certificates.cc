// Certificates of an app's own hostnames. No certificate is issued and DNS is not queried: an ACME certificate stays in validation, and an
// uploaded one is kept as active. The edge serves neither.
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "base/id.h"
#include "emulator/api/route.h"
#include "emulator/state/ids.h"

namespace swarm::emulator {
namespace {

constexpr std::int64_t kMaxCertificatesPerPage = 500;  // I: the number

using PemReader = std::unique_ptr<BIO, decltype([](BIO* reader) { BIO_free(reader); })>;
using LeafCertificate = std::unique_ptr<X509, decltype([](X509* certificate) { X509_free(certificate); })>;
using LeafKey = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* key) { EVP_PKEY_free(key); })>;

json::object entryToJson(std::string_view source, std::string_view status, SystemTime created) {
  return {{"source", source}, {"status", status}, {"created_at", formatSeconds(created)}, {"issued", json::array()}};
}

json::array entriesOf(const Certificate& certificate) {
  json::array entries;
  if (certificate.acmeRequested) entries.push_back(entryToJson("fly", "pending_validation", certificate.createdAt));
  if (!certificate.hasCustom) return entries;
  json::object custom = entryToJson("custom", "active", certificate.updatedAt);
  custom["expires_at"] = formatSeconds(certificate.expiresAt);
  custom["issuer"] = certificate.issuer;
  custom["issued"] = json::array{json::object{
      {"type", certificate.keyType}, {"expires_at", formatSeconds(certificate.expiresAt)}, {"certificate_authority", certificate.issuer}}};
  entries.push_back(std::move(custom));
  return entries;
}

json::object requirementsOf(const App& app, const std::string& hostname) {
  json::array v4, v6;
  for (const IpAssignment& ip : app.ips) {
    if (ip.type == "v4" || ip.type == "shared_v4") v4.emplace_back(ip.ip);
    if (ip.type == "v6") v6.emplace_back(ip.ip);
  }
  const std::string bare = hostname.starts_with("*.") ? hostname.substr(2) : hostname;
  return {{"a", std::move(v4)},
          {"aaaa", std::move(v6)},
          {"cname", app.name + ".fly.dev"},
          {"acme_challenge", {{"name", "_acme-challenge." + bare}, {"target", bare + "." + app.id + ".flydns.net"}}},
          {"ownership", {{"name", "_fly-ownership." + bare}, {"app_value", "app-" + app.id}, {"org_value", "org-" + app.organization}}}};
}

json::object detailOf(const App& app, const std::string& hostname) {
  const Certificate& certificate = app.certificates.at(hostname);
  return {{"hostname", hostname},
          {"configured", false},
          {"acme_requested", certificate.acmeRequested},
          {"status", certificate.hasCustom ? "active" : "pending_validation"},  // I
          {"dns_provider", ""},
          {"certificates", entriesOf(certificate)},
          {"validation",
           {{"dns_configured", false}, {"alpn_configured", false}, {"http_configured", false}, {"ownership_txt_configured", false}}},
          {"dns_requirements", requirementsOf(app, hostname)},
          {"validation_errors", json::array()}};
}

json::object summaryOf(const std::string& hostname, const Certificate& certificate) {
  return {{"hostname", hostname},
          {"status", certificate.hasCustom ? "active" : "pending_validation"},
          {"dns_provider", ""},
          {"acme_dns_configured", false},
          {"acme_alpn_configured", false},
          {"acme_http_configured", false},
          {"ownership_txt_configured", false},
          {"configured", false},
          {"acme_requested", certificate.acmeRequested},
          {"has_custom_certificate", certificate.hasCustom},
          {"has_fly_certificate", false},
          {"created_at", formatSeconds(certificate.createdAt)},
          {"updated_at", formatSeconds(certificate.updatedAt)}};
}

std::string readHostname(const Call& call) {
  std::string hostname = call.fields().text("hostname");
  std::string_view rest = hostname;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  bool is_name = rest.size() <= 253 && rest.contains('.') && !rest.starts_with('.') && !rest.ends_with('.') && !rest.contains("..") &&
                 rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string_view::npos;
  if (!is_name) refuse(422, "Hostname is invalid");  // I: the wording
  return hostname;
}

Certificate& requireCertificate(const Call& call) {
  auto found = call.app->certificates.find(call.arguments[1]);
  if (found == call.app->certificates.end()) refuse(404, "hostname not found");  // I: the wording
  return found->second;
}

/// The entry of a hostname, which is added if missing.
Certificate& addedCertificate(const Core& core, App& app, const std::string& hostname) {
  Certificate& certificate = app.certificates[hostname];
  if (certificate.createdAt == SystemTime{}) certificate.createdAt = core.now();
  certificate.updatedAt = core.now();
  return certificate;
}

PemReader readerOf(const std::string& text) { return PemReader(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string issuerOf(X509* certificate) {
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, name, sizeof name);
  return name;
}

/// Reads the first certificate of the chain. Refuses with 422 what is not PEM, and a key that does not match.
void readUploaded(const std::string& chain, const std::string& key_text, Certificate& into) {
  LeafCertificate leaf(PEM_read_bio_X509(readerOf(chain).get(), nullptr, nullptr, nullptr));
  LeafKey key(PEM_read_bio_PrivateKey(readerOf(key_text).get(), nullptr, nullptr, nullptr));
  if (!leaf || !key) refuse(422, "the certificate or its private key is not PEM");                                  // I: the wording
  if (X509_check_private_key(leaf.get(), key.get()) != 1) refuse(422, "the private key is not the certificate's");  // I: the wording
  std::tm expires{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf.get()), &expires) != 1) refuse(422, "the certificate does not expire");  // I: the wording
  into.expiresAt = SystemTime(std::chrono::seconds(timegm(&expires)));
  into.issuer = issuerOf(leaf.get());
  into.keyType = EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA ? "rsa" : "ecdsa";
}

awaitable<Response> listCertificates(Core&, Call& call) {
  const std::int64_t limit = call.integer("limit", 1, kMaxCertificatesPerPage).value_or(kMaxCertificatesPerPage);
  const std::string filter = call.parameter("filter").value_or("");
  const std::string after = fromBase64Url(call.parameter("cursor").value_or("")).value_or("");
  std::int64_t total = 0;
  json::array list;
  json::object body;
  std::string last;
  for (const auto& [hostname, certificate] : call.app->certificates) {
    if (!hostname.contains(filter)) continue;
    ++total;
    if (hostname <= after || body.contains("next_cursor")) continue;
    if (static_cast<std::int64_t>(list.size()) == limit) {
      body["next_cursor"] = toBase64Url(last);
      continue;
    }
    list.push_back(summaryOf(hostname, certificate));
    last = hostname;
  }
  body["certificates"] = std::move(list);
  body["total_count"] = total;
  co_return jsonResponse(200, body);
}

awaitable<Response> requestCertificate(Core& core, Call& call) {
  std::string hostname = readHostname(call);
  addedCertificate(core, *call.app, hostname).acmeRequested = true;
  core.journal.changed(call.app);
  co_return jsonResponse(201, detailOf(*call.app, hostname));
}

awaitable<Response> uploadCertificate(Core& core, Call& call) {
  std::string hostname = readHostname(call);
  Certificate read;
  readUploaded(call.fields().text("fullchain"), call.fields().text("private_key"), read);
  Certificate& certificate = addedCertificate(core, *call.app, hostname);
  certificate.hasCustom = true;
  certificate.expiresAt = read.expiresAt;
  certificate.issuer = read.issuer;
  certificate.keyType = read.keyType;
  core.journal.changed(call.app);
  co_return jsonResponse(201, detailOf(*call.app, hostname));
}

awaitable<Response> getCertificate(Core&, Call& call) {
  requireCertificate(call);
  co_return jsonResponse(200, detailOf(*call.app, call.arguments[1]));
}

awaitable<Response> checkCertificate(Core&, Call& call) {
  requireCertificate(call);
  json::object body = detailOf(*call.app, call.arguments[1]);
  body["dns_records"] = {
      {"a", json::array()}, {"aaaa", json::array()},           {"cname", json::array()},  {"resolved_addresses", json::array()},
      {"soa", nullptr},     {"acme_challenge_cname", nullptr}, {"ownership_txt", nullptr}};
  co_return jsonResponse(200, body);
}

awaitable<Response> deleteCertificate(Core& core, Call& call) {
  requireCertificate(call);
  call.app->certificates.erase(call.arguments[1]);
  core.journal.changed(call.app);
  co_return emptyResponse(204);
}

awaitable<Response> stopAcme(Core& core, Call& call) {
  Certificate& certificate = requireCertificate(call);
  certificate.acmeRequested = false;
  certificate.updatedAt = core.now();
  core.journal.changed(call.app);
  co_return jsonResponse(200, detailOf(*call.app, call.arguments[1]));
}

awaitable<Response> deleteUploaded(Core& core, Call& call) {
  Certificate& certificate = requireCertificate(call);
  certificate.hasCustom = false;
  certificate.updatedAt = core.now();
  core.journal.changed(call.app);
  json::object body = detailOf(*call.app, call.arguments[1]);
  body["warning"] = "";
  co_return jsonResponse(200, body);
}

}  // namespace

std::vector<Route> certificateRoutes() {
  return {
      {"GET", "/certificates", "certificate_list", listCertificates},
      {"POST", "/certificates/acme", "certificate_request", requestCertificate, Scope::App, required("main.createAcmeCertificateRequest")},
      {"POST", "/certificates/custom", "certificate_upload", uploadCertificate, Scope::App,
       required("main.createCustomCertificateRequest")},
      {"GET", "/certificates/{hostname}", "certificate_get", getCertificate},
      {"DELETE", "/certificates/{hostname}", "certificate_delete", deleteCertificate},
      {"DELETE", "/certificates/{hostname}/acme", "certificate_stop_acme", stopAcme},
      {"DELETE", "/certificates/{hostname}/custom", "certificate_delete_custom", deleteUploaded},
      {"POST", "/certificates/{hostname}/check", "certificate_check", checkCertificate},
  };
}

}  // namespace swarm::emulator
