// One write per line, so that lines of several threads do not mix.
#include "runtime/serve/stderr_log.h"

#include <unistd.h>

#include <cstdio>

#include "runtime/core/hash.h"
#include "runtime/core/time.h"

namespace weir {
namespace {

constexpr size_t kKindsMax = 512;
constexpr size_t kMessageMax = 4000;
const char* const kLevels[] = {"debug", "info", "warning", "error"};

void AppendJson(std::string& out, const std::string& text) {
  out += '"';
  for (char c : text) {
    unsigned char u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (u < 0x20 || u == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", u);
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

// No message can pretend to be another line.
std::string OneLine(const std::string& text) {
  std::string out;
  for (char c : text) {
    unsigned char u = static_cast<unsigned char>(c);
    out += u < 0x20 || u == 0x7f ? ' ' : c;
  }
  return out;
}

uint64_t KindOf(LogLevel level, uint32_t line, const std::string& message) {
  std::string shape;
  for (char c : message) {
    if (c >= '0' && c <= '9') {
      if (shape.empty() || shape.back() != '#') shape += '#';
    } else {
      shape += c;
    }
  }
  return Hash64(shape.data(), shape.size(), static_cast<uint64_t>(level) << 32 | line);
}

}  // namespace

std::string StderrLog::Line(LogLevel level, uint32_t line, const std::string& message, int64_t wall_ns) const {
  char text[kTimestampTextMax];
  std::string time(text, FormatTimestamp(wall_ns - wall_ns % kNsPerMs, text));
  std::string at = line != 0 ? options_.file + ":" + std::to_string(line) : "";
  std::string out;
  if (options_.json) {
    out = "{\"ts\":\"" + time + "\",\"level\":\"" + kLevels[static_cast<int>(level)] + "\",\"pipeline\":";
    AppendJson(out, options_.pipeline);
    if (!at.empty()) {
      out += ",\"at\":";
      AppendJson(out, at);
    }
    out += ",\"msg\":";
    AppendJson(out, message);
    return out + "}\n";
  }
  out = time.substr(11, 12);
  while (out.size() < 12) out += ' ';
  if (out.back() == 'Z') out.back() = ' ';
  out += std::string(" ") + kLevels[static_cast<int>(level)] + ": ";
  if (!at.empty()) out += at + ": ";
  return out + OneLine(message) + "\n";
}

void StderrLog::Write(LogLevel level, uint32_t line, const std::string& message) {
  if (level < options_.level_min) return;
  int64_t now = options_.clock->WallNs();
  std::string text = message.size() > kMessageMax ? message.substr(0, kMessageMax) + "…" : message;
  std::lock_guard<std::mutex> lock(mutex_);
  if (kinds_.size() > kKindsMax) kinds_.clear();
  Kind& kind = kinds_[KindOf(level, line, message)];
  if (kind.written == 0 || now - kind.since_ns >= kWindowNs || now < kind.since_ns) {
    kind.since_ns = now;
    kind.written = 0;
  }
  if (kind.written >= kBurst) {
    ++kind.left_out;
    return;
  }
  ++kind.written;
  if (kind.left_out != 0) {
    text += " (" + std::to_string(kind.left_out) + " like this were left out)";
    kind.left_out = 0;
  }
  std::string out = Line(level, line, text, now);
  for (size_t at = 0; at < out.size();) {
    ssize_t n = write(options_.fd, out.data() + at, out.size() - at);
    if (n <= 0) return;  // nobody reads: that is no reason to stop
    at += static_cast<size_t>(n);
  }
}

}  // namespace weir
