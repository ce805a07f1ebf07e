#include "runtime/testing/simulate_main.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/program/settings.h"
#include "runtime/testing/pipeline_simulation.h"

namespace weir {

namespace {

constexpr int kClean = 0, kFound = 1, kFailed = 2;
// Seeds that are shown; then it is enough.
constexpr size_t kFoundMax = 5;
// A seed takes milliseconds: whoever is still at it has lost its way.
constexpr unsigned kSeedSecondsMax = 300;

struct Words {
  std::string shape, faults = "all", again = "weir simulate", mutation;
  uint64_t seeds = 100, first_seed = 1, seconds = 0;
  int records = 40;
  bool trace = false;
  std::vector<std::string> settings;
};

// What a crash says: made before each seed, since nothing can be made in a signal's handler.
char crash_text[512];

void Crashed(int number) {
  const char* what = number == SIGALRM ? "it does not end" : "it crashed";
  (void)!write(STDOUT_FILENO, what, std::strlen(what));
  (void)!write(STDOUT_FILENO, crash_text, std::strlen(crash_text));
  _exit(kFound);
}

bool ReadFile(const std::string& path, std::string* text) {
  std::FILE* file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return false;
  char buffer[4096];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text->append(buffer, n);
  std::fclose(file);
  return true;
}

bool ParseNumber(const char* text, uint64_t* number) {
  char* end = nullptr;
  *number = std::strtoull(text, &end, 10);
  return end != text && *end == '\0' && *text != '-';
}

int Wrong(const std::string& message) {
  fmt::print(stderr, "error: {}\n", message);
  return kFailed;
}

bool ParseWords(int argc, char** argv, Words* words, std::string* wrong) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--trace") {
      words->trace = true;
      continue;
    }
    if (i + 1 == argc) {
      *wrong = flag + " needs a value";
      return false;
    }
    const char* value = argv[++i];
    uint64_t number = 0;
    bool good = true;
    if (flag == "--shape") {
      words->shape = value;
    } else if (flag == "--faults") {
      words->faults = value;
    } else if (flag == "--again") {
      words->again = value;
    } else if (flag == "--mutation") {
      words->mutation = value;
    } else if (flag == "--set") {
      words->settings.insert(words->settings.end(), {flag, value});
    } else if (flag == "--seeds") {
      good = ParseNumber(value, &words->seeds);
    } else if (flag == "--first-seed") {
      good = ParseNumber(value, &words->first_seed);
    } else if (flag == "--seconds-limit") {
      good = ParseNumber(value, &words->seconds);
    } else if (flag == "--records") {
      good = ParseNumber(value, &number) && number > 0 && number <= 100'000;
      words->records = static_cast<int>(number);
    } else {
      *wrong = "there is no " + flag;
      return false;
    }
    if (!good) {
      *wrong = fmt::format("{} takes a number, not `{}`", flag, value);
      return false;
    }
  }
  return true;
}

bool ParseFaults(const std::string& list, std::set<std::string>* faults, std::string* wrong) {
  const std::vector<std::string>& names = FaultNames();
  // A list that begins by taking something out begins with all.
  if (list.starts_with("-")) faults->insert(names.begin(), names.end());
  for (size_t at = 0; at <= list.size();) {
    size_t end = std::min(list.find(',', at), list.size());
    std::string name = list.substr(at, end - at);
    at = end + 1;
    const bool out = name.starts_with("-");
    if (out) name.erase(0, 1);
    if (name == "all") {
      faults->insert(names.begin(), names.end());
    } else if (name == "none") {
      faults->clear();
    } else if (std::find(names.begin(), names.end(), name) == names.end()) {
      *wrong = fmt::format("there is no fault `{}`; there are all, none, {}", name, fmt::join(names, ", "));
      return false;
    } else if (out) {
      faults->erase(name);
    } else {
      faults->insert(name);
    }
  }
  return true;
}

// What all seeds had together.
struct Sum {
  std::map<std::string, uint64_t> steps, faults;
  uint64_t seeds = 0, records = 0, outputs = 0, repeated = 0, rows = 0, wrong = 0, not_run = 0, milder = 0;
  std::string why_not_run, why_milder;
  double virtual_seconds = 0;

  void Add(const PipelineSimulationResult& result) {
    ++seeds;
    records += result.records;
    outputs += result.outputs;
    repeated += result.repeated;
    rows += result.rows_at_faults;
    virtual_seconds += static_cast<double>(result.virtual_ns) / 1e9;
    for (const auto& [step, times] : result.steps) steps[step] += times;
    for (const auto& [fault, times] : result.faults) faults[fault] += times;
    if (!result.findings.empty()) ++wrong;
    if (!result.not_run.empty()) {
      ++not_run;
      why_not_run = result.not_run;
    } else if (!result.milder.empty()) {
      ++milder;
      why_milder = result.milder;
    }
  }

