// A small HTTP service that answers from a file, for `weir run --embedded`: it stands in for the information provider
// behind a `connection … = http`.
//
// The file, services/<connection>.json beside the pipeline (comments are allowed):
//   { "routes": [
//       { "method": "GET", "path": "/accounts/a1", "status": 200, "body": { "id": "a1" }, "delay_ms": 20 },
//       { "path": "/accounts/{id}", "status": 404, "delay_ms": [5, 40] }
//   ] }
//   method    GET when absent
//   path      without a query; a segment {name} matches any one segment. The first route that fits answers
//   request   if given, a JSON value that the body of the request must equal
//   status    200 when absent
//   body      JSON, or a string that is sent as it is; nothing when absent
//   delay_ms  how long to think first: a number, or [least, most] to vary between
#pragma once

#include <memory>
#include <string>

namespace weirc {

class HttpService {
 public:
  // Reads routes and listens on a free port of 127.0.0.1, on a thread of its own until destroyed. Null, with the reason
  // in `error` (which names `origin`), when the text is not a list of routes.
  static std::unique_ptr<HttpService> Start(const std::string& routes, const std::string& origin,
                                            std::string* error);
  virtual ~HttpService() = default;

  virtual std::string Url() const = 0;  // http://127.0.0.1:port
  virtual int64_t Answered() const = 0;
};

}  // namespace weirc
