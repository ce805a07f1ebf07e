// Checks of a connection's block; whatever ends up in a header was looked at for line breaks here.
#include "runtime/connector/http/http_settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "runtime/core/base64.h"
#include "runtime/core/buffer.h"

namespace weir::http {
namespace {

constexpr const char* kUserAgent = "weir";

bool IsTokenChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string("!#$%&'*+-.^_`|~").find(c) != std::string::npos;
}
bool IsHeaderName(const std::string& s) { return !s.empty() && std::all_of(s.begin(), s.end(), IsTokenChar); }
bool IsHeaderValue(const std::string& s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) || c == '\t'; });
}
std::string Lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

// What we write ourselves, or what would change where a request ends.
bool IsOurs(const std::string& lower_name) {
  for (const char* name : {"host", "content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect",
                           "content-type", "idempotency-key", "keep-alive", "proxy-connection"}) {
    if (lower_name == name) return true;
  }
  return false;
}

class Reader {
 public:
  Reader(const ConnectionSpec& connection, Settings* out) : connection_(connection), out_(out) {}

  Status Read() {
    out_->connection = connection_.name;
    out_->line = connection_.line;
    for (const Property& p : connection_.properties) {
      Status status = Entry(p);
      if (!status.ok()) return status;
    }
    if (out_->host.empty()) return Bad("url", "is missing: write `url: \"https://host\"`");
    if (!user_.empty() || !password_.empty()) {
      if (user_.find(':') != std::string::npos) return Bad("user", "must not contain a colon");
      Status status = Authorization("user", "Basic " + Base64(user_ + ":" + password_));
      if (!status.ok()) return status;
    }
    bool number = out_->host.find(':') != std::string::npos;
    std::string host = number ? "[" + out_->host + "]" : out_->host;
    std::string with_port = host + ":" + std::to_string(out_->port);
    out_->origin = (out_->tls ? "https://" : "http://") + with_port;
    bool usual = out_->port == (out_->tls ? 443 : 80);
    std::string head = "Host: " + (usual ? host : with_port) + "\r\n";
    if (!has_user_agent_) head += std::string("User-Agent: ") + kUserAgent + "\r\n";
    if (!has_accept_) head += "Accept: application/json\r\n";
    if (!authorization_.empty()) head += "Authorization: " + authorization_ + "\r\n";
    out_->head = head + headers_;
    return Status();
  }