  void Print() const {
    fmt::print("  steps of the protocol, each of which a copy may have died at:\n");
    for (const auto& [step, times] : steps) fmt::print("    {:>8}  {}\n", times, step);
    fmt::print("  faults, and what followed:\n");
    for (const auto& [fault, times] : faults) fmt::print("    {:>8}  {}\n", times, fault);
    fmt::print("    {:>8}  rows that waited for answers in copies that died\n", rows);
  }
};

void Show(const Compiled& compiled, uint64_t seed, const PipelineSimulationResult& result, const std::string& again) {
  for (const Finding& finding : result.findings) {
    const std::string where = finding.sink.empty() ? "" : " in `" + finding.sink + "`";
    fmt::print("{}: seed {}: {}{}\n", compiled.file, seed, finding.what, where);
    for (const std::string& line : finding.lines) fmt::print("  {}\n", line);
  }
  fmt::print("  again: {}\n", again);
}

}  // namespace

int SimulateMain(const Compiled& compiled, int argc, char** argv) {
  Words words;
  std::string wrong;
  PipelineSimulationOptions options;
  if (!ParseWords(argc, argv, &words, &wrong) || !ParseFaults(words.faults, &options.faults, &wrong)) return Wrong(wrong);
  std::string text;
  PipelineShape shape;
  if (!ReadFile(words.shape, &text)) return Wrong(fmt::format("cannot read {}: {}", words.shape, std::strerror(errno)));
  if (!ParsePipelineShape(text, &shape, &wrong)) return Wrong(words.shape + ": " + wrong);

  SettingSources sources = ProcessSources(0, argv, 0);
  sources.environment.clear();  // a simulation is the same everywhere
  sources.flags = words.settings;
  Settings settings(compiled);
  settings.Load(sources);
  settings.FillMissing();
  compiled.load_params(settings);
  Program program;
  compiled.build(&program);

  options.records = words.records;
  options.mutation = words.mutation;
  options.keep_trace = words.trace;
  for (int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM}) signal(number, Crashed);
  Sum sum;
  const auto begin = std::chrono::steady_clock::now();
  auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  for (uint64_t seed = words.first_seed; sum.seeds < words.seeds && sum.wrong < kFoundMax; ++seed) {
    if (words.seconds != 0 && seconds() >= static_cast<double>(words.seconds)) break;
    options.seed = seed;
    const std::string again = fmt::format("{} --first-seed {} --seeds 1", words.again, seed);
    std::snprintf(crash_text, sizeof crash_text, " with seed %llu\n  again: %s\n", static_cast<unsigned long long>(seed),
                  again.c_str());
    std::fflush(stdout);
    alarm(kSeedSecondsMax);
    PipelineSimulationResult result = SimulatePipeline(program, shape, options);
    alarm(0);
    if (words.trace) std::fwrite(result.trace.data(), 1, result.trace.size(), stdout);
    sum.Add(result);
    if (!result.findings.empty()) Show(compiled, seed, result, again);
  }
  if (sum.not_run == sum.seeds && sum.seeds != 0) {
    return Wrong(fmt::format("{}: nothing was simulated: {}", compiled.file, sum.why_not_run));
  }
  const bool repeats = program.delivery == Delivery::kAtLeastOnce;
  fmt::print("{}: {} {}, {} found something; {} records in, {} outputs compared{}, {:.0f} virtual seconds in {:.1f} s\n",
             compiled.file, sum.seeds, sum.seeds == 1 ? "seed" : "seeds", sum.wrong, sum.records, sum.outputs,
             repeats ? fmt::format(", {} repeated", sum.repeated) : "", sum.virtual_seconds, seconds());
  if (sum.seeds < words.seeds) {
    fmt::print("  {} of {} seeds were begun: {}\n", sum.seeds, words.seeds,
               sum.wrong >= kFoundMax ? "enough was found" : "the time was over");
  }
  if (sum.not_run != 0) fmt::print("  {} seeds were not run: {}\n", sum.not_run, sum.why_not_run);
  if (sum.milder != 0) {
    fmt::print("  {} seeds had input that stops nothing, since with other input {}\n", sum.milder, sum.why_milder);
  }
  for (const SinkShape& sink : shape.sinks) {
    if (sink.compare == SinkShape::kNothing) fmt::print("  `{}` was not compared: {}\n", sink.name, sink.why);
    if (sink.compare == SinkShape::kKeyAndTime) {
      fmt::print("  of `{}` only keys and times were compared: {}\n", sink.name, sink.why);
    }
  }
  sum.Print();
  return sum.wrong == 0 ? kClean : kFound;
}

}  // namespace weir
