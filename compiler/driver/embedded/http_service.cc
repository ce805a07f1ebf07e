#include "compiler/driver/embedded/http_service.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

namespace weirc {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using nlohmann::json;

struct Route {
  std::string method;
  std::vector<std::string> path;  // segments; "{…}" matches any
  std::optional<json> request;
  unsigned status = 200;
  std::string body;
  std::string content_type;
  int delay_ms_min = 0, delay_ms_max = 0;
};

std::vector<std::string> Segments(std::string_view path) {
  path = path.substr(0, path.find('?'));
  std::vector<std::string> segments(1);
  for (char c : path) {
    if (c == '/') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

bool Fits(const Route& route, std::string_view method, const std::vector<std::string>& path,
          const std::string& body) {
  if (route.method != method || route.path.size() != path.size()) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    const std::string& pattern = route.path[i];
    bool any = pattern.size() >= 2 && pattern.front() == '{' && pattern.back() == '}';
    if (!any && pattern != path[i]) return false;
  }
  if (!route.request) return true;
  json sent = json::parse(body, nullptr, /*allow_exceptions=*/false);
  return !sent.is_discarded() && sent == *route.request;
}

// Reads one route; false with what is wrong in `error`.
bool ReadRoute(const json& text, Route* route, std::string* error) {
  if (!text.is_object()) return *error = "a route is an object", false;
  for (const auto& [name, value] : text.items()) {
    if (name == "method" && value.is_string()) {
      route->method = value;
    } else if (name == "path" && value.is_string()) {
      route->path = Segments(value.get<std::string>());
    } else if (name == "request") {
      route->request = value;
    } else if (name == "status" && value.is_number_integer() && value >= 100 && value <= 599) {
      route->status = value;
    } else if (name == "body") {
      bool plain = value.is_string();
      route->body = plain ? value.get<std::string>() : value.dump();
      route->content_type = plain ? "text/plain" : "application/json";
    } else if (name == "delay_ms" && value.is_number_unsigned()) {
      route->delay_ms_min = route->delay_ms_max = value;
    } else if (name == "delay_ms" && value.is_array() && value.size() == 2 &&
               value[0].is_number_unsigned() && value[1].is_number_unsigned() &&
               value[0] <= value[1]) {
      route->delay_ms_min = value[0];
      route->delay_ms_max = value[1];
    } else {
      *error = "`" + name + "` is unknown or has a value it cannot have: " + value.dump();
      return false;
    }
  }
  if (route->method.empty()) route->method = "GET";
  if (route->path.empty()) return *error = "a route needs a `path`", false;
  return true;
}

class Service : public HttpService {
 public:
  explicit Service(std::vector<Route> routes)
      : routes_(std::move(routes)), acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {}

  void Run() {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Service() override {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  std::string Url() const override {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  int64_t Answered() const override { return answered_; }

 private:
  // One connection; it keeps itself alive through the callbacks.
  struct Session : std::enable_shared_from_this<Session> {
    Session(Service* s, tcp::socket socket)
        : service(s), stream(std::move(socket)), timer(stream.get_executor()) {}

    void Read() {
      request = {};
      http::async_read(stream, buffer, request,
                       [self = shared_from_this()](beast::error_code error, size_t) {
                         if (!error) self->Think();
                       });
    }

    void Think() {
      const Route* route = service->Find(request);
      answer = {};
      answer.version(request.version());
      answer.keep_alive(request.keep_alive());
      int delay_ms = 0;
      if (route == nullptr) {
        answer.result(404);
        answer.set(http::field::content_type, "application/json");
        answer.body() = R"({"error":"no route of this embedded service fits"})";
      } else {
        answer.result(route->status);
        if (!route->content_type.empty()) {
          answer.set(http::field::content_type, route->content_type);
        }
        answer.body() = route->body;
        delay_ms = service->Delay(*route);
      }
      answer.prepare_payload();
      if (delay_ms == 0) return Write();
      timer.expires_after(std::chrono::milliseconds(delay_ms));
      timer.async_wait([self = shared_from_this()](beast::error_code error) {
        if (!error) self->Write();
      });
    }

    void Write() {
      ++service->answered_;
      http::async_write(stream, answer,
                        [self = shared_from_this()](beast::error_code error, size_t) {
                          if (!error && self->answer.keep_alive()) self->Read();
                        });
    }

    Service* service;
    beast::tcp_stream stream;
    asio::steady_timer timer;
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::response<http::string_body> answer;
  };

  void Accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (!error) {
        socket.set_option(tcp::no_delay(true), error);
        std::make_shared<Session>(this, std::move(socket))->Read();
      }
      Accept();
    });
  }

  const Route* Find(const http::request<http::string_body>& request) const {
    std::string_view method(request.method_string().data(), request.method_string().size());
    auto path = Segments({request.target().data(), request.target().size()});
    for (const Route& route : routes_) {
      if (Fits(route, method, path, request.body())) return &route;
    }
    return nullptr;
  }

  int Delay(const Route& route) {
    if (route.delay_ms_max == route.delay_ms_min) return route.delay_ms_min;
    seed_ = seed_ * 6364136223846793005u + 1442695040888963407u;  // the same delays in every run
    return route.delay_ms_min +
           static_cast<int>((seed_ >> 33) % (route.delay_ms_max - route.delay_ms_min + 1));
  }

  const std::vector<Route> routes_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
  uint64_t seed_ = 1;
  std::atomic<int64_t> answered_{0};
};

}  // namespace

std::unique_ptr<HttpService> HttpService::Start(const std::string& routes_text,
                                                const std::string& origin, std::string* error) {
  json text;
  try {
    text = json::parse(routes_text, nullptr, /*allow_exceptions=*/true, /*ignore_comments=*/true);
  } catch (const json::parse_error& wrong) {
    *error = origin + ": " + wrong.what();
    return nullptr;
  }
  if (!text.is_object() || !text.contains("routes") || !text["routes"].is_array()) {
    *error = origin + ": expected {\"routes\": [ … ]}";
    return nullptr;
  }
  std::vector<Route> routes;
  for (const json& entry : text["routes"]) {
    Route route;
    std::string reason;
    if (!ReadRoute(entry, &route, &reason)) {
      *error = origin + ": route " + std::to_string(routes.size() + 1) + ": " + reason;
      return nullptr;
    }
    routes.push_back(std::move(route));
  }
  try {
    auto service = std::make_unique<Service>(std::move(routes));
    service->Run();
    return service;
  } catch (const boost::system::system_error& wrong) {
    *error = origin + ": cannot listen on 127.0.0.1: " + wrong.what();
    return nullptr;
  }
}

}  // namespace weirc
