// The text forms of OpenMetrics 1.0 and of Prometheus 0.0.4, which differ in how counters and infos are named.
#include "runtime/serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

void AppendEscaped(std::string& out, std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '"': out += "\\\""; break;
      case '\n': out += "\\n"; break;
      default: out += c;
    }
  }
}

// `a="1",b="2"`, without braces.
std::string LabelText(const MetricLabels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    AppendEscaped(out, value);
    out += '"';
  }
  return out;
}

std::string Number(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  if (v == std::floor(v) && std::fabs(v) < 1e15) return fmt::format("{}", static_cast<int64_t>(v));
  return fmt::format("{}", v);
}

void AppendSample(std::string& out, std::string_view name, std::string_view suffix, const std::string& labels,
                  std::string_view extra_label, const std::string& value) {
  out += name;
  out += suffix;
  if (!labels.empty() || !extra_label.empty()) {
    out += '{';
    out += labels;
    if (!labels.empty() && !extra_label.empty()) out += ',';
    out += extra_label;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

}  // namespace

MetricsWriter::Sample* MetricsWriter::Find(std::string_view name, std::string_view help, Type type,
                                           const MetricLabels& labels, bool* created) {
  auto found = families_.find(name);
  if (found == families_.end()) {
    found = families_.emplace(std::string(name), Family{type, std::string(help), {}}).first;
  }
  if (found->second.type != type) return nullptr;
  auto [sample, added] = found->second.samples.try_emplace(LabelText(labels));
  *created = added;
  return &sample->second;
}

void MetricsWriter::AddCounter(std::string_view name, std::string_view help, const MetricLabels& labels, double value) {
  bool created;
  if (Sample* sample = Find(name, help, Type::kCounter, labels, &created)) sample->value += value;
}

void MetricsWriter::AddGauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value) {
  bool created;
  if (Sample* sample = Find(name, help, Type::kGauge, labels, &created)) sample->value += value;
}

void MetricsWriter::MinGauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value) {
  bool created;
  Sample* sample = Find(name, help, Type::kGauge, labels, &created);
  if (sample != nullptr) sample->value = created ? value : std::min(sample->value, value);
}

void MetricsWriter::MaxGauge(std::string_view name, std::string_view help, const MetricLabels& labels, double value) {
  bool created;
  Sample* sample = Find(name, help, Type::kGauge, labels, &created);
  if (sample != nullptr) sample->value = created ? value : std::max(sample->value, value);
}

void MetricsWriter::AddHistogram(std::string_view name, std::string_view help, const MetricLabels& labels,
                                 const DurationHistogram& histogram) {
  bool created;
  Sample* sample = Find(name, help, Type::kHistogram, labels, &created);
  if (sample == nullptr) return;
  for (int i = 0; i <= DurationHistogram::kBounds; ++i) sample->buckets[i] += histogram.bucket(i);
  sample->value += static_cast<double>(histogram.sum_ns()) / 1e9;
}

void MetricsWriter::AddInfo(std::string_view name, std::string_view help, const MetricLabels& labels) {
  bool created;
  if (Sample* sample = Find(name, help, Type::kInfo, labels, &created)) sample->value = 1;
}

std::string MetricsWriter::Text(MetricsFormat format) const {
  const bool open = format == MetricsFormat::kOpenMetrics;
  std::string out;
  for (const auto& [name, family] : families_) {
    static constexpr const char* kTypes[] = {"counter", "gauge", "histogram", "info"};
    std::string_view suffix = family.type == Type::kCounter ? "_total" : family.type == Type::kInfo ? "_info" : "";
    std::string_view type = kTypes[static_cast<int>(family.type)];
    if (!open && family.type == Type::kInfo) type = "gauge";
    std::string declared = open ? name : name + std::string(suffix);
    out += fmt::format("# TYPE {} {}\n# HELP {} ", declared, type, declared);
    AppendEscaped(out, family.help);
    out += '\n';
    for (const auto& [labels, sample] : family.samples) {
      if (family.type != Type::kHistogram) {
        AppendSample(out, name, suffix, labels, "", Number(sample.value));
        continue;
      }
      uint64_t count = 0;
      for (int i = 0; i <= DurationHistogram::kBounds; ++i) {
        count += sample.buckets[i];
        std::string bound =
            i == DurationHistogram::kBounds ? "+Inf" : fmt::format("{}", static_cast<double>(DurationHistogram::kBoundsNs[i]) / 1e9);
        // OpenMetrics wants every bound to be written as a float.
        if (open && bound.find_first_of(".In") == std::string::npos) bound += ".0";
        AppendSample(out, name, "_bucket", labels, "le=\"" + bound + "\"", fmt::format("{}", count));
      }
      AppendSample(out, name, "_count", labels, "", fmt::format("{}", count));
      AppendSample(out, name, "_sum", labels, "", Number(sample.value));
    }
  }
  if (open) out += "# EOF\n";
  return out;
}

void MetricsRegistry::Add(const MetricsSource* source) {
  std::lock_guard<std::mutex> lock(mutex_);
  sources_.push_back(source);
}

void MetricsRegistry::Remove(const MetricsSource* source) {
  std::lock_guard<std::mutex> lock(mutex_);
  sources_.erase(std::remove(sources_.begin(), sources_.end(), source), sources_.end());
}

void MetricsRegistry::Collect(MetricsWriter* out) const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const MetricsSource* source : sources_) source->Collect(out);
}

}  // namespace weir
