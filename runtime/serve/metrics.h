// How what the threads count about themselves is collected when somebody asks for /metrics.
//
// Counters have one writing thread and any number of readers; writing costs a plain store. Owners register a
// MetricsSource; a scrape calls Collect on each from the server's thread and writes the sums as OpenMetrics text.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/engine/counters.h"

namespace weir {

// Durations, in buckets from 0.5 ms to 60 s.
class DurationHistogram {
 public:
  static constexpr int64_t kBoundsNs[] = {500'000,        1'000'000,      2'500'000,      5'000'000,     10'000'000,
                                          25'000'000,     50'000'000,     100'000'000,    250'000'000,   500'000'000,
                                          1'000'000'000,  2'500'000'000,  5'000'000'000,  10'000'000'000, 30'000'000'000,
                                          60'000'000'000};
  static constexpr int kBounds = static_cast<int>(sizeof kBoundsNs / sizeof *kBoundsNs);

  void Observe(int64_t ns) {
    int i = 0;
    while (i < kBounds && ns > kBoundsNs[i]) ++i;
    buckets_[i].Add();
    sum_ns_.Add(ns < 0 ? 0 : static_cast<uint64_t>(ns));
  }
  // Observations in bucket `i` alone; bucket kBounds holds what is above all bounds.
  uint64_t bucket(int i) const { return buckets_[i].Get(); }
  uint64_t sum_ns() const { return sum_ns_.Get(); }

 private:
  Counter buckets_[kBounds + 1];
  Counter sum_ns_;
};

// {"lookup", "account"}: few labels with few values; never a key of the data.
using MetricLabels = std::vector<std::pair<std::string_view, std::string_view>>;

// kOpenMetrics: 1.0, ended by `# EOF`. kPrometheus: text format 0.0.4, for clients that do not ask for the other.
enum class MetricsFormat : uint8_t { kOpenMetrics, kPrometheus };

// Collects samples and writes them as text. Samples of one family may come from anywhere in any order;
// equal names and labels are added up (a worker's share each).
class MetricsWriter {
 public:
  // `name` without the `_total` that counters get in the text.
  void AddCounter(std::string_view name, std::string_view help, const MetricLabels& labels, double value);
  void AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value);
  // Where a sum makes no sense: of several samples the smallest (watermarks), or the largest (ages), stays.
  void MinGauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value);
  void MaxGauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value);
  void AddHistogram(std::string_view name, std::string_view help, const MetricLabels& labels,
                    const DurationHistogram& histogram);
  void AddInfo(std::string_view name, std::string_view help, const MetricLabels& labels);

  std::string Text(MetricsFormat format) const;

 private:
  enum class Type : uint8_t { kCounter, kGauge, kHistogram, kInfo };
  struct Sample {
    double value = 0;
    uint64_t buckets[DurationHistogram::kBounds + 1] = {};
  };
  struct Family {
    Type type;
    std::string help;
    std::map<std::string, Sample> samples;  // by the labels' text
  };
  // Null when the name is already used with another type, which is our own mistake.
  Sample* Find(std::string_view name, std::string_view help, Type type, const MetricLabels& labels, bool* created);

  std::map<std::string, Family, std::less<>> families_;
};

class MetricsSource {
 public:
  virtual ~MetricsSource() = default;
  // Adds what this source knows. Any thread, at any time between Add and Remove.
  virtual void Collect(MetricsWriter* out) const = 0;
};

// Who is asked at a scrape. Any thread.
class MetricsRegistry {
 public:
  void Add(const MetricsSource* source);
  // Returns after a running Collect of it has ended.
  void Remove(const MetricsSource* source);
  void Collect(MetricsWriter* out) const;

 private:
  mutable std::mutex mutex_;
  std::vector<const MetricsSource*> sources_;
};

}  // namespace weir
