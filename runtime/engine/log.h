// Where the runtime says what happens, for people and for machines.
#pragma once

#include <cstdint>
#include <string>

namespace weir {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// Any thread. Never payloads, never secrets.
class Log {
 public:
  virtual ~Log() = default;
  // `line` of the .weir file that this is about, 0 for none.
  virtual void Write(LogLevel level, uint32_t line, const std::string& message) = 0;
};

}  // namespace weir
