// TLS: who is trusted, whose name is checked, and what is said when it fails. Certificates are made here.
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>

#include "runtime/connector/http/http_test_rig.h"

namespace weir::http {
namespace {

struct Certificate {
  EVP_PKEY* key = nullptr;
  X509* x509 = nullptr;
  ~Certificate() {
    EVP_PKEY_free(key);
    X509_free(x509);
  }
};

// A certificate for `names` ("DNS:localhost,IP:127.0.0.1"), signed by `by` (null: by itself, as an authority).
void MakeCertificate(Certificate* out, const char* common_name, const char* names, const Certificate* by, long valid_seconds) {
  out->key = EVP_EC_gen("P-256");
  out->x509 = X509_new();
  X509_set_version(out->x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(out->x509), rand());
  X509_gmtime_adj(X509_getm_notBefore(out->x509), -86'400);
  X509_gmtime_adj(X509_getm_notAfter(out->x509), valid_seconds);
  X509_set_pubkey(out->x509, out->key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(out->x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_issuer_name(out->x509, X509_get_subject_name(by != nullptr ? by->x509 : out->x509));
  auto extend = [&](int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, by != nullptr ? by->x509 : out->x509, out->x509, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
    X509_add_ext(out->x509, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, by == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
  if (names != nullptr) extend(NID_subject_alt_name, names);
  X509_sign(out->x509, by != nullptr ? by->key : out->key, EVP_sha256());
}

struct Authority {
  Certificate certificate;
  std::string path = "/tmp/weir_http_ca_" + std::to_string(getpid()) + ".pem";
  explicit Authority(const char* name = "Test Authority") {
    MakeCertificate(&certificate, name, nullptr, nullptr, 86'400);
    FILE* f = fopen(path.c_str(), "w");
    PEM_write_X509(f, certificate.x509);
    fclose(f);
  }
  ~Authority() { unlink(path.c_str()); }
};

struct Server {
  Certificate certificate;
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  Server(const Authority& authority, const char* names, long valid_seconds = 3600) {
    MakeCertificate(&certificate, "service", names, &authority.certificate, valid_seconds);
    SSL_CTX_use_certificate(context, certificate.x509);
    SSL_CTX_use_PrivateKey(context, certificate.key);
  }
  ~Server() { SSL_CTX_free(context); }
};

TestService::Script Echo() {
  return [](const Seen& s) -> std::vector<Act> { return {Send(Plain("\"" + s.line + "\""))}; };
}

TEST_CASE("TLS with a trusted certificate: by name and by number, many requests, small and large") {
  Authority authority;
  Server server(authority, "DNS:localhost,IP:127.0.0.1");
  std::string large = "\"" + std::string(700'000, 'x') + "\"";
  TestService service([&](const Seen& s) -> std::vector<Act> {
    return {Send(Plain(s.line.find("large") != std::string::npos ? large : "{}"))};
  }, server.context);
  for (const char* host : {"localhost", "127.0.0.1"}) {
    TestClient client(service.Url(host), {{"ca", authority.path}});
    REQUIRE(client.opened.ok());
    CHECK(client.client->Check(5'000'000'000).ok());
    for (uint64_t n = 0; n < 200; ++n) client.Get(n, n % 20 == 0 ? "/large" : "/x");
    for (int n = 0; n < 200; ++n) {
      const LookupAnswer& a = client.Next();
      CAPTURE(a.reason);
      REQUIRE(a.outcome == Outcome::kFound);
      REQUIRE(a.body == (a.request_id % 20 == 0 ? large : "{}"));
    }
    client.Ask(1000, "POST", "/x", std::string(3'000'000, 'b'), "");
    CHECK(client.Next().outcome == Outcome::kFound);
  }
}

TEST_CASE("A certificate for another name, an expired one and one of a stranger are refused, each with its reason") {
  Authority authority;
  struct Case {
    const char* names;
    long valid;
    bool trusted;
    const char* reason;
  };
  for (const Case& c : {Case{"DNS:other.example", 3600, true, "hostname mismatch"},
                        Case{"DNS:localhost", -10, true, "certificate has expired"},
                        Case{"DNS:localhost", 3600, false, "unable to get local issuer certificate"}}) {
    Server server(authority, c.names, c.valid);
    TestService service(Echo(), server.context);
    Authority stranger("A Stranger");
    stranger.path += ".other";
    FILE* f = fopen(stranger.path.c_str(), "w");
    PEM_write_X509(f, (c.trusted ? authority : stranger).certificate.x509);
    fclose(f);
    TestClient client(service.Url("localhost"), {{"ca", stranger.path}});
    REQUIRE(client.opened.ok());
    client.Get(1, "/x");
    const LookupAnswer& a = client.Next();
    CAPTURE(a.reason);
    CHECK(a.outcome == Outcome::kError);
    CHECK(a.reason.find("its certificate is refused: ") != std::string::npos);
    CHECK(a.reason.find(c.reason) != std::string::npos);
    Status check = client.client->Check(5'000'000'000);
    CHECK(check.message().find(c.reason) != std::string::npos);
    CHECK(service.seen().empty());
  }
}

TEST_CASE("A service that does not speak TLS is an error, not a hang") {
  Authority authority;
  // A plain service that answers anything with text.
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
  listen(listener, 5);
  socklen_t size = sizeof at;
  getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  std::thread plain([&] {
    int fd = accept(listener, nullptr, nullptr);
    char buffer[1000];
    [[maybe_unused]] ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    std::string text = "HTTP/1.1 400 Bad Request\r\n\r\n";
    send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    close(fd);
  });
  TestClient client("https://127.0.0.1:" + std::to_string(ntohs(at.sin_port)), {{"ca", authority.path}});
  client.Get(1, "/x");
  const LookupAnswer& a = client.Next();
  CAPTURE(a.reason);
  CHECK(a.outcome == Outcome::kError);
  CHECK(a.reason.find("the TLS handshake failed") != std::string::npos);
  plain.join();
  close(listener);
}

TEST_CASE("SSL_CERT_FILE names the authorities; one that cannot be read is said at once") {
  Authority authority;
  Server server(authority, "DNS:localhost");
  TestService service(Echo(), server.context);
  setenv("SSL_CERT_FILE", authority.path.c_str(), 1);
  {
    TestClient client(service.Url("localhost"));
    REQUIRE(client.opened.ok());
    client.Get(1, "/x");
    CHECK(client.Next().outcome == Outcome::kFound);
  }
  setenv("SSL_CERT_FILE", "/nonexistent.pem", 1);
  {
    TestClient client(service.Url("localhost"));
    CHECK(client.opened.code() == StatusCode::kInvalid);
    CHECK(client.opened.message().find("/nonexistent.pem") != std::string::npos);
    CHECK(client.opened.message().find("SSL_CERT_FILE") != std::string::npos);
  }
  unsetenv("SSL_CERT_FILE");
}

TEST_CASE("A connection that ends without TLS's farewell in the middle of an answer is cut off") {
  Authority authority;
  Server server(authority, "DNS:localhost");
  TestService service([](const Seen&) -> std::vector<Act> {
    return {Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), End()};
  }, server.context);
  TestClient client(service.Url("localhost"), {{"ca", authority.path}});
  client.Get(1, "/x");
  const LookupAnswer& a = client.Next();
  CHECK(a.outcome == Outcome::kError);
  CHECK(a.transient);
  CHECK(a.reason.find("the answer was cut off") != std::string::npos);
}

}  // namespace
}  // namespace weir::http
