// A TCP connection that never blocks, with TLS on it where that was asked for.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/connector/dns/resolve.h"
#include "runtime/connector/http/http_settings.h"
#include "runtime/core/status.h"

namespace weir::http {

// What all connections of a client share: trusted authorities and the last session, so that a reconnect is cheap.
class TlsContext {
 public:
  TlsContext() = default;
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();
  // Reads the authorities: `settings.ca`, else the file SSL_CERT_FILE names, else the system's. TLS 1.2 at least.
  Status Open(const Settings& settings);
  // A new connection's state, which checks the certificate against settings.host.
  SSL* Make(const Settings& settings);

 private:
  static int NewSession(SSL* ssl, SSL_SESSION* session);
  SSL_CTX* context_ = nullptr;
  SSL_SESSION* session_ = nullptr;
};

class Socket {
 public:
  enum class Result : uint8_t {
    kOk,
    kAgain,   // nothing now: wait for wants_read / wants_write
    kEnd,     // the other side has ended the connection in order
    kFailed,  // error() says why
  };

  Socket() = default;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { Close(false); }

  // Begins to connect; kAgain: go on with Continue when it is writable. `tls` null: none.
  Result Connect(const dns::Address& address, const Settings& settings, TlsContext* tls);
  // Goes on connecting, then with the TLS handshake; kOk: ready for Send and Receive.
  Result Continue();
  // Sends what it can; *sent may be less than `size`.
  Result Send(const char* data, size_t size, size_t* sent);
  // kOk: *received > 0.
  Result Receive(char* data, size_t size, size_t* received);
  // Received by TLS, not yet by us: poll will not tell.
  bool HasBuffered() const { return ssl_ != nullptr && SSL_pending(ssl_) > 0; }

  // `reset`: throws away what is under way, and leaves no half-open port behind.
  void Close(bool reset);

  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // What kAgain waits for.
  bool wants_write() const { return wants_write_; }
  const std::string& error() const { return error_; }

 private:
  Result Fail(const std::string& what, int error_number);
  Result TlsResult(int returned, const char* what);

  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool connected_ = false;
  bool secured_ = false;
  bool wants_write_ = false;
  std::string error_;
};

}  // namespace weir::http
