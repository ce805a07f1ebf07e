// Sockets and OpenSSL; errors become sentences here.
#include "runtime/connector/http/http_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace weir::http {
namespace {

// Where systems keep their authorities.
constexpr const char* kSystemFiles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL
    "/etc/ssl/cert.pem",
};

std::string LastTlsError() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return reason != nullptr ? reason : "the connection was closed";
}

int ContextIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

TlsContext::~TlsContext() {
  if (session_ != nullptr) SSL_SESSION_free(session_);
  if (context_ != nullptr) SSL_CTX_free(context_);
}

Status TlsContext::Open(const Settings& settings) {
  context_ = SSL_CTX_new(TLS_client_method());
  if (context_ == nullptr) return Status::Internal("TLS cannot be set up: " + LastTlsError());
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_ex_data(context_, ContextIndex(), this);
  SSL_CTX_sess_set_new_cb(context_, &NewSession);

  const std::string where = "connection `" + settings.connection + "` (line " + std::to_string(settings.line) + "): ";
  const char* environment = std::getenv("SSL_CERT_FILE");
  std::string file = settings.ca;
  if (file.empty() && environment != nullptr) file = environment;
  if (!file.empty()) {
    if (SSL_CTX_load_verify_locations(context_, file.c_str(), nullptr) == 1) return Status();
    return Status::Invalid(where + "no authorities can be read from " + file + ": " + LastTlsError() +
                           (settings.ca.empty() ? " (SSL_CERT_FILE names this file)" : ""));
  }
  for (const char* path : kSystemFiles) {
    if (access(path, R_OK) == 0 && SSL_CTX_load_verify_locations(context_, path, nullptr) == 1) return Status();
  }
  ERR_clear_error();
  return Status::NotFound(where + settings.origin +
                          " needs TLS, but this machine has no certificate authorities where they are usually kept; let "
                          "SSL_CERT_FILE name a PEM file with them, or give the connection `ca: \"file\"`");
}

int TlsContext::NewSession(SSL* ssl, SSL_SESSION* session) {
  auto* self = static_cast<TlsContext*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ContextIndex()));
  if (self->session_ != nullptr) SSL_SESSION_free(self->session_);
  self->session_ = session;
  return 1;  // the reference is ours now
}

SSL* TlsContext::Make(const Settings& settings) {
  SSL* ssl = SSL_new(context_);
  if (ssl == nullptr) return nullptr;
  dns::Address number;
  if (dns::ParseAddress(settings.host, &number)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), settings.host.c_str());
  } else {
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, settings.host.c_str());
    SSL_set_tlsext_host_name(ssl, settings.host.c_str());
  }
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  SSL_set_alpn_protos(ssl, kHttp11, sizeof kHttp11 - 1);
  if (session_ != nullptr) SSL_set_session(ssl, session_);
  SSL_set_connect_state(ssl);
  return ssl;
}

Socket::Result Socket::Fail(const std::string& what, int error_number) {
  error_ = error_number != 0 ? what + std::strerror(error_number) : what;
  return Result::kFailed;
}

Socket::Result Socket::Connect(const dns::Address& address, const Settings& settings, TlsContext* tls) {
  Close(false);
  connected_ = secured_ = false;
  error_.clear();
  fd_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd_ < 0) return Fail("", errno);
  int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  if (tls != nullptr) {
    ssl_ = tls->Make(settings);
    if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) return Fail("TLS cannot be set up: " + LastTlsError(), 0);
  }
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
    if (errno != EINPROGRESS) return Fail("", errno);
    wants_write_ = true;
    return Result::kAgain;
  }
  return Continue();
}

Socket::Result Socket::Continue() {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return Fail("", error);
    connected_ = true;
    wants_write_ = false;
  }
  if (ssl_ == nullptr || secured_) return Result::kOk;
  ERR_clear_error();
  int returned = SSL_do_handshake(ssl_);
  if (returned == 1) {
    secured_ = true;
    wants_write_ = false;
    return Result::kOk;
  }
  Result result = TlsResult(returned, "the TLS handshake failed: ");
  if (result == Result::kFailed) {
    long verdict = SSL_get_verify_result(ssl_);
    if (verdict != X509_V_OK) error_ = std::string("its certificate is refused: ") + X509_verify_cert_error_string(verdict);
  }
  return result == Result::kEnd ? Fail("the TLS handshake failed: the connection was closed", 0) : result;
}

Socket::Result Socket::TlsResult(int returned, const char* what) {
  int saved = errno;
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ:
      wants_write_ = false;
      return Result::kAgain;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return Result::kAgain;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kEnd;
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (saved != 0) return Fail(what, saved);
      return Result::kEnd;
    default: {
      // An end without TLS's own farewell is common, and told apart by whether an answer was complete.
      if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return Result::kEnd;
      }
      return Fail(what + LastTlsError(), 0);
    }
  }
}

Socket::Result Socket::Send(const char* data, size_t size, size_t* sent) {
  *sent = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    int returned = SSL_write(ssl_, data, static_cast<int>(size));
    if (returned > 0) {
      *sent = static_cast<size_t>(returned);
      wants_write_ = false;
      return Result::kOk;
    }
    return TlsResult(returned, "sending failed: ");
  }
  ssize_t n = send(fd_, data, size, MSG_NOSIGNAL);
  if (n >= 0) {
    *sent = static_cast<size_t>(n);
    wants_write_ = *sent < size;
    return Result::kOk;
  }
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    wants_write_ = true;
    return Result::kAgain;
  }
  return Fail("sending failed: ", errno);
}

Socket::Result Socket::Receive(char* data, size_t size, size_t* received) {
  *received = 0;
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    int returned = SSL_read(ssl_, data, static_cast<int>(size));
    if (returned > 0) {
      *received = static_cast<size_t>(returned);
      return Result::kOk;
    }
    return TlsResult(returned, "receiving failed: ");
  }
  ssize_t n = recv(fd_, data, size, 0);
  if (n > 0) {
    *received = static_cast<size_t>(n);
    return Result::kOk;
  }
  if (n == 0) return Result::kEnd;
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return Result::kAgain;
  return Fail("receiving failed: ", errno);
}

void Socket::Close(bool reset) {
  if (ssl_ != nullptr) {
    if (secured_ && !reset) {
      ERR_clear_error();
      SSL_shutdown(ssl_);  // one try: a farewell, not a wait
      ERR_clear_error();
    }
    SSL_free(ssl_);
    ssl_ = nullptr;
  }
  if (fd_ < 0) return;
  if (reset) {
    linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(fd_);
  fd_ = -1;
}

}  // namespace weir::http
