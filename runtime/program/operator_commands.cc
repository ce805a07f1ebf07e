#include "runtime/program/operator_commands.h"

#include <unistd.h>

#include <span>

#include "runtime/core/number_text.h"
#include "runtime/core/time.h"
#include "runtime/engine/start_policy.h"
#include "runtime/engine/system_clock.h"
#include "runtime/operate/dead_letters.h"
#include "runtime/operate/reset.h"
#include "runtime/operate/state.h"
#include "runtime/program/setting_text.h"
#include "runtime/serve/stderr_log.h"

namespace weir {
namespace {

// What a command's arguments come to; words are checked here, everything else by the command.
struct Call {
  Operator& op;
  const CommandLine& line;
  std::vector<std::string> words;
};

ExitCode Usage(Operator& op, const std::string& message) { return op.Failed(ExitCode::kUsage, message); }

// What lists have in common.
Status ReadLimitAndFormat(const CommandLine& line, int64_t* limit, bool* json) {
  std::string number = line.Get("limit");
  if (!number.empty() && (!ParseInt64(Str(std::string_view(number)), limit) || *limit < 0)) {
    return Status::Invalid("--limit takes a whole number, 0 for all, not `" + number + "`");
  }
  std::string format = line.Get("format");
  if (!format.empty() && format != "json" && format != "text") {
    return Status::Invalid("--format is text or json, not `" + format + "`");
  }
  *json = format == "json";
  return Status();
}

// ---- dead-letters ----

constexpr CommandOption kDeadLetterOptions[] = {
    {"step", true},  {"reason", true}, {"since", true}, {"limit", true}, {"format", true},
    {"dry-run"},     {"yes"},          {"again"},       {"full"},
};

ExitCode DeadLetters(Call call) {
  Operator& op = call.op;
  const std::string verb = call.words.empty() ? "list" : call.words[0];
  DeadLetterOptions options;
  options.step = call.line.Get("step");
  options.reason = call.line.Get("reason");
  if (call.words.size() > 1) options.letters.assign(call.words.begin() + 1, call.words.end());
  if (call.line.Has("since")) {
    StartPolicy since;
    if (!ParseStartPolicy(call.line.Get("since"), &since) || since.kind != StartPolicy::kTime) {
      return Usage(op, "--since takes a date or a time such as 2026-01-02T09:00:00Z, not `" + call.line.Get("since") + "`");
    }
    options.since_ns = since.time_ns;
  }
  if (Status status = ReadLimitAndFormat(call.line, &options.limit, &options.json); !status.ok()) return op.Failed(status);
  options.again = call.line.Has("again");
  options.full = call.line.Has("full");
  bool known_step = options.step.empty();
  std::vector<std::string> steps;
  for (const StepInfo& step : op.program().steps) {
    known_step = known_step || step.name == options.step;
    steps.push_back(step.name);
  }
  if (!known_step) {
    // One of an older version of the pipeline may well be meant.
    std::string meant = DidYouMean(options.step, steps);
    std::fprintf(op.options().errors, "warning: %s has no step `%s` now%s\n", op.program().file.c_str(), options.step.c_str(),
                 meant.empty() ? "" : ("; did you mean `" + meant + "`?").c_str());
  }
  if (verb == "list") {
    if (!options.letters.empty()) return Usage(op, "`list` takes no letters; `show " + options.letters[0] + "` shows one");
    return ListDeadLetters(op, options);
  }
  if (verb == "show") {
    if (options.letters.empty()) return Usage(op, "`show` takes the letters to show, as `list` calls them");
    return ShowDeadLetters(op, options);
  }
  if (verb == "replay") return ReplayDeadLetters(op, options);
  std::string meant = DidYouMean(verb, {"list", "show", "replay"});
  return Usage(op, "`dead-letters` can list, show and replay, not `" + verb + "`" +
                       (meant.empty() ? "" : "; did you mean `" + meant + "`?"));
}

constexpr char kDeadLettersHelp[] =
    "dead-letters list            the newest of them, a line each: letter, time, reason, step, line of the .weir file\n"
    "dead-letters show LETTER…    all that is known of a letter, and its bytes\n"
    "dead-letters replay [LETTER…]  sends their records to the topics they came from again, each once\n"
    "\n"
    "A LETTER is what `list` calls it: PARTITION@OFFSET, or the number of a line where dead letters go to a file.\n"
    "\n"
    "  --step NAME  --reason WORD   only those of this step, for this reason\n"
    "  --since TIME                 only those not older: 2026-01-02 or 2026-01-02T09:00:00Z\n"
    "  --limit N                    list: so many at most, 0 for all (50)\n"
    "  --format text|json           list, show: json is one object a line\n"
    "  --full                       show: every byte, however many\n"
    "  --dry-run                    replay: says what would be sent, and sends nothing\n"
    "  --yes                        replay: does not ask\n"
    "  --again                      replay: also what was sent before\n";

// ---- reset, skip ----

constexpr CommandOption kResetOptions[] = {{"to", true}, {"keep-state"}, {"dry-run"}, {"yes"}};

ExitCode ResetCommand(Call call) {
  if (!call.words.empty()) return Usage(call.op, "`reset` takes no `" + call.words[0] + "`; where to begin is said with --to");
  ResetOptions options;
  if (call.line.Has("to")) options.to = call.line.options.at("to");
  options.keep_state = call.line.Has("keep-state");
  return Reset(call.op, options);
}

constexpr char kResetHelp[] =
    "reset   forgets what the pipeline keeps (changelogs, re-keyed rows, positions, the state directory), while no copy runs;\n"
    "        also what only an earlier version of it had\n"
    "\n"
    "  --to WHERE      where its sources begin then: earliest, latest, a time, committed (where they stand now), or\n"
    "                  SOURCE/PARTITION@OFFSET, which may be given several times; without it where `start:` says\n"
    "  --keep-state    moves the positions alone. Backwards, records are read and counted a second time; forwards, never\n"
    "  --dry-run       says what it would do, and does nothing\n"
    "  --yes           does not ask\n";

constexpr CommandOption kSkipOptions[] = {{"dry-run"}, {"yes"}};

ExitCode SkipCommand(Call call) {
  if (call.words.size() != 1) return Usage(call.op, "`skip` takes one SOURCE/PARTITION@OFFSET, the record to skip");
  return Skip(call.op, call.words[0]);
}

constexpr char kSkipHelp[] =
    "skip SOURCE/PARTITION@OFFSET   moves past the record that the pipeline would read next, while no copy runs\n"
    "\n"
    "  --dry-run       shows the record, and does nothing\n"
    "  --yes           does not ask\n";

// ---- state ----

constexpr CommandOption kStateOptions[] = {{"limit", true}, {"format", true}};

ExitCode StateCommand(Call call) {
  Operator& op = call.op;
  const std::string verb = call.words.empty() ? "list" : call.words[0];
  StateOptions options;
  if (Status status = ReadLimitAndFormat(call.line, &options.limit, &options.json); !status.ok()) return op.Failed(status);
  if (call.words.size() > 1) options.step = call.words[1];
  options.has_key = call.words.size() > 2;
  if (options.has_key) options.key = call.words[2];
  if (verb == "list" && call.words.size() <= 2) return ListState(op, options);
  if (verb == "get" && (call.words.size() == 2 || call.words.size() == 3)) {
    if (call.line.Has("limit")) return Usage(op, "`get` shows all that there is of a key; --limit is for `list`");
    return GetState(op, options);
  }
  return Usage(op, "`state` takes `list`, `list STEP`, or `get STEP KEY`" +
                       std::string(call.words.size() > 3 ? "; a KEY of several columns is one argument: '[\"ACME\",\"a1\"]'" : ""));
}

constexpr char kStateHelp[] =
    "state list           the steps that keep something, with entries, bytes and the columns of their keys\n"
    "state list STEP      what it keeps, a line each: open windows with what they would publish now, records that wait\n"
    "state get STEP KEY   all that it keeps of a key\n"
    "\n"
    "A KEY of one column is its value (ACME, 12.5, 2026-01-02T09:00:00Z), of several a JSON object or array of them:\n"
    "'{\"symbol\":\"ACME\",\"account\":\"a1\"}' or '[\"ACME\",\"a1\"]'. Of records that wait their own key will do too.\n"
    "\n"
    "  --limit N            list STEP: so many at most, 0 for all (50)\n"
    "  --format text|json   json is one object a line\n"
    "\n"
    "As of the last commit. Beside a pipeline that runs only where its state is in Kafka (delivery exactly once).\n";

struct Command {
  const char* name;
  std::span<const CommandOption> options;
  ExitCode (*run)(Call call);
  const char* help;
};

const Command kCommands[] = {
    {"dead-letters", kDeadLetterOptions, &DeadLetters, kDeadLettersHelp},
    {"reset", kResetOptions, &ResetCommand, kResetHelp},
    {"skip", kSkipOptions, &SkipCommand, kSkipHelp},
    {"state", kStateOptions, &StateCommand, kStateHelp},
};

const Command* Find(const std::string& name) {
  for (const Command& command : kCommands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> OperatorCommands() {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.push_back(command.name);
  return names;
}

bool IsOperatorCommand(const std::string& command) { return Find(command) != nullptr; }

CommandLine OperatorCommandLine(const std::string& command, const std::vector<std::string>& arguments) {
  return SplitCommandLine(arguments, Find(command)->options, Settings::Switches());
}

std::string OperatorHelp(const std::string& command, const std::string& binary) {
  std::string help;
  std::string text = Find(command)->help;
  // Usage lines get the binary's name in front.
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    help += (line.rfind(command, 0) == 0 ? binary + " " : "") + line + "\n";
    at = end + 1;
  }
  return help;
}

int RunOperatorCommand(const std::string& command, const CommandLine& line, const Program& program,
                       const Settings& settings) {
  SystemClock clock;
  StderrLog log({false, program.name, program.file, &clock, 2, LogLevel::kWarning});
  Operator::Options options;
  options.kafka = settings.kafka();
  options.group = settings.run().group;
  options.state_dir = settings.run().state_dir;
  options.create_topics = !settings.run().no_create;
  options.yes = line.Has("yes");
  options.dry_run = line.Has("dry-run");
  options.log = &log;
  options.clock = &clock;
  options.terminal = isatty(0) != 0 && isatty(1) != 0;
  Operator op(program, options);
  ExitCode code = Find(command)->run({op, line, line.words});
  if (std::fflush(stdout) != 0 && code == ExitCode::kOk) code = ExitCode::kWriteFailed;
  return static_cast<int>(code);
}

}  // namespace weir
