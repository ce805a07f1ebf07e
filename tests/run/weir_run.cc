// Runs the programs of this folder, as they were compiled to C++ and linked in here, against the slow evaluator.
//
//   weir_run FILE-OR-FOLDER…              straight through, at 1, 2 and 3 workers; against evaluator and expected text
//   weir_run --update FILE-OR-FOLDER…     rewrites the expected text; review with git diff
//   weir_run --recover FILE-OR-FOLDER…    stopped at every step of a commit and between turns, resumed with other workers
//   weir_run --random SECONDS FILES…      random records through the programs that say `test: random`
//   weir_run --seed N …                   another seed, to start the random test with
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/golden/golden_file.h"
#include "tests/run/compare.h"
#include "tests/run/engine_run.h"
#include "tests/run/random_input.h"
#include "tests/run/run_case.h"

namespace run {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string PlanText(const RunPlan& plan) {
  std::string text = "seed " + std::to_string(plan.seed) + ", workers";
  for (int n : plan.workers) text += " " + std::to_string(n);
  if (plan.stop_at != 0) text += ", stopped at step " + std::to_string(plan.stop_at);
  if (plan.kill_turn != 0) text += ", killed after turn " + std::to_string(plan.kill_turn);
  if (plan.answers != Answers::kAsWritten) text += plan.answers == Answers::kShaken ? ", answers shaken" : ", answers reversed";
  return text;
}

// Straight runs that must not differ. What is wrong, or empty; the first run's result is left for the golden text.
std::string RunStraight(const RunCase& run, const Expected& expected, RunResult* first) {
  int n = 0;
  for (int workers = 1; workers <= 3; ++workers) {
    for (Answers answers : {Answers::kAsWritten, Answers::kShaken, Answers::kReversed}) {
      RunPlan plan;
      plan.seed = static_cast<uint64_t>(++n);
      plan.workers = {workers};
      plan.answers = answers;
      plan.batch_max = n % 3 == 0 ? 1 : 8;
      plan.tick_ns_max = n % 2 == 0 ? 40'000'000 : 0;
      RunResult result = RunEngine(run, run.input, expected, plan);
      std::string wrong = Compare(run, expected, result);
      if (!wrong.empty()) return PlanText(plan) + ": " + wrong;
      if (n == 1) *first = std::move(result);
    }
  }
  return "";
}

struct SweepCount {
  uint64_t runs = 0, stopped = 0, with_pending = 0;
};

// Stopped at every step of a commit, and killed between turns; resumed with another number of workers.
std::string Sweep(const RunCase& run, const Expected& expected, SweepCount* count) {
  auto one = [&](const RunPlan& plan) {
    RunResult result = RunEngine(run, run.input, expected, plan);
    ++count->runs;
    if (result.lives > 1) ++count->stopped;
    if (result.lives > 1 && result.pending_at_stop > 0) ++count->with_pending;
    std::string wrong = Compare(run, expected, result);
    return wrong.empty() ? wrong : PlanText(plan) + ": " + wrong;
  };
  for (int workers = 1; workers <= 3; ++workers) {
    RunPlan plan;
    plan.seed = static_cast<uint64_t>(workers);
    plan.workers = {workers, workers % 3 + 1};
    plan.tick_ns_max = 60'000'000;
    plan.batch_max = 3;
    plan.answers = workers == 2 ? Answers::kShaken : Answers::kAsWritten;
    RunResult straight = RunEngine(run, run.input, expected, plan);
    std::string wrong = Compare(run, expected, straight);
    if (!wrong.empty()) return PlanText(plan) + ": " + wrong;
    for (plan.stop_at = 1; plan.stop_at <= straight.points; ++plan.stop_at) {
      wrong = one(plan);
      if (!wrong.empty()) return wrong;
    }
    plan.stop_at = 0;
    // Between turns: about forty places, spread over the run.
    uint64_t step = straight.turns / 40 + 1;
    for (plan.kill_turn = 1 + static_cast<uint64_t>(workers); plan.kill_turn < straight.turns; plan.kill_turn += step) {
      plan.workers = {workers, (workers + 1) % 3 + 1, workers};
      wrong = one(plan);
      if (!wrong.empty()) return wrong;
    }
  }
  return "";
}

// Answers for arguments that no file names, made from the arguments alone.
ServiceLine MadeUp(const RunCase& run, const std::string& lookup, const std::string& arguments) {
  uint64_t hash = 1469598103934665603u;
  for (char c : lookup + arguments) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  ServiceLine line;
  line.after_ns = static_cast<int64_t>(hash / 16 % 20) * 1'000'000;
  switch (hash % 16) {
    case 0: case 1: line.says = Says::kMissing; return line;
    case 2: line.says = Says::kRejected; line.text = "no"; return line;
    case 3: line.says = Says::kError; line.text = "out of order"; return line;
    case 4: line.says = Says::kTimeout; return line;
    default: break;
  }
  line.says = Says::kFound;
  for (const auto& def : run.typed().lookups) {
    if (def.name != lookup) continue;
    RandomInput made(run, hash);
    line.text = made.RecordOf(def.result);
  }
  line.lost = hash % 16 == 5 ? 1 : 0;
  return line;
}

// Fewer records, as long as they still show what is wrong.
RunInput Shrink(const RunCase& run, RunInput input, const RunPlan& plan) {
  auto fails = [&](const RunInput& less) {
    Expected expected = Expect(run, less);
    return !Compare(run, expected, RunEngine(run, less, expected, plan)).empty();
  };
  for (auto& [name, partitions] : input.sources) {
    for (size_t size = partitions[0].size() / 2; size > 0; size /= 2) {
      for (size_t at = 0; at + size <= partitions[0].size();) {
        RunInput less = input;
        auto& records = less.sources[name][0];
        records.erase(records.begin() + static_cast<long>(at), records.begin() + static_cast<long>(at + size));
        if (fails(less)) {
          input = less;
        } else {
          at += size;
        }
      }
    }
  }
  return input;
}

std::string RunRandom(RunCase& run, uint64_t seed, int64_t until_ms, uint64_t* rounds) {
  run.make_answer = [&run](const std::string& lookup, const std::string& arguments) { return MadeUp(run, lookup, arguments); };
  auto now = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  for (;; ++seed) {
    RandomInput random(run, seed);
    random.faults = seed % 4 == 0 ? 0 : static_cast<int>(seed % 4);
    RunInput input = random.Make(seed % 8 == 0 ? 200 : 25);
    Expected expected = Expect(run, input);
    RunPlan plan;
    plan.seed = seed;
    plan.workers = {static_cast<int>(seed % 3 + 1), static_cast<int>(seed / 3 % 3 + 1)};
    plan.tick_ns_max = seed % 2 == 0 ? 30'000'000 : 0;
    plan.batch_max = static_cast<uint32_t>(1 + seed % 20);
    plan.answers = seed % 3 == 0 ? Answers::kShaken : Answers::kAsWritten;
    if (seed % 5 == 0) plan.kill_turn = 1 + seed * 7919 % 60;
    std::string wrong = Compare(run, expected, RunEngine(run, input, expected, plan));
    ++*rounds;
    if (!wrong.empty()) {
      input = Shrink(run, input, plan);
      expected = Expect(run, input);
      std::string text = PlanText(plan) + ": " + Compare(run, expected, RunEngine(run, input, expected, plan)) + "\nwith the input\n";
      for (const auto& [name, partitions] : input.sources) {
        text += "--- input " + name + "\n";
        for (const RunRecord& record : partitions[0]) text += RecordText(record) + "\n";
      }
      for (const auto& [request, arguments] : expected.requests) {
        std::string lookup = request.substr(0, request.find(' '));
        ServiceLine line = run.Service(lookup, arguments);
        text += "--- lookup " + lookup + "\n" + arguments + " -> outcome " + std::to_string(static_cast<int>(line.says)) + " " + line.text + "\n";
      }
      return text;
    }
    if (now() >= until_ms) return "";
  }
}

int Main(int argc, char** argv) {
  bool update = false, recover = false, random = false;
  double seconds = 0;
  uint64_t seed = 1;
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--update") == 0) {
      update = true;
    } else if (std::strcmp(argv[i], "--recover") == 0) {
      recover = true;
    } else if (std::strcmp(argv[i], "--random") == 0 && i + 1 < argc) {
      random = true;
      seconds = std::atof(argv[++i]);
    } else if (std::strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (fs::is_directory(argv[i])) {
      for (const auto& entry : fs::directory_iterator(argv[i]))
        if (entry.path().extension() == ".weir") files.push_back(entry.path());
    } else if (fs::exists(argv[i])) {
      files.push_back(argv[i]);
    } else {
      std::fprintf(stderr, "weir_run: %s does not exist\n", argv[i]);
      return 2;
    }
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "usage: weir_run [--update] [--recover] [--random SECONDS] [--seed N] FILE-OR-FOLDER…\n");
    return 2;
  }
  std::vector<std::unique_ptr<RunCase>> cases;
  size_t failed = 0, updated = 0, tried = 0;
  for (const fs::path& path : files) {
    auto made = std::make_unique<RunCase>(ParseRunFile(path.string(), Read(path)));
    if (made->problem.empty() && ((random && !made->file.random) || (recover && !made->file.recover))) continue;
    cases.push_back(std::move(made));
  }
  SweepCount total;
  uint64_t rounds = 0;
  auto started = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  for (size_t i = 0; i < cases.size(); ++i) {
    RunCase& run = *cases[i];
    ++tried;
    std::string wrong = run.problem;
    if (wrong.empty() && random) {
      wrong = RunRandom(run, seed, started + static_cast<int64_t>(seconds * 1000 * static_cast<double>(i + 1) / static_cast<double>(cases.size())), &rounds);
    } else if (wrong.empty()) {
      Expected expected = Expect(run, run.input);
      RunResult first;
      wrong = RunStraight(run, expected, &first);
      if (wrong.empty() && recover) {
        SweepCount count;
        wrong = Sweep(run, expected, &count);
        if (wrong.empty() && count.stopped == 0) wrong = "no run was stopped: the sweep shows nothing";
        if (wrong.empty() && !expected.requests.empty() && count.with_pending == 0) wrong = "no run was stopped with requests in flight";
        total.runs += count.runs;
        total.stopped += count.stopped;
        total.with_pending += count.with_pending;
      } else if (wrong.empty()) {
        std::string text = GoldenText(run, expected, first);
        if (text != run.file.expected) {
          if (update) {
            std::ofstream(run.file.path, std::ios::binary) << run.file.head << text;
            ++updated;
          } else {
            wrong = "the expected text differs:\n" + weirc::golden::Difference(run.file.expected, text);
          }
        }
      }
    }
    if (wrong.empty()) continue;
    ++failed;
    std::printf("FAILED %s\n%s\n", run.file.path.c_str(), wrong.c_str());
  }
  std::printf("%zu programs, %zu failed", tried, failed);
  if (update) std::printf(", %zu updated", updated);
  if (recover) {
    std::printf("; %llu runs, %llu stopped and resumed, %llu of them with requests in flight",
                static_cast<unsigned long long>(total.runs), static_cast<unsigned long long>(total.stopped),
                static_cast<unsigned long long>(total.with_pending));
  }
  if (random) std::printf("; %llu random inputs", static_cast<unsigned long long>(rounds));
  std::printf("\n");
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace run

int main(int argc, char** argv) { return run::Main(argc, argv); }
