// Asio and Beast, on one thread.
#include "runtime/serve/status_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <optional>
#include <thread>

namespace weir {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr uint32_t kHeadMax = 8 * 1024;

}  // namespace

struct StatusServer::Impl {
  Impl(Options o, Content c) : options(std::move(o)), content(std::move(c)) {}

  class Session : public std::enable_shared_from_this<Session> {
   public:
    Session(Impl* server, Tcp::socket socket) : server_(server), stream_(std::move(socket)), buffer_(kHeadMax) {
      ++server_->sessions;
    }
    ~Session() {
      --server_->sessions;
      server_->AcceptNext();
    }
    void Read() {
      parser_.emplace();
      parser_->header_limit(kHeadMax);
      parser_->body_limit(0);
      stream_.expires_after(std::chrono::seconds(server_->options.request_seconds_max));
      bhttp::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, size_t) { self->OnRead(error); });
    }

   private:
    void OnRead(ErrorCode error) {
      if (error == bhttp::error::end_of_stream || error == beast::error::timeout) return;
      if (error == bhttp::error::header_limit || error == beast::error::timeout) return Reply(431, "text/plain", "the request is too large\n", false);
      if (error == bhttp::error::body_limit) return Reply(413, "text/plain", "no request here has a body\n", false);
      if (error) return;
      Answer(parser_->get());
    }
    void Answer(const bhttp::request<bhttp::empty_body>& request) {
      if (request.method() != bhttp::verb::get && request.method() != bhttp::verb::head) {
        return Reply(405, "text/plain", "only GET\n", request.keep_alive());
      }
      head_only_ = request.method() == bhttp::verb::head;
      std::string path(request.target());
      path = path.substr(0, path.find('?'));
      const Content& content = server_->content;
      std::string why;
      bool keep = request.keep_alive();
      if (path == "/livez") {
        bool ok = content.live(&why);
        return Reply(ok ? 200 : 503, "text/plain", ok ? "alive\n" : why + "\n", keep);
      }
      if (path == "/readyz") {
        bool ok = content.ready(&why);
        return Reply(ok ? 200 : 503, "text/plain", ok ? "ready\n" : why + "\n", keep);
      }
      if (path == "/metrics") {
        bool open = std::string(request[bhttp::field::accept]).find("application/openmetrics-text") != std::string::npos;
        return Reply(200,
                     open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                          : "text/plain; version=0.0.4; charset=utf-8",
                     content.metrics(open ? MetricsFormat::kOpenMetrics : MetricsFormat::kPrometheus), keep);
      }
      if (path == "/") return Reply(200, "text/plain; charset=utf-8", content.page(), keep);
      Reply(404, "text/plain", "there are /livez, /readyz, /metrics and /\n", keep);
    }
    void Reply(int status, const char* type, std::string body, bool keep) {
      response_.emplace(static_cast<bhttp::status>(status), 11);
      response_->set(bhttp::field::content_type, type);
      response_->set(bhttp::field::cache_control, "no-store");
      response_->set("X-Content-Type-Options", "nosniff");
      response_->body() = std::move(body);
      response_->keep_alive(keep);
      response_->prepare_payload();
      if (head_only_) response_->body().clear();
      stream_.expires_after(std::chrono::seconds(server_->options.request_seconds_max));
      bhttp::async_write(stream_, *response_, [self = shared_from_this(), keep](ErrorCode error, size_t) {
        if (error || !keep) {
          ErrorCode ignored;
          self->stream_.socket().shutdown(Tcp::socket::shutdown_send, ignored);
          return;
        }
        self->head_only_ = false;
        self->Read();
      });
    }

    Impl* server_;
    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    std::optional<bhttp::request_parser<bhttp::empty_body>> parser_;
    std::optional<bhttp::response<bhttp::string_body>> response_;
    bool head_only_ = false;
  };

  // Takes the next connection, unless there are as many as there may be: then when one ends.
  void AcceptNext() {
    if (stopping || accepting || sessions >= options.connections_max || !acceptor.is_open()) return;
    accepting = true;
    acceptor.async_accept([this](ErrorCode error, Tcp::socket socket) {
      accepting = false;
      if (stopping) return;
      if (!error) std::make_shared<Session>(this, std::move(socket))->Read();
      AcceptNext();
    });
  }

  Options options;
  Content content;
  asio::io_context io{1};
  Tcp::acceptor acceptor{io};
  std::thread thread;
  int sessions = 0;
  bool accepting = false;
  bool stopping = false;
  int port = 0;
};

StatusServer::StatusServer(Options options, Content content)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(content))) {}

StatusServer::~StatusServer() { Stop(); }

Status StatusServer::Start() {
  Impl& s = *impl_;
  std::string where = s.options.host + ":" + std::to_string(s.options.port);
  ErrorCode error;
  std::string host = s.options.host == "localhost" ? "127.0.0.1" : s.options.host;
  asio::ip::address address = asio::ip::make_address(host, error);
  if (error) {
    return Status::Invalid("`" + s.options.host + "` in --http is no address: give a number such as 127.0.0.1 or 0.0.0.0");
  }
  Tcp::endpoint endpoint(address, static_cast<uint16_t>(s.options.port));
  s.acceptor.open(endpoint.protocol(), error);
  if (!error) s.acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) s.acceptor.bind(endpoint, error);
  if (!error) s.acceptor.listen(16, error);
  if (error) {
    ErrorCode ignored;
    s.acceptor.close(ignored);
    if (error == asio::error::address_in_use) {
      return Status::Exists("port " + where + " is in use: give another one with --http HOST:PORT, or --http off");
    }
    return Status::Invalid("cannot listen on " + where + ": " + error.message() + "; see --http");
  }
  s.port = s.acceptor.local_endpoint().port();
  s.AcceptNext();
  s.thread = std::thread([&s] { s.io.run(); });
  return Status();
}

void StatusServer::Stop() {
  Impl& s = *impl_;
  if (!s.thread.joinable()) return;
  asio::post(s.io, [&s] {
    s.stopping = true;
    ErrorCode ignored;
    s.acceptor.close(ignored);
    s.io.stop();
  });
  s.thread.join();
}

int StatusServer::port() const { return impl_->port; }

}  // namespace weir
