// Every program of this folder on transactions, as from Kafka to Kafka: stopped at the steps of the commit and of
// the recovery, resumed with another number of workers, and compared with the slow evaluator.
//
//   weir_run_transactions FILE-OR-FOLDER…         as a test: as many steps of each run as there is time for, and every kind
//                                                 of step
//   weir_run_transactions --every-step …          each step of each run
//   weir_run_transactions --every-nth-step N …    each Nth one, of runs that have hundreds of thousands
//   weir_run_transactions --mutation STEP …       with a step done wrongly, to see that it is found: see Faults::Mutated
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/run/cluster_run.h"
#include "tests/run/compare.h"

namespace run {
namespace {

namespace fs = std::filesystem;

// Real time that one program at one number of workers may take, unless each step is asked for.
constexpr double kSecondsMax = 0.4;
// Steps that are always tried, however long a run takes.
constexpr uint64_t kStepsMin = 6;

struct Words {
  uint64_t every = 0;  // each step so many; 0: as many as there is time for
  std::string mutation;
  std::vector<fs::path> files;
};

struct Count {
  uint64_t runs = 0, with_pending = 0, steps = 0, again = 0;
  uint64_t windows_shown = 0, rows_shown = 0;  // changes of the state, read as `state get` reads them
  std::map<std::string, uint64_t> stopped, faults;
};

// What goes on around the steps: nothing; requests that wait, and markers that come late; answers of brokers that do not
// come; the same where outputs leave at once, outside the transactions.
enum Weather { kQuiet, kPending, kStormy, kOutputsAtOnce };

ClusterPlan PlanOf(int workers, Weather weather) {
  ClusterPlan plan;
  plan.seed = static_cast<uint64_t>(workers) * 10 + weather;
  plan.workers = {workers, workers % 3 + 1, (workers + 1) % 3 + 1};
  if (weather == kQuiet) return plan;
  plan.disks = true;
  plan.outputs_at_once = weather == kOutputsAtOnce;
  plan.answers = weather == kPending ? Answers::kReversed : Answers::kShaken;
  plan.faults.marker_lag = weather == kPending ? 1 : 0.3;
  if (weather == kPending) return plan;
  plan.faults.request_delayed = 0.2;
  plan.faults.answer_lost = 0.05;
  plan.faults.request_late = 0.3;
  plan.faults.outcome_unknown = 0.3;
  plan.faults.abort_demanded = 0.05;
  plan.faults.small_fetch = 0.3;
  return plan;
}

std::string Text(const ClusterPlan& plan) {
  std::string text = "seed " + std::to_string(plan.seed) + ", workers";
  for (int n : plan.workers) text += " " + std::to_string(n);
  if (plan.outputs_at_once) text += ", outputs at once";
  for (uint64_t stop : plan.stops) text += ", stopped at step " + std::to_string(stop);
  return text;
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What is wrong, or empty.
std::string Sweep(const RunCase& run, const Expected& expected, int workers, Weather weather, const Words& words,
                  Count* count) {
  const bool every = words.every != 0;
  ClusterPlan plan = PlanOf(workers, weather);
  plan.mutation = words.mutation;
  ClusterResult straight = RunOnCluster(run, run.input, expected, plan);
  std::string wrong = Compare(run, expected, straight.run);
  if (!wrong.empty()) return Text(plan) + ": " + wrong;
  count->steps += straight.points;
  std::vector<uint64_t> steps;
  for (uint64_t step = 1; step <= straight.points; step += std::max<uint64_t>(words.every, 1)) steps.push_back(step);
  // In an order by chance, so that those which are reached in time are spread over the run.
  if (!every) std::shuffle(steps.begin(), steps.end(), std::mt19937_64(plan.seed + run.file.name.size()));
  const double end = Now() + kSecondsMax;
  for (size_t i = 0; i < steps.size() && (every || i < kStepsMin || Now() < end); ++i) {
    // Every second time the life behind it ends too: in its recovery, or just after.
    plan.stops = {steps[i]};
    if (i % 2 == 1) plan.stops.push_back(1 + i / 2 % 12);
    ClusterResult result = RunOnCluster(run, run.input, expected, plan);
    wrong = Compare(run, expected, result.run);
    if (!wrong.empty()) return Text(plan) + ": " + wrong;
    ++count->runs;
    count->windows_shown += result.windows_shown;
    count->rows_shown += result.rows_shown;
    if (result.run.pending_at_stop > 0) ++count->with_pending;
    if (result.faults["copy killed"] > 1) ++count->again;
    for (const auto& [step, times] : result.stopped) count->stopped[step] += times;
    for (const auto& [fault, times] : result.faults) count->faults[fault] += times;
  }
  return "";
}

int Main(int argc, char** argv) {
  Words words;
  std::vector<fs::path>& files = words.files;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--every-step") == 0) {
      words.every = 1;
    } else if (std::strcmp(argv[i], "--every-nth-step") == 0 && i + 1 < argc) {
      words.every = std::max<uint64_t>(std::strtoull(argv[++i], nullptr, 10), 1);
    } else if (std::strcmp(argv[i], "--mutation") == 0 && i + 1 < argc) {
      words.mutation = argv[++i];
    } else if (fs::is_directory(argv[i])) {
      for (const auto& entry : fs::directory_iterator(argv[i])) {
        if (entry.path().extension() == ".weir") files.push_back(entry.path());
      }
    } else if (fs::exists(argv[i])) {
      files.push_back(argv[i]);
    } else {
      std::fprintf(stderr, "weir_run_transactions: %s does not exist\n", argv[i]);
      return 2;
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "usage: weir_run_transactions [--every-step | --every-nth-step N] [--mutation STEP] FILE-OR-FOLDER…\n");
    return 2;
  }
  Count count;
  std::string partly;  // programs that were not stopped at each of their steps
  size_t programs = 0, failed = 0;
  for (const fs::path& path : files) {
    std::stringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    RunCase run(ParseRunFile(path.string(), text.str()));
    std::string wrong = run.problem;
    if (wrong.empty() && !run.file.recover_transactions) continue;
    ++programs;
    if (wrong.empty()) {
      Expected expected = Expect(run, run.input);
      const uint64_t before = count.runs, before_steps = count.steps, before_pending = count.with_pending;
      // A `stop` route ends every copy at its record: there is no end to compare.
      if (expected.stopped) {
        --programs;
        continue;
      }
      for (int workers = 1; workers <= 3 && wrong.empty(); ++workers) {
        for (Weather weather : {kQuiet, kPending, kStormy, kOutputsAtOnce}) {
          if (wrong.empty()) wrong = Sweep(run, expected, workers, weather, words, &count);
        }
      }
      if (wrong.empty() && count.runs == before) wrong = "it was stopped nowhere: the sweep shows nothing";
      if (wrong.empty() && !expected.requests.empty() && count.with_pending == before_pending) {
        wrong = "no run was stopped with requests in flight";
      }
      const uint64_t runs = count.runs - before, steps = count.steps - before_steps;
      if (runs < steps) partly += " " + run.file.name + " (" + std::to_string(runs) + " of " + std::to_string(steps) + ")";
    }
    if (wrong.empty()) continue;
    ++failed;
    std::printf("FAILED %s\n%s\n", path.c_str(), wrong.c_str());
    std::fflush(stdout);
  }
  auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("%zu programs, %zu failed; stopped at %llu steps, %llu with requests in flight, %llu again while they came "
              "back\n",
              programs, failed, number(count.runs), number(count.with_pending), number(count.again));
  std::printf("  %8llu  windows and %llu pending rows read by their names\n", number(count.windows_shown), number(count.rows_shown));
  if (!partly.empty()) std::printf("  not at each of their steps:%s\n", partly.c_str());
  for (const auto& [step, times] : count.stopped) std::printf("  %8llu  stopped at %s\n", number(times), step.c_str());
  for (const auto& [fault, times] : count.faults) std::printf("  %8llu  %s\n", number(times), fault.c_str());
  if (files.size() > 1) {
    if (count.windows_shown == 0 || count.rows_shown == 0) {
      std::printf("no window or no pending row was read by its names\n");
      ++failed;
    }
    // A step that nobody was stopped at shows nothing.
    for (const char* step :
         {"transaction.outputs_acknowledged", "transaction.fenced", "transaction.begun", "transaction.output_written", "transaction.rekeyed_written",
          "transaction.changes_written", "transaction.flushed", "transaction.offsets_sent", "transaction.committed",
          "transaction.done", "transaction.aborted", "recovery.offsets_read", "recovery.end_asked", "recovery.replayed",
          "recovery.done"}) {
      if (count.stopped[step] != 0) continue;
      std::printf("nobody was stopped at %s\n", step);
      ++failed;
    }
  }
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace run

int main(int argc, char** argv) { return run::Main(argc, argv); }
