// weir: the command line. What each command does is in commands.h.
#include <stdio.h>
#include <string.h>

#include <CLI/CLI.hpp>

#include "compiler/base/suggest.h"
#include "compiler/driver/commands.h"
#include "compiler/native/installation.h"

namespace weirc {
namespace {

constexpr char kVersion[] = WEIR_VERSION;

constexpr char kAbout[] = R"(Weir compiles a .weir pipeline into one static executable.

Examples:
  weir new orders && cd orders           start a pipeline of your own
  weir check pipeline.weir               is it right? needs no network and no settings
  weir test .                            run its test blocks, and those of all files below
  weir simulate pipeline.weir            run it on virtual time while everything fails, and compare
  weir run pipeline.weir                 compile and run it here
  weir run --embedded pipeline.weir      the same with a Kafka broker inside weir
  weir build pipeline.weir -o out        make the executable; then ./out --help
  weir explain W0201                     what an error means, and how to fix it)";

constexpr char kExitCodes[] = R"(
Exit codes:
  0  clean
  1  findings: errors in a pipeline, failed tests, what a simulation found, files that are not formatted
  2  could not run: wrong arguments, a file that cannot be read or written
  `weir run` ends with the pipeline's own exit code once that has started.

Data goes to stdout, everything else to stderr. NO_COLOR is respected.)";

// A command that was misspelled, or "".
std::string Nearest(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  auto found = DidYouMean(word, names);
  return found ? *found : "";
}

int Fail(const std::string& message, const std::string& help) {
  fprintf(stderr, "error: %s\n", message.c_str());
  if (!help.empty()) fprintf(stderr, "  %s\n", help.c_str());
  return kExitFailed;
}

// Words that are no option of the innermost command that was named.
int Unexpected(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  const std::string& word = words.front();
  const std::string called = command == &app ? "weir" : "weir " + command->get_name();
  if (command == &app && !word.starts_with('-')) {
    std::string nearest = Nearest(app, word);
    return Fail("there is no command `" + word + "`",
                nearest.empty() ? "see: weir --help" : "did you mean `weir " + nearest + "`?");
  }
  std::vector<std::string> options;
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) options.push_back("--" + name);
  }
  auto nearest = DidYouMean(word.substr(0, word.find('=')), options);
  return Fail("`" + called + "` has no argument `" + word + "`",
              nearest ? "did you mean `" + *nearest + "`?" : "see: " + called + " --help");
}

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(28); }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = "\nUsage: " + (app->get_parent() == nullptr ? "weir" : "weir " + app->get_name());
    if (app->get_parent() == nullptr) return usage + " COMMAND …\n";
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional()) continue;
      std::string word = option->get_name(true);
      bool many = option->get_expected_max() > 1;
      usage += " " + (option->get_required() ? word : "[" + word + "]") + (many ? "…" : "");
    }
    return usage + " [OPTIONS]\n";
  }
};