 private:
  Status Bad(const std::string& entry, const std::string& what) const {
    return Status::Invalid("connection `" + connection_.name + "` (line " + std::to_string(connection_.line) + "): `" +
                           entry + "` " + what);
  }
  Status Entry(const Property& p) {
    if (p.name == "url") return Base(p);
    if (p.name == "token") return Authorization(p.name, "Bearer " + p.value);
    if (p.name == "authorization") return Authorization(p.name, p.value);
    if (p.name == "user") return Take(&user_, p.value);
    if (p.name == "password") return Take(&password_, p.value);
    if (p.name == "ca") return Take(&out_->ca, p.value);
    int64_t n = 0;
    if (p.name == "connections") {
      if (!Number(p.value, &n) || n < 1 || n > 10'000) return Bad(p.name, "must be from 1 to 10000");
      out_->connections = static_cast<int>(n);
      return Status();
    }
    if (p.name == "connect_timeout") {
      if (!Number(p.value, &n) || n < 1'000'000) return Bad(p.name, "must be at least 1ms");
      out_->connect_timeout_ns = n;
      return Status();
    }
    if (p.name == "answer_max") {
      if (!Number(p.value, &n) || n < 1 || n > 256 << 20) return Bad(p.name, "must be from 1 byte to 256 MiB");
      out_->body_max = static_cast<uint32_t>(n);
      return Status();
    }
    if (p.name.rfind("headers.", 0) == 0) return DeclaredHeader(p.name.substr(8), p.value);
    return Bad(p.name, "is no setting of an http connection");
  }
  Status Take(std::string* to, const std::string& value) {
    *to = value;
    return Status();
  }
  static bool Number(const std::string& text, int64_t* out) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return error == std::errc() && end == text.data() + text.size();
  }
  static std::string Base64(const std::string& text) {
    std::string out(Base64Size(text.size()), '\0');
    EncodeBase64(Str(std::string_view(text)), out.data());
    return out;
  }
  Status Authorization(const std::string& entry, const std::string& value) {
    if (!authorization_.empty()) return Bad(entry, "is the second way to say who asks; give one of token, user, authorization");
    // The value is not shown: it is a secret.
    if (!IsHeaderValue(value)) return Bad(entry, "contains a character that no header may have (a line break at its end?)");
    authorization_ = value;
    return Status();
  }
  Status DeclaredHeader(const std::string& name, const std::string& value) {
    std::string lower = Lower(name);
    if (!IsHeaderName(name)) return Bad("headers." + name, "is no header's name");
    if (IsOurs(lower)) return Bad("headers." + name, "is written by the connection itself");
    if (lower == "authorization") return Authorization("headers." + name, value);
    if (!IsHeaderValue(value)) return Bad("headers." + name, "has a value with a character that no header may have");
    has_user_agent_ |= lower == "user-agent";
    has_accept_ |= lower == "accept";
    headers_ += name + ": " + value + "\r\n";
    return Status();
  }
  Status Base(const Property& p) {
    const std::string& url = p.value;
    size_t at = 0;
    if (Lower(url.substr(0, 7)) == "http://") {
      at = 7;
    } else if (Lower(url.substr(0, 8)) == "https://") {
      at = 8;
      out_->tls = true;
    } else {
      return Bad(p.name, "must begin with http:// or https://");
    }
    size_t end = url.find_first_of("/?#", at);
    std::string authority = url.substr(at, end == std::string::npos ? std::string::npos : end - at);
    std::string path = end == std::string::npos ? "" : url.substr(end);
    if (path.find_first_of("?#") != std::string::npos) return Bad(p.name, "must not have a query or a fragment");
    for (char c : path) {
      if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
        return Bad(p.name, "has a path with a character that must be percent-encoded");
      }
    }
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (authority.find('@') != std::string::npos) {
      return Bad(p.name, "must not carry credentials: use `user` and `password`, or `token`");
    }
    std::string host = authority, port;
    if (!host.empty() && host.front() == '[') {
      size_t close = host.find(']');
      if (close == std::string::npos) return Bad(p.name, "has an address without its closing bracket");
      std::string rest = host.substr(close + 1);
      host = host.substr(1, close - 1);
      if (!rest.empty() && rest.front() != ':') return Bad(p.name, "has something other than a port behind its address");
      if (!rest.empty()) port = rest.substr(1);
      if (!rest.empty() && port.empty()) return Bad(p.name, "ends with a colon: where is the port?");
    } else if (size_t colon = host.find(':'); colon != std::string::npos) {
      port = host.substr(colon + 1);
      host = host.substr(0, colon);
      if (port.empty()) return Bad(p.name, "ends with a colon: where is the port?");
    }
    bool good = !host.empty() && host.size() <= 253;
    for (char c : host) good = good && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' || c == ':');
    if (!good) return Bad(p.name, "has no usable host name");
    int64_t number = out_->tls ? 443 : 80;
    if (!port.empty() && (!Number(port, &number) || number < 1 || number > 65535)) {
      return Bad(p.name, "has a port that is not from 1 to 65535");
    }
    out_->host = host;
    out_->port = static_cast<uint16_t>(number);
    out_->prefix = path;
    return Status();
  }

  const ConnectionSpec& connection_;
  Settings* out_;
  std::string user_, password_, authorization_, headers_;
  bool has_user_agent_ = false, has_accept_ = false;
};

}  // namespace

Status ReadSettings(const ConnectionSpec& connection, Settings* settings) {
  *settings = Settings();
  return Reader(connection, settings).Read();
}

}  // namespace weir::http
