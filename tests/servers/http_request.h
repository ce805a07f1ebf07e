// HTTP/1.1 requests as the lookup peer reads them: request line, the few headers it cares about, a body with a length.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <strings.h>

namespace weir_test {

struct HttpRequest {
  std::string_view method;
  std::string_view target;  // path and query as sent
  std::string_view idempotency_key;
  std::string_view body;
  bool close = false;  // the client asked for `Connection: close`
};

enum class HttpParse { kComplete, kPartial, kBroken };

// Reads one request from the front of `bytes`; the views are into `bytes`. `used` is the request's length.
inline HttpParse ParseHttpRequest(std::string_view bytes, HttpRequest* request, size_t* used) {
  size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    return bytes.size() > 64 * 1024 ? HttpParse::kBroken : HttpParse::kPartial;
  }
  std::string_view head = bytes.substr(0, head_end + 2);
  size_t line_end = head.find("\r\n");
  std::string_view line = head.substr(0, line_end);
  size_t first = line.find(' ');
  size_t second = line.rfind(' ');
  if (first == std::string_view::npos || second == first) return HttpParse::kBroken;
  *request = HttpRequest();
  request->method = line.substr(0, first);
  request->target = line.substr(first + 1, second - first - 1);
  size_t length = 0;
  for (size_t at = line_end + 2; at < head.size();) {
    size_t end = head.find("\r\n", at);
    std::string_view field = head.substr(at, end - at);
    at = end + 2;
    size_t colon = field.find(':');
    if (colon == std::string_view::npos) return HttpParse::kBroken;
    std::string_view name = field.substr(0, colon);
    std::string_view value = field.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    auto is = [&](std::string_view wanted) {
      return name.size() == wanted.size() && strncasecmp(name.data(), wanted.data(), wanted.size()) == 0;
    };
    if (is("content-length")) {
      auto result = std::from_chars(value.data(), value.data() + value.size(), length);
      if (result.ec != std::errc() || length > (64u << 20)) return HttpParse::kBroken;
    } else if (is("idempotency-key")) {
      request->idempotency_key = value;
    } else if (is("connection")) {
      request->close = value.size() == 5 && strncasecmp(value.data(), "close", 5) == 0;
    } else if (is("transfer-encoding")) {
      return HttpParse::kBroken;  // our clients know the length of what they send
    }
  }
  if (bytes.size() < head_end + 4 + length) return HttpParse::kPartial;
  request->body = bytes.substr(head_end + 4, length);
  *used = head_end + 4 + length;
  return HttpParse::kComplete;
}

// "%20" and its like back to bytes.
inline std::string PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out.push_back(static_cast<char>(value));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

// The value of `name` in a query string ("a=1&b=2"), decoded; empty when it is not there.
inline std::string QueryValue(std::string_view query, std::string_view name) {
  for (size_t at = 0; at <= query.size();) {
    size_t end = query.find('&', at);
    if (end == std::string_view::npos) end = query.size();
    std::string_view pair = query.substr(at, end - at);
    size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name && equals != std::string_view::npos) {
      return PercentDecode(pair.substr(equals + 1));
    }
    at = end + 1;
  }
  return "";
}

}  // namespace weir_test
