// main() of every produced binary: which subcommand, with what settings.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "runtime/core/time.h"
#include "runtime/engine/asio_loop.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/exit_code.h"
#include "runtime/engine/rekey_sources.h"
#include "runtime/engine/system_clock.h"
#include "runtime/program/check.h"
#include "runtime/program/connectors.h"
#include "runtime/program/operator_commands.h"
#include "runtime/program/program.h"
#include "runtime/program/run.h"
#include "runtime/program/setting_text.h"
#include "runtime/program/settings.h"
#include "runtime/program/terminate.h"
#include "runtime/serve/stderr_log.h"

namespace weir {
namespace {

constexpr int64_t kCheckWaitNs = 10 * kNsPerSecond;

int Code(ExitCode code) { return static_cast<int>(code); }

// What Kafka's client could not end may still be at work (TransactionalProducer::GiveUp): nothing is torn down below it.
[[noreturn]] void EndProcess(int code) {
  std::fflush(nullptr);
  std::_Exit(code);
}

void PrintHelp(const Compiled& compiled) {
  std::printf(
      "%s, made by weir from %s\n"
      "\n"
      "  %s --set name=value               run it\n"
      "  %s check                          connect to everything it declares, say what is wrong\n"
      "\n"
      "commands\n"
      "  run       (the default) run the pipeline until its input ends or SIGTERM\n"
      "  check     connect to sources, tables, lookups and sinks; exit code 4 when something is wrong\n"
      "  plan      steps, state, and what is promised for each sink\n"
      "  config    every setting with its value, where it came from, and how to set it\n"
      "  version   of the pipeline, of weir, and the hash of the pipeline's text\n"
      "  dead-letters  list, show and replay the records that could not go on\n"
      "  reset     forget the state and begin again, or begin elsewhere; while no copy runs\n"
      "  skip      move past one record; while no copy runs\n"
      "  state     what the state holds of a step and a key\n"
      "\n"
      "settings: flag, then environment, then configuration file, then default; `config` lists all\n"
      "  --set NAME=VALUE          a param (secrets: environment or file)\n"
      "  --state-dir DIR  --workers N  --group NAME  --http HOST:PORT|off  --log json|text\n"
      "  --start earliest|latest|TIME  where topics begin that were never read\n"
      "  --standby  --leave        take others' partitions over at once; give the own ones back at the end\n"
      "  --no-create               make no topic; say the commands for those that are missing\n"
      "  --commit-interval 100ms  --grace 10s  --stop-at-end  --config FILE  --kafka.PROPERTY=VALUE\n",
      compiled.name, compiled.file, compiled.name, compiled.name);
}

// What is wrong, all of it.
int PrintErrors(const Settings& settings) {
  for (const std::string& error : settings.errors()) std::fprintf(stderr, "error: %s\n", error.c_str());
  return Code(ExitCode::kUsage);
}

void BuildProgram(const Compiled& compiled, const Settings& settings, Program* program) {
  compiled.load_params(settings);
  compiled.build(program);
  AddRekeySources(program);
}

// The operator's start instead of the sources' own. A time is looked for in topics alone.
void SetStart(const std::string& start, Program* program) {
  if (start.empty()) return;
  bool used = false;
  for (SourceSpec& source : program->sources) {
    if (source.operation != "topic" || source.exchange >= 0) continue;
    std::erase_if(source.properties, [](const Property& property) { return property.name == "start"; });
    source.properties.push_back({"start", start});
    used = true;
  }
  if (!used) std::fprintf(stderr, "warning: `start` says where topics begin, and no source of %s is one\n", program->file.c_str());
}

int Check(const Program& program, const Settings& settings) {
  SystemClock clock;
  StderrLog log({false, program.name, program.file, &clock, 2, LogLevel::kError});
  std::unique_ptr<Loop> loop = MakeAsioLoop();
  ProductionConnectors::Options options;
  options.kafka = settings.kafka();
  options.group = settings.run().group;
  options.create_topics = !settings.run().no_create;
  ProductionConnectors connectors(std::move(options));
  ConnectorContext context;
  context.program = &program;
  context.clock = &clock;
  context.loop = loop.get();
  context.log = &log;
  int problems = 0;
  for (const Checked& c : CheckAll(program, connectors, context, settings.run().state_dir, kCheckWaitNs)) {
    std::string at = c.line != 0 ? "  (" + program.file + ":" + std::to_string(c.line) + ")" : "";
    std::printf("%s  %s: %s%s\n", c.problem.empty() ? "ok   " : "WRONG", c.what.c_str(), c.where.c_str(), at.c_str());
    if (!c.warning.empty()) std::printf("       warning: %s\n", c.warning.c_str());
    if (c.problem.empty()) continue;
    ++problems;
    std::printf("       %s\n", c.problem.c_str());
  }
  if (problems == 0) std::printf("everything that %s declares can be reached\n", program.file.c_str());
  return Code(problems == 0 ? ExitCode::kOk : ExitCode::kConnector);
}

}  // namespace

int Main(const Compiled& compiled, int argc, char** argv) { return MainWithFaults(compiled, argc, argv, nullptr); }

int MainWithFaults(const Compiled& compiled, int argc, char** argv, Faults* faults) {
  EndByUncaughtException();
  std::vector<std::string> commands = {"run", "check", "plan", "config", "version"};
  for (std::string& name : OperatorCommands()) commands.push_back(std::move(name));
  std::string command = "run";
  int first = 1;
  if (argc > 1 && argv[1][0] != '-') {
    command = argv[1];
    first = 2;
  }
  for (int i = first; i < argc; ++i) {
    if (std::strcmp(argv[i], "--help") == 0 || std::strcmp(argv[i], "-h") == 0) {
      if (IsOperatorCommand(command)) {
        std::printf("%s", OperatorHelp(command, compiled.name).c_str());
        return Code(ExitCode::kOk);
      }
      command = "help";
    }
    if (std::strcmp(argv[i], "--version") == 0) {
      command = "version";
      first = argc;
    }
  }
  if (command == "help") {
    PrintHelp(compiled);
    return Code(ExitCode::kOk);
  }
  if (std::find(commands.begin(), commands.end(), command) == commands.end()) {
    std::string meant = DidYouMean(command, commands);
    std::fprintf(stderr, "error: there is no command `%s`%s; %s --help lists all\n", command.c_str(),
                 meant.empty() ? "" : (": did you mean `" + meant + "`?").c_str(), compiled.name);
    return Code(ExitCode::kUsage);
  }

  // Params are views of these texts for as long as the process lives.
  static Settings* settings = nullptr;
  settings = new Settings(compiled);
  SettingSources sources = ProcessSources(argc, argv, first);
  CommandLine line;
  if (IsOperatorCommand(command)) {
    line = OperatorCommandLine(command, sources.flags);
    sources.flags = line.settings;
  }
  settings->Load(sources);
  for (const std::string& error : line.errors) std::fprintf(stderr, "error: %s\n", error.c_str());
  for (const std::string& warning : settings->warnings()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (command == "config") {
    std::printf("%s", settings->Describe().c_str());
    return settings->errors().empty() ? Code(ExitCode::kOk) : PrintErrors(*settings);
  }
  bool offline = command == "plan" || command == "version";
  if (offline) settings->FillMissing();
  if (!offline && !settings->errors().empty()) return PrintErrors(*settings);
  if (!line.errors.empty()) return Code(ExitCode::kUsage);

  // An operator's command that is interrupted just ends.
  if (!IsOperatorCommand(command)) TakeSignals();
  Program program;
  BuildProgram(compiled, *settings, &program);
  if (command == "plan") {
    std::printf("%s", program.plan_text.c_str());
    return Code(ExitCode::kOk);
  }
  if (command == "version") {
    std::printf("%s version %d, from %s\nweir %s\nsource %s\n", program.name.c_str(), program.version, program.file.c_str(),
                program.weir_version.c_str(), program.source_hash.c_str());
    return Code(ExitCode::kOk);
  }
  if (command == "check") return Check(program, *settings);
  if (IsOperatorCommand(command)) EndProcess(RunOperatorCommand(command, line, program, *settings));
  SetStart(settings->run().start, &program);
  EndProcess(Code(RunPipeline(program, *settings, faults)));
}

}  // namespace weir
