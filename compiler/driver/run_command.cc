// weir run: compile (or take from the cache) and run here.
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/embedded_run.h"
#include "compiler/driver/make_program.h"

namespace weirc {

int RunCommand(const Weir& weir, const RunArguments& arguments) {
  Compilation compilation;
  ProgramOptions options;
  options.opt = OptLevel::kQuick;
  options.cached = true;
  options.embedded = arguments.embedded;
  Program program;
  int exit_code = MakeProgram(weir, arguments.file, options, &compilation, &program);
  if (arguments.timings) ShowTimings(weir.talk, compilation);
  if (exit_code != kExitClean) return exit_code;
  if (arguments.embedded) {
    return RunEmbedded(weir, compilation, program.path, arguments.set, arguments.rest);
  }

  std::vector<std::string> words = {program.path, "run"};
  for (const std::string& setting : arguments.set) {
    words.push_back("--set");
    words.push_back(setting);
  }
  words.insert(words.end(), arguments.rest.begin(), arguments.rest.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // The pipeline takes this process's place: signals, exit code and standard streams are its own.
  execv(argv[0], argv.data());
  weir.talk.Error("cannot run " + program.path + ": " + strerror(errno));
  return kExitFailed;
}

}  // namespace weirc