int Main(int argc, char** argv) {
  CLI::App app(kAbout);
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kExitCodes);
  app.require_subcommand(0, 1);
  app.set_help_flag("-h,--help", "Say what there is");
  bool version = false;
  app.add_flag("-V,--version", version, "Print the version");

  Weir weir;
  weir.argv0 = argv[0];
  std::string format, color;
  std::vector<std::string> check_files;
  BuildArguments build;
  RunArguments run;
  TestArguments test;
  SimulateArguments simulate;
  FmtArguments fmt;
  std::string plan_file, explain_code, new_name;

  auto command = [&](const char* name, const char* about) {
    CLI::App* added = app.add_subcommand(name, about);
    added->add_option("--color", color, "auto, always or never")->type_name("WHEN");
    return added;
  };
  auto with_format = [&](CLI::App* added) {
    added->add_option("--format", format, "Diagnostics as text, json or github")->type_name("FORM");
    return added;
  };

  CLI::App* check_command = with_format(command("check", "Say what is wrong with pipelines"));
  check_command->add_option("FILE", check_files, "Pipelines, or folders of them")->required()->type_name("");

  CLI::App* build_command = with_format(command("build", "Compile a pipeline into an executable"));
  build_command->add_option("FILE", build.file, "The pipeline")->required()->type_name("");
  build_command->add_option("-o,--output", build.output, "The executable (default: its name)")->type_name("PATH");
  build_command->add_option("--print", build.print, "Print ast, typed, plan or cpp instead")->type_name("WHAT");
  build_command->add_flag("--keep-objects", build.keep_objects, "Keep PATH.o, and PATH.link that links it again");
  build_command->add_flag("--quick", build.quick, "Compile in less time, for a slower pipeline, as `weir run` does");
  build_command->add_flag("--timings", build.timings, "Say how long each stage took");

  CLI::App* run_command = with_format(command("run", "Compile a pipeline and run it here"));
  run_command->add_option("FILE", run.file, "The pipeline")->required()->type_name("");
  run_command->add_option("--set", run.set, "Give a param a value")->type_name("NAME=VALUE")->allow_extra_args(false);
  auto* embedded = run_command->add_flag("--embedded", run.embedded,
                        "Bring a Kafka broker, feed it from input/*.ndjson, answer lookups from services/*.json, "
                        "and end when all is done");
  run_command->add_option("--partitions", run.partitions, "Of each topic of --embedded")
      ->type_name("N")->check(CLI::Range(1, 64))->needs(embedded);
  run_command->add_flag("--timings", run.timings, "Say how long each stage took");
  run_command->footer(
      "\nWords after -- go to the pipeline: weir run x.weir -- --workers 2\n"
      "Every run starts with empty state; give it a place to keep it: -- --state-dir DIR");

  CLI::App* test_command = with_format(command("test", "Run the test blocks of pipelines"));
  test_command->add_option("PATH", test.paths, "Pipelines, or folders of them (default: here)")->type_name("");
  test_command->add_option("--filter", test.filter, "Only tests whose name contains this")->type_name("TEXT");
  test_command->add_flag("--update", test.update, "Write what came out into `expect`");

  CLI::App* simulate_command =
      with_format(command("simulate", "Kill and disturb a pipeline on virtual time: is its promise kept?"));
  simulate_command->add_option("FILE", simulate.file, "The pipeline")->required()->type_name("");
  simulate_command->add_option("--seeds", simulate.seeds, "How many runs (default: 100)")->type_name("N");
  simulate_command->add_option("--first-seed", simulate.first_seed, "The first of them (default: 1)")->type_name("S");
  simulate_command->add_option("--faults", simulate.faults, "all, none, or names with commas between; -NAME takes one out")
      ->type_name("LIST");
  simulate_command->add_option("--records", simulate.records, "Of each source, about (default: 40)")
      ->type_name("N")->check(CLI::Range(1, 100'000));
  simulate_command->add_option("--seconds-limit", simulate.seconds_limit, "Begin no other run after this long")
      ->type_name("N");
  simulate_command->add_option("--set", simulate.set, "Give a param a value")
      ->type_name("NAME=VALUE")->allow_extra_args(false);
  simulate_command->add_flag("--trace", simulate.trace, "Print every event of each run");
  simulate_command->add_option("--mutation", simulate.mutation, "Do a step of the commit wrongly, to see that it is found")
      ->type_name("STEP")->group("");

  CLI::App* plan_command = with_format(command("plan", "Show steps, state, re-keying and what each sink promises"));
  plan_command->add_option("FILE", plan_file, "The pipeline")->required()->type_name("");

  CLI::App* explain_command = command("explain", "Say what an error code means, and how to fix it");
  explain_command->add_option("CODE", explain_code, "W0201")->required()->type_name("");

  CLI::App* fmt_command = command("fmt", "Format pipelines; - is stdin");
  fmt_command->add_option("PATH", fmt.paths, "Pipelines, or folders of them (default: here)")->type_name("");
  fmt_command->add_flag("--check", fmt.check, "Change nothing; exit 1 if something would");
  fmt_command->add_flag("--diff", fmt.diff, "Change nothing; print what would");

  CLI::App* new_command = command("new", "Start a pipeline: a folder with input, a test and a README");
  new_command->add_option("NAME", new_name, "Its name, and the folder's")->required()->type_name("");

  // What stands behind -- belongs to the pipeline and is none of our business.
  int own_argc = argc;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--") != 0) continue;
    own_argc = i;
    run.rest.assign(argv + i + 1, argv + argc);
    break;
  }
  try {
    app.parse(own_argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* about = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
    fputs(about->help().c_str(), stdout);
    return kExitClean;
  } catch (const CLI::ExtrasError&) {
    std::vector<std::string> words = app.remaining(/*recurse=*/true);
    return Unexpected(app, words.empty() ? std::vector<std::string>{"?"} : words);
  } catch (const CLI::ParseError& error) {
    const bool inner = !app.get_subcommands().empty();
    return Fail(error.what(), "see: weir " + (inner ? app.get_subcommands().front()->get_name() + " " : "") + "--help");
  }
  if (version) {
    std::vector<std::string> tried;
    auto installation = FindInstallation(argv[0], &tried);
    printf("weir %s (%s)\n", kVersion,
           installation ? ("runtime " + installation->build_id).c_str() : "no runtime found");
    return kExitClean;
  }
  if (app.get_subcommands().empty()) {
    fputs(app.help().c_str(), stderr);
    return kExitFailed;
  }
  const CLI::App* chosen = app.get_subcommands().front();
  if (!run.rest.empty() && chosen != run_command) {
    return Fail("only `weir run` takes words after --", "");
  }
  std::string error;
  if (!MakeTalk(format, color, &weir.talk, &error)) return Fail(error, "");
  if (chosen == check_command) return CheckCommand(weir, check_files);
  if (chosen == build_command) return BuildCommand(weir, build);
  if (chosen == run_command) return RunCommand(weir, run);
  if (chosen == test_command) return TestCommand(weir, test);
  if (chosen == simulate_command) return SimulateCommand(weir, simulate);
  if (chosen == plan_command) return PlanCommand(weir, plan_file);
  if (chosen == explain_command) return ExplainCommand(weir, explain_code);
  if (chosen == fmt_command) return FmtCommand(weir, fmt);
  return NewCommand(weir, new_name);
}

}  // namespace
}  // namespace weirc

int main(int argc, char** argv) { return weirc::Main(argc, argv); }
