// The lookup peer's control port: what a test tells it and asks it. The requests are listed in lookup_peer.h.
#include <sys/epoll.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "tests/servers/lookup_peer.h"

namespace weir_test {
namespace {

bool ParseNumber(const std::string& text, double* value) {
  char* end = nullptr;
  *value = strtod(text.c_str(), &end);
  return !text.empty() && *end == 0 && *value >= 0;
}

}  // namespace

bool ParseRange(const std::string& text, double* min, double* max) {
  size_t dots = text.find("..");
  if (dots == std::string::npos) return ParseNumber(text, min) && ParseNumber(text, max);
  return ParseNumber(text.substr(0, dots), min) && ParseNumber(text.substr(dots + 2), max) && *min <= *max;
}

bool LookupPeer::ControlSet(std::string_view query, std::string* error) {
  for (size_t at = 0; at < query.size();) {
    size_t end = std::min(query.find('&', at), query.size());
    std::string_view pair = query.substr(at, end - at);
    at = end + 1;
    std::string name(pair.substr(0, pair.find('=')));
    std::string value = QueryValue(pair, name);
    double number = 0;
    bool good = name == "delay"   ? ParseRange(value, &options_.delay_min_ms, &options_.delay_max_ms)
                : name == "order" ? value == "each" || value == "hold"
                                  : ParseNumber(value, &number);
    if (!good) {
      *error = "bad value for " + name + ": " + value;
      return false;
    }
    if (name == "delay") continue;
    if (name == "order") {
      hold_ = value == "hold";
    } else if (name == "seed") {
      random_.seed(static_cast<uint64_t>(number));
    } else if (name == "reverse") {
      reverse_ = static_cast<uint32_t>(number);
    } else if (name == "group_wait") {
      group_wait_ns_ = static_cast<int64_t>(number * 1e6);
    } else if (name == "gap") {
      gap_ns_ = static_cast<int64_t>(number * 1e6);
    } else if (name == "record") {
      record_ = number != 0;
    } else {
      *error = "no setting " + name;
      return false;
    }
  }
  return true;
}

bool LookupPeer::ControlRule(std::string_view query, std::string* error) {
  Rule rule;
  rule.path = QueryValue(query, "path");
  std::string action = QueryValue(query, "action");
  std::string times = QueryValue(query, "times");
  double number = 0;
  if (action.starts_with("status:") && ParseNumber(action.substr(7), &number)) {
    rule.status = static_cast<int>(number);
  } else if (action.starts_with("delay:") && ParseNumber(action.substr(6), &number)) {
    rule.delay_ms = number;
  } else if (action == "hang") {
    rule.action = Action::kHang;
  } else if (action == "reset") {
    rule.action = Action::kReset;
  } else if (action == "close") {
    rule.action = Action::kClose;
  } else if (action == "garbage") {
    rule.action = Action::kGarbage;
  } else if (action == "truncate") {
    rule.action = Action::kTruncate;
  } else {
    *error = "no action " + action;
    return false;
  }
  if (!times.empty()) {
    if (!ParseNumber(times, &number)) {
      *error = "bad times: " + times;
      return false;
    }
    rule.times = static_cast<int64_t>(number);
  }
  if (rule.path.empty()) {
    *error = "a rule needs a path";
    return false;
  }
  rules_.push_back(rule);
  return true;
}

std::string LookupPeer::Control(const HttpRequest& request, int* status) {
  size_t question = request.target.find('?');
  std::string_view path = request.target.substr(0, question);
  std::string_view query = question == std::string_view::npos ? "" : request.target.substr(question + 1);
  std::string error;
  if (path == "/stats") {
    nlohmann::json stats;
    stats["requests"] = arrivals_;
    stats["answered"] = answered_;
    stats["in_flight"] = in_flight_;
    stats["in_flight_max"] = in_flight_max_;
    stats["connections_accepted"] = accepted_;
    stats["held"] = held_.size();
    stats["up"] = listener_ >= 0;
    return stats.dump() + "\n";
  }
  if (path == "/counts") {
    nlohmann::json counts;
    counts["paths"] = path_counts_;
    counts["idempotency_keys"] = key_counts_;
    return counts.dump() + "\n";
  }
  if (path == "/log") {
    std::string out;
    for (const Logged& logged : log_) {
      nlohmann::json line;
      line["method"] = logged.method;
      line["path"] = logged.path;
      line["idempotency_key"] = logged.idempotency_key;
      line["body"] = logged.body;
      line["status"] = logged.status;
      line["at_us"] = logged.at_us;
      line["answered_as"] = logged.answered_as;
      out += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    }
    return out;
  }
  if (path == "/set") {
    if (ControlSet(query, &error)) return "{}\n";
  } else if (path == "/rule") {
    if (ControlRule(query, &error)) return "{}\n";
  } else if (path == "/release") {
    std::vector<Due> held;
    held.swap(held_);
    if (QueryValue(query, "order") == "reversed") std::reverse(held.begin(), held.end());
    size_t released = held.size();
    // Spaced by the gap, through the same queue as every delayed answer.
    group_.assign(held.rbegin(), held.rend());
    GroupFull();
    return "{\"released\":" + std::to_string(released) + "}\n";
  } else if (path == "/clear") {
    rules_.clear();
    path_counts_.clear();
    key_counts_.clear();
    log_.clear();
    answered_logged_ = 0;
    in_flight_max_ = in_flight_;
    for (auto& connection : connections_) ForgetLog(connection.get());
    return "{}\n";
  } else if (path == "/down") {
    GoDown();
    return "{}\n";
  } else if (path == "/up") {
    if (listener_ < 0) {
      listener_ = Listen(port_, &port_);
      if (listener_ < 0) {
        *status = 500;
        return "{\"error\":\"the port is taken\"}\n";
      }
      WatchListener();
    }
    return "{}\n";
  } else {
    error = "no such control request";
  }
  *status = 400;
  return nlohmann::json{{"error", error}}.dump() + "\n";
}

}  // namespace weir_test
