// weir run: compile (or take from the cache) and run here.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <filesystem>

#include "compiler/driver/commands.h"
#include "compiler/driver/embedded_run.h"
#include "compiler/driver/make_program.h"

namespace weirc {
namespace {

namespace fs = std::filesystem;

// Whether the user says where the pipeline's state is kept.
bool NamesState(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--state-dir" || word.starts_with("--state-dir=")) return true;
  }
  return getenv("WEIR_STATE_DIR") != nullptr;
}

// An empty folder for the state of this run, named by the process that becomes the pipeline; what runs that have ended
// left behind goes.
std::string FreshState() {
  const std::string all = "/tmp/weir-run-" + std::to_string(getuid());
  std::error_code code;
  fs::create_directories(all, code);
  for (const auto& entry : fs::directory_iterator(all, code)) {
    pid_t process = atoi(entry.path().filename().c_str());
    if (process <= 0 || process == getpid() || (kill(process, 0) != 0 && errno == ESRCH)) {
      fs::remove_all(entry.path(), code);
    }
  }
  return all + "/" + std::to_string(getpid());
}

}  // namespace

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
    return RunEmbedded(weir, compilation, program.path, arguments);
  }

  std::vector<std::string> words = {program.path, "run"};
  for (const std::string& setting : arguments.set) {
    words.push_back("--set");
    words.push_back(setting);
  }
  // A run that nobody will continue leaves nothing behind that the next one would wait for.
  if (!NamesState(arguments.rest)) words.insert(words.end(), {"--state-dir", FreshState(), "--leave"});
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
