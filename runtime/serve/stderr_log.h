// The log of a running pipeline: one line per message on stderr, JSON for machines or text for people.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "runtime/engine/clock.h"
#include "runtime/engine/log.h"

namespace weir {

//   {"ts":"2026-11-23T10:00:00.123Z","level":"warning","pipeline":"trades","at":"trades.weir:12","msg":"…"}
//   10:00:00.123 warning: trades.weir:12: …
//
// Messages that differ only in their numbers are one kind: of each kind kBurst lines are written in kWindowNs, and the next
// one after that says how many were left out. Any thread.
class StderrLog final : public Log {
 public:
  struct Options {
    bool json = false;
    std::string pipeline;
    std::string file;          // the .weir file that line numbers are about
    Clock* clock = nullptr;
    int fd = 2;
    LogLevel level_min = LogLevel::kInfo;
  };
  static constexpr int kBurst = 10;
  static constexpr int64_t kWindowNs = 10'000'000'000;

  explicit StderrLog(Options options) : options_(std::move(options)) {}
  void Write(LogLevel level, uint32_t line, const std::string& message) override;

 private:
  struct Kind {
    int64_t since_ns = 0;
    int written = 0;
    uint64_t left_out = 0;
  };
  std::string Line(LogLevel level, uint32_t line, const std::string& message, int64_t wall_ns) const;

  Options options_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, Kind> kinds_;
};

}  // namespace weir
