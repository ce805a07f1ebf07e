// weir simulate: a pipeline on a simulated cluster, killed and disturbed as each seed says.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compiler/driver/child_process.h"
#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"
#include "compiler/driver/make_program.h"
#include "compiler/driver/pipeline_shape.h"

namespace weirc {
namespace {

// A word as a shell takes it.
std::string ShellWord(const std::string& word) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:@%+";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The command that runs the same again, but for the seeds.
std::string Again(const SimulateArguments& arguments) {
  std::string command = "weir simulate " + ShellWord(arguments.file);
  if (!arguments.faults.empty()) command += " --faults=" + ShellWord(arguments.faults);
  if (arguments.records != SimulateArguments().records) command += " --records " + std::to_string(arguments.records);
  for (const std::string& set : arguments.set) command += " --set " + ShellWord(set);
  if (!arguments.mutation.empty()) command += " --mutation " + ShellWord(arguments.mutation);
  return command;
}

}  // namespace

int SimulateCommand(const Weir& weir, const SimulateArguments& arguments) {
  Compilation compilation;
  ProgramOptions options;
  options.tests = true;  // the program that runs tests can simulate too
  options.opt = OptLevel::kQuick;
  options.cached = true;
  Program program;
  int exit_code = MakeProgram(weir, arguments.file, options, &compilation, &program);
  if (exit_code != kExitClean) return exit_code;
  if (std::string why = WhyNotSimulated(compilation); !why.empty()) {
    weir.talk.Error(why);
    return kExitFailed;
  }
  char path[] = "/tmp/weir-simulate-XXXXXX";
  int fd = mkstemp(path);
  if (fd >= 0) close(fd);
  std::string error;
  if (!WriteFile(path, PipelineShape(compilation), &error)) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  std::vector<std::string> words = {program.path, "--simulate", "--shape", path, "--again", Again(arguments)};
  words.insert(words.end(), {"--seeds", std::to_string(arguments.seeds)});
  words.insert(words.end(), {"--first-seed", std::to_string(arguments.first_seed)});
  words.insert(words.end(), {"--records", std::to_string(arguments.records)});
  words.insert(words.end(), {"--seconds-limit", std::to_string(arguments.seconds_limit)});
  if (!arguments.faults.empty()) words.insert(words.end(), {"--faults", arguments.faults});
  if (!arguments.mutation.empty()) words.insert(words.end(), {"--mutation", arguments.mutation});
  for (const std::string& set : arguments.set) words.insert(words.end(), {"--set", set});
  if (arguments.trace) words.push_back("--trace");
  ChildProcess child;
  fflush(nullptr);
  const bool started = child.Start(words, {}, /*stdout_fd=*/1, &error);
  std::optional<int> code;
  if (started) code = child.Ended(/*wait=*/true);
  unlink(path);
  if (!started) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  return *code == 0 ? kExitClean : *code == 1 ? kExitFindings : kExitFailed;
}

}  // namespace weirc
