// Names and units of ../docs/operations.md: base units, few labels, never a key of the data.
#include "runtime/program/engine_metrics.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

#include "runtime/core/time.h"

namespace weir {
namespace {

double Seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

std::string TimeText(int64_t ns) {
  char text[kTimestampTextMax];
  return std::string(text, FormatTimestamp(ns, text));
}

}  // namespace

void CollectEngine(const Program& program, const MetricsSnapshot& snapshot, MetricsWriter* out) {
  const MetricLabels pipeline = {{"pipeline", program.name}};
  auto with = [&](std::initializer_list<std::pair<std::string_view, std::string_view>> more) {
    MetricLabels labels = pipeline;
    labels.insert(labels.end(), more);
    return labels;
  };
  auto number = [](uint64_t n) { return static_cast<double>(n); };
  out->AddInfo("weir_build", "Which program runs.",
               with({{"version", program.weir_version}, {"program_hash", program.source_hash}}));

  for (size_t i = 0; i < program.steps.size() && i < snapshot.steps.size(); ++i) {
    const StepInfo& step = program.steps[i];
    const StepMetrics& m = snapshot.steps[i];
    MetricLabels labels = with({{"step", step.name}});
    if (step.kind == "source" || step.kind == "table") {
      out->AddCounter("weir_records_read", "Records taken from sources and tables.", labels, number(m.read));
      out->AddCounter("weir_read_bytes", "Bytes taken from sources and tables.", labels, number(m.read_bytes));
    }
    if (step.kind == "sink") {
      out->AddCounter("weir_records_written", "Records handed to sinks.", labels, number(m.written));
      out->AddCounter("weir_written_bytes", "Bytes handed to sinks.", labels, number(m.written_bytes));
    }
    if (m.fired != 0 || step.kind == "window") {
      out->AddCounter("weir_windows_fired", "Results of windows.", labels, number(m.fired));
    }
    out->AddCounter("weir_records_dropped", "Records that a `drop` route took.", labels, number(m.dropped));
    out->AddCounter("weir_records_late", "Records later than their window.", labels, number(m.late));
    out->AddCounter("weir_dead_letters", "Records that became dead letters.", labels, number(m.dead));
  }
  for (const PartitionMetrics& p : snapshot.partitions) {
    const std::string& source = program.sources[static_cast<size_t>(p.source)].name;
    std::string partition = std::to_string(p.partition);
    MetricLabels labels = with({{"source", source}, {"partition", partition}});
    if (p.end_offset >= 0 && p.position >= 0) {
      out->AddGauge("weir_source_lag_records", "Records of the partition not read yet.", labels,
                    static_cast<double>(p.end_offset > p.position ? p.end_offset - p.position : 0));
    }
    if (p.watermark_ns != INT64_MIN && p.watermark_ns != INT64_MAX) {
      out->MinGauge("weir_watermark_timestamp_seconds", "No earlier event is expected from this partition.", labels,
                    Seconds(p.watermark_ns));
    }
    out->AddCounter("weir_backpressure_seconds", "Time a partition waited for a lookup.", labels,
                    Seconds(static_cast<int64_t>(p.blocked_ns)));
  }
  // The conservation law: each record read is in exactly one of these.
  const LedgerMetrics& ledger = snapshot.ledger;
  const std::pair<const char*, uint64_t> outcomes[] = {
      {"emitted", ledger.emitted}, {"filtered", ledger.filtered}, {"state", ledger.state},
      {"pending", ledger.pending}, {"dead", ledger.dead},         {"dropped", ledger.dropped}};
  for (const auto& [outcome, n] : outcomes) {
    out->AddCounter("weir_records_ended", "What first became of each record read.", with({{"outcome", outcome}}), number(n));
  }
  out->AddGauge("weir_pending_rows", "Pending requests: records that wait in lookups.", pipeline, number(snapshot.pending_rows));
  out->AddGauge("weir_open_windows", "Windows that have not closed.", pipeline, number(snapshot.open_windows));
  out->AddGauge("weir_window_bytes", "Memory of windows.", pipeline, number(snapshot.window_bytes));
  out->AddGauge("weir_table_rows", "Rows of tables.", pipeline, number(snapshot.table_rows));
  out->AddGauge("weir_table_bytes", "Memory of tables.", pipeline, number(snapshot.table_bytes));
  out->AddGauge("weir_state_entries", "Entries of the local store.", pipeline, number(snapshot.store_entries));
  out->AddGauge("weir_state_bytes", "Size of the local store.", pipeline, number(snapshot.store_bytes));
  out->AddGauge("weir_local_stores", "Tasks whose state is kept on this machine too.", pipeline, number(snapshot.local_stores));
  out->AddGauge("weir_local_store_bytes", "Size of their files.", pipeline, number(snapshot.local_store_bytes));
  out->AddGauge("weir_local_store_waiting_bytes", "Committed changes that are not in them yet.", pipeline,
                number(snapshot.local_store_waiting_bytes));
  out->AddCounter("weir_local_stores_given_up", "Failures of the disk, and stores found damaged.", pipeline,
                  number(snapshot.local_stores_given_up));
  out->AddGauge("weir_standby_behind_records", "Changelog records of partitions of others that are not at hand yet.", pipeline,
                static_cast<double>(snapshot.standby_behind));
  out->AddCounter("weir_commits", "Commits of the local store, or transactions of all workers.", pipeline,
                  number(snapshot.epochs_committed));
  out->AddCounter("weir_transactions_aborted", "Transactions that do not count; what was in them is done again.", pipeline,
                  number(snapshot.transactions_given_up));
  out->AddCounter("weir_transactional_producers", "Producers made: at starts, and when an answer did not come.",
                  pipeline, number(snapshot.transactional_producers));
  out->AddGauge("weir_commit_duration_seconds", "The last commit, from the end of its epoch on.", pipeline,
                Seconds(snapshot.last_epoch_ns));
  out->AddGauge("weir_commit_size_bytes", "What the last commit wrote.", pipeline,
                static_cast<double>(snapshot.last_epoch_bytes));
  out->AddGauge("weir_commit_limit_bytes",
                "What a worker reads for one commit at most, as larger ones did not get through in time. 0: as much as there is.",
                pipeline, number(snapshot.epoch_bytes_limit));
  out->AddGauge("weir_ready", "1 once records flow.", pipeline, snapshot.ready ? 1 : 0);
}

void CollectProcess(int64_t started_wall_ns, MetricsWriter* out) {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  out->AddCounter("process_cpu_seconds", "CPU time, user and system.", {}, seconds(use.ru_utime) + seconds(use.ru_stime));
  out->AddGauge("process_start_time_seconds", "When the process began.", {}, Seconds(started_wall_ns));
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    long long all = 0, resident = 0;
    if (std::fscanf(file, "%lld %lld", &all, &resident) == 2) {
      out->AddGauge("process_resident_memory_bytes", "Memory in RAM.", {},
                    static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    }
    std::fclose(file);
  }
  if (DIR* files = opendir("/proc/self/fd")) {
    int n = -3;  // `.`, `..` and this one
    while (readdir(files) != nullptr) ++n;
    closedir(files);
    out->AddGauge("process_open_fds", "Open file descriptors.", {}, n);
  }
}

std::string StatusPage(const Program& program, const MetricsSnapshot& snapshot, const std::string& state,
                       int64_t uptime_ns) {
  char uptime[kDurationTextMax];
  std::string up(uptime, FormatDuration(uptime_ns - uptime_ns % kNsPerSecond, uptime));
  std::string out = fmt::format("{} version {}: {}, up {}\n\n{}", program.name, program.version, state, up, program.plan_text);
  if (out.back() != '\n') out += '\n';
  out += fmt::format("\n{:<32} {:>14} {:>14} {:>10} {:>10} {:>10}\n", "step", "read", "written", "dropped", "late", "dead");
  for (size_t i = 0; i < program.steps.size() && i < snapshot.steps.size(); ++i) {
    const StepMetrics& m = snapshot.steps[i];
    out += fmt::format("{:<32} {:>14} {:>14} {:>10} {:>10} {:>10}\n", program.steps[i].name, m.read, m.written + m.fired,
                       m.dropped, m.late, m.dead);
  }
  out += fmt::format("\n{:<32} {:>14} {:>14}  {}\n", "partition", "position", "lag", "watermark");
  for (const PartitionMetrics& p : snapshot.partitions) {
    std::string name = program.sources[static_cast<size_t>(p.source)].name + " " + std::to_string(p.partition);
    std::string lag = p.end_offset < 0 || p.position < 0 ? "?" : std::to_string(std::max<int64_t>(p.end_offset - p.position, 0));
    std::string watermark = p.watermark_ns == INT64_MIN   ? "none yet"
                            : p.watermark_ns == INT64_MAX ? "read to the end"
                                                          : TimeText(p.watermark_ns);
    out += fmt::format("{:<32} {:>14} {:>14}  {}\n", name, p.position, lag, watermark);
  }
  out += fmt::format("\npending requests {}, open windows {}, table rows {}, state {} bytes in {} entries, commits {}\n",
                     snapshot.pending_rows, snapshot.open_windows, snapshot.table_rows, snapshot.store_bytes,
                     snapshot.store_entries, snapshot.epochs_committed);
  return out;
}

}  // namespace weir
