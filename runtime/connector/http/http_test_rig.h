// A service whose every byte is scripted, and a client that talks to it on a real loop.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/connector/http/http_client.h"
#include "runtime/engine/asio_loop.h"
#include "runtime/engine/system_clock.h"

namespace weir::http {

// What the service does with one request, step by step.
struct Act {
  enum Kind { kSend, kTrickle, kEnd, kReset, kWaitForClose, kWaitForSignal } kind;
  std::string bytes;
};
inline Act Send(const std::string& bytes) { return {Act::kSend, bytes}; }
// These bytes over and over, one at a time, until the client has closed.
inline Act Trickle(const std::string& bytes) { return {Act::kTrickle, bytes}; }
inline Act End() { return {Act::kEnd, ""}; }
inline Act Reset() { return {Act::kReset, ""}; }
inline Act WaitForClose() { return {Act::kWaitForClose, ""}; }
inline Act WaitForSignal() { return {Act::kWaitForSignal, ""}; }

inline std::string Plain(const std::string& body, const std::string& status = "200 OK", const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Seen {
  int connection;  // 0 for the first
  int request;     // on this connection, 0 for the first
  std::string line, head, body;
};

// One thread per connection; each request is answered as `script` says.
class TestService {
 public:
  using Script = std::function<std::vector<Act>(const Seen&)>;
  explicit TestService(Script script, SSL_CTX* tls = nullptr) : script_(std::move(script)), tls_(tls) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(listen(listener_, 128) == 0);
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~TestService() {
    stopping_ = true;
    Signal();
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& t : threads_) t.join();
  }
  // Lets everything that waits for a signal go on.
  void Signal() {
    std::lock_guard<std::mutex> lock(mutex_);
    signalled_ = true;
    signal_.notify_all();
  }
  std::vector<Seen> seen() {
    std::lock_guard<std::mutex> lock(mutex_);
    return seen_;
  }
  int accepted() { return accepted_; }
  int closed() { return closed_; }
  std::string Url(const std::string& host = "127.0.0.1") {
    return (tls_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(port);
  }

  uint16_t port = 0;

 private:
  void Accept() {
    for (;;) {
      int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (stopping_) {
        if (fd >= 0) close(fd);
        return;
      }
      if (fd < 0) continue;
      int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      int number = accepted_++;
      std::lock_guard<std::mutex> lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number] { Serve(fd, number); });
    }
  }
  void Serve(int fd, int number) {
    SSL* ssl = nullptr;
    if (tls_ != nullptr) {
      ssl = SSL_new(tls_);
      SSL_set_fd(ssl, fd);
      if (SSL_accept(ssl) != 1) return Finish(fd, ssl, false);
    }
    auto receive = [&](char* at, size_t size) {
      return ssl != nullptr ? static_cast<ssize_t>(SSL_read(ssl, at, static_cast<int>(size))) : recv(fd, at, size, 0);
    };
    std::string in;
    char buffer[65536];
    for (int n = 0;; ++n) {
      size_t head_end;
      while ((head_end = in.find("\r\n\r\n")) == std::string::npos) {
        ssize_t got = receive(buffer, sizeof buffer);
        if (got <= 0) return Finish(fd, ssl, false);
        in.append(buffer, static_cast<size_t>(got));
      }
      Seen seen{number, n, in.substr(0, in.find("\r\n")), in.substr(0, head_end + 2), ""};
      size_t body = 0;
      if (size_t at = seen.head.find("Content-Length: "); at != std::string::npos) body = std::stoul(seen.head.substr(at + 16));
      in.erase(0, head_end + 4);
      while (in.size() < body) {
        ssize_t got = receive(buffer, sizeof buffer);
        if (got <= 0) return Finish(fd, ssl, false);
        in.append(buffer, static_cast<size_t>(got));
      }
      seen.body = in.substr(0, body);
      in.erase(0, body);
      {
        std::lock_guard<std::mutex> lock(mutex_);
        seen_.push_back(seen);
      }
      for (const Act& act : script_(seen)) {
        switch (act.kind) {
          case Act::kSend:
            for (size_t at = 0; at < act.bytes.size();) {
              ssize_t sent = ssl != nullptr ? static_cast<ssize_t>(SSL_write(ssl, act.bytes.data() + at, static_cast<int>(act.bytes.size() - at)))
                                            : send(fd, act.bytes.data() + at, act.bytes.size() - at, MSG_NOSIGNAL);
              if (sent <= 0) return Finish(fd, ssl, false);
              at += static_cast<size_t>(sent);
            }
            break;
          case Act::kTrickle:
            for (size_t at = 0;; at = (at + 1) % act.bytes.size()) {
              if (send(fd, act.bytes.data() + at, 1, MSG_NOSIGNAL) <= 0) return Finish(fd, ssl, false);
              std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
          case Act::kEnd: return Finish(fd, ssl, false);
          case Act::kReset: return Finish(fd, ssl, true);
          case Act::kWaitForClose:
            while (receive(buffer, sizeof buffer) > 0) {
            }
            return Finish(fd, ssl, false);
          case Act::kWaitForSignal: {
            std::unique_lock<std::mutex> lock(mutex_);
            signal_.wait(lock, [this] { return signalled_; });
            break;
          }
        }
      }
    }
  }
  void Finish(int fd, SSL* ssl, bool reset) {
    std::lock_guard<std::mutex> lock(mutex_);
    open_.remove(fd);
    if (ssl != nullptr) SSL_free(ssl);
    if (reset) {
      linger now{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(fd);
    ++closed_;
  }

  Script script_;
  SSL_CTX* tls_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<int> accepted_{0}, closed_{0};
  std::thread acceptor_;
  std::mutex mutex_;
  std::condition_variable signal_;
  bool signalled_ = false;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::vector<Seen> seen_;
};

struct TestLog : Log {
  std::vector<std::string> lines;
  void Write(LogLevel, uint32_t, const std::string& message) override { lines.push_back(message); }
};

class TestClient : public LookupAnswers {
 public:
  explicit TestClient(const std::string& url, Properties more = {}, int connections = 8) {
    signal(SIGPIPE, SIG_IGN);
    ConnectionSpec connection;
    connection.name = "api";
    connection.line = 7;
    connection.properties = std::move(more);
    connection.properties.push_back({"url", url});
    HttpClient::Options options;
    Status read = ReadSettings(connection, &options.settings);
    REQUIRE(read.message() == "");
    options.connections_max = connections;
    options.clock = &clock;
    options.loop = loop.get();
    options.log = &log;
    client = std::make_unique<HttpClient>(options);
    opened = client->Open(this);
  }
  ~TestClient() override { client.reset(); }
  void Push(LookupAnswer answer) override { answers.push_back(std::move(answer)); }

  // Asks; the answer will have this request_id.
  void Get(RequestId request_id, const std::string& target, uint16_t attempt = 1) {
    Ask(request_id, "GET", target, "", "", attempt);
  }
  void Ask(RequestId request_id, const char* verb, const std::string& target, const std::string& body, const std::string& id,
           uint16_t attempt = 1) {
    texts_.push_back(target);
    texts_.push_back(body);
    texts_.push_back(id);
    LookupRequest r;
    r.request_id = request_id;
    r.incarnation = 1;
    r.attempt = attempt;
    r.verb = Str(std::string_view(verb));
    r.target = Str(std::string_view(texts_[texts_.size() - 3]));
    r.body = Str(std::string_view(texts_[texts_.size() - 2]));
    r.id = Str(std::string_view(texts_.back()));
    client->Ask(std::span<const LookupRequest>(&r, 1));
  }
  // Runs the loop until it holds; a test that waits longer than 20 s has failed.
  void Until(const std::function<bool()>& holds) {
    int64_t end = clock.MonoNs() + 20'000'000'000;
    while (!holds()) {
      REQUIRE(clock.MonoNs() < end);
      loop->Run(20'000'000);
    }
  }
  const LookupAnswer& Next() {
    size_t had = taken_;
    Until([&] { return answers.size() > had; });
    return answers[taken_++];
  }

  SystemClock clock;
  TestLog log;
  std::unique_ptr<Loop> loop = MakeAsioLoop();
  std::unique_ptr<HttpClient> client;
  Status opened;
  std::deque<LookupAnswer> answers;

 private:
  size_t taken_ = 0;
  std::deque<std::string> texts_;  // a request's bytes live until its answer
};

}  // namespace weir::http
