// Reading in order of precedence, lowest first; then one check over everything.
#include "runtime/program/settings.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "runtime/core/json_reader.h"
#include "runtime/core/number_text.h"
#include "runtime/core/time.h"
#include "runtime/engine/start_policy.h"
#include "runtime/program/setting_text.h"

extern char** environ;

namespace weir {

const Settings::OwnSetting Settings::kOwn[] = {
    {"workers", "1", "a whole number from 1 to 256", "Threads that share the partitions."},
    {"state_dir", "", "a directory",
     "Where state is kept: windows, pending requests, positions. One process at a time uses it."},
    {"group", "", "a text", "The Kafka consumer group, instead of the pipeline's."},
    {"start", "", "earliest, latest, a date or a time such as 2026-01-02T09:00:00Z",
     "Where a partition begins that was never read, instead of where its source's `start:` says."},
    {"http", "127.0.0.1:9640", "HOST:PORT or off", "Where /livez, /readyz and /metrics are served."},
    {"log", "auto", "json, text or auto", "Lines on stderr; auto: text on a terminal, else JSON."},
    {"commit_interval", "", "a duration", "Time between two commits, instead of the pipeline's."},
    {"grace", "10s", "a duration", "How long requests under way may take to end after SIGTERM."},
    {"stop_at_end", "false", "true or false", "Ends once everything that was there has been read and written."},
    {"leave", "false", "true or false",
     "At its end a copy gives its partitions back at once, instead of keeping its place for a restart."},
    {"standby", "false", "true or false",
     "Keeps the state of partitions that other copies hold at hand, to take over without replaying it."},
    {"no_create", "false", "true or false",
     "The pipeline's own topics are there already: makes none, and says what is missing and the commands."},
    {"config", "", "a file", "Configuration file: one JSON object."},
};
const int Settings::kOwnCount = static_cast<int>(sizeof kOwn / sizeof *kOwn);

namespace {

Status ReadWholeFile(const std::string& path, std::string* text) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Status::NotFound("cannot be read");
  std::stringstream all;
  all << in.rdbuf();
  *text = all.str();
  return in.bad() ? Status::Io("cannot be read") : Status();
}

std::string Quoted(const std::string& text) {
  std::string out = "`";
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out + "`";
}

}  // namespace

SettingSources ProcessSources(int argc, char** argv, int first) {
  SettingSources sources;
  for (int i = first; i < argc; ++i) sources.flags.push_back(argv[i]);
  for (char** at = environ; *at != nullptr; ++at) {
    std::string entry = *at;
    size_t equals = entry.find('=');
    if (equals != std::string::npos) sources.environment[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  sources.read_file = &ReadWholeFile;
  return sources;
}

std::vector<std::string> Settings::Switches() { return {"stop-at-end", "leave", "standby", "no-create"}; }

Settings::Settings(const Compiled& compiled)
    : compiled_(compiled), params_(static_cast<size_t>(compiled.param_count)), own_(static_cast<size_t>(kOwnCount)) {}

int Settings::FindParam(const std::string& name) const {
  for (int i = 0; i < compiled_.param_count; ++i) {
    if (name == compiled_.params[i].name) return i;
  }
  return -1;
}

int Settings::FindOwn(const std::string& name) const {
  for (int i = 0; i < kOwnCount; ++i) {
    if (name == kOwn[i].name) return i;
  }
  return -1;
}

Settings::Value& Settings::Own(const char* name) { return own_[static_cast<size_t>(FindOwn(name))]; }

std::string Settings::Declared(int param) const {
  const ParamSpec& spec = compiled_.params[param];
  return std::string(spec.secret ? "secret" : "param") + " `" + spec.name + "` (" + compiled_.file + ":" +
         std::to_string(spec.line) + ")";
}

void Settings::Load(const SettingSources& sources) {
  ReadDefaults();
  // The file's name itself comes from a flag or the environment: those are read first for it, and again for their values.
  for (size_t i = 0; i < sources.flags.size(); ++i) {
    if (sources.flags[i].rfind("--config=", 0) == 0) Own("config").text = sources.flags[i].substr(9);
    if (sources.flags[i] == "--config" && i + 1 < sources.flags.size()) Own("config").text = sources.flags[i + 1];
  }
  auto variable = sources.environment.find("WEIR_CONFIG");
  if (Own("config").text.empty() && variable != sources.environment.end()) Own("config").text = variable->second;
  ReadFile(sources);
  ReadEnvironment(sources);
  ReadFlags(sources);
  Check();
}

void Settings::ReadDefaults() {
  for (int i = 0; i < compiled_.param_count; ++i) {
    const char* text = compiled_.params[i].default_text;
    if (text == nullptr) continue;
    Value& v = params_[static_cast<size_t>(i)];
    v.given = true;
    v.text = text;
    v.origin = "default";
  }
  for (int i = 0; i < kOwnCount; ++i) {
    Value& v = own_[static_cast<size_t>(i)];
    v.given = true;
    v.text = kOwn[i].fallback;
    v.origin = "default";
  }
  Own("state_dir").text = std::string(compiled_.name) + ".state";
}

// ---- File ------------------------------------------------------------------------------------------------------------

std::string Settings::FileName() const { return own_[static_cast<size_t>(FindOwn("config"))].text; }

void Settings::ReadFile(const SettingSources& sources) {
  std::string path = FileName();
  if (path.empty()) return;
  std::string text;
  Status status = sources.read_file(path, &text);
  if (!status.ok()) return Error("the configuration file " + path + " " + status.message());
  ReadFileText(path, text);
}

void Settings::ReadFileText(const std::string& path, const std::string& text) {
  Arena arena;
  JsonContext context(&arena);
  JsonReader in(Str(std::string_view(text)), &context);
  std::vector<std::string> known;
  for (int i = 0; i < compiled_.param_count; ++i) known.push_back(compiled_.params[i].name);
  for (int i = 0; i < kOwnCount; ++i) known.push_back(kOwn[i].name);
  // A value as text: strings without their quotes, everything else as it stands.
  auto scalar = [&](Value* v) {
    Str s;
    if (in.Peek() == '"') {
      if (!in.String(&s)) return false;
    } else if (!in.Raw(&s)) {
      return false;
    }
    v->text = std::string(s.view());
    return true;
  };
  bool ok = in.BeginObject();
  Str key;
  while (ok && in.NextKey(&key)) {
    std::string name(key.view());
    if (name == "kafka") {
      ok = in.BeginObject();
      Str property;
      while (ok && in.NextKey(&property)) {
        std::string property_name(property.view());
        Value v;
        ok = scalar(&v);
        if (ok) SetKafka(property_name, v.text, path);
      }
      ok = ok && in.ok();
      continue;
    }
    bool plain = name.rfind("param.", 0) != 0;
    int own = plain ? FindOwn(name) : -1;
    int param = own >= 0 ? -1 : FindParam(plain ? name : name.substr(6));
    if (own < 0 && param < 0) {
      std::string meant = DidYouMean(name, known);
      Error(Quoted(name) + " in " + path + " is no setting of this pipeline" +
            (meant.empty() ? "" : "; did you mean `" + meant + "`?"));
      ok = in.Skip();
      continue;
    }
    Value v;
    v.given = true;
    v.origin = path;
    if (in.Peek() == '[') {
      v.is_list = true;
      ok = in.BeginArray();
      while (ok && in.NextElement()) {
        Str element;
        ok = in.String(&element);
        if (!ok) break;
        v.list.push_back(std::string(element.view()));
        v.text += (v.list.size() > 1 ? "," : "") + v.list.back();
      }
      ok = ok && in.ok();
    } else {
      ok = scalar(&v);
    }
    if (ok && own >= 0 && std::string(kOwn[own].name) == "config") {
      Error("`config` in " + path + " has no meaning: a configuration file names no other");
    } else if (ok) {
      (own >= 0 ? own_[static_cast<size_t>(own)] : params_[static_cast<size_t>(param)]) = v;
    }
  }
  if (ok && in.ok() && in.End()) return;
  Buffer why;
  context.Describe(&why);
  Error("the configuration file " + path + " is not one JSON object of settings: " + std::string(why.data(), why.size()));
}

// ---- Environment -----------------------------------------------------------------------------------------------------

void Settings::ReadEnvironment(const SettingSources& sources) {
  const auto& environment = sources.environment;
  auto take = [&](const std::string& variable, Value* v) {
    auto found = environment.find(variable);
    if (found == environment.end()) return false;
    *v = Value();
    v->given = true;
    v->text = found->second;
    v->origin = variable;
    return true;
  };
  std::map<std::string, bool> mine;  // variables of params
  for (int i = 0; i < compiled_.param_count; ++i) {
    const ParamSpec& spec = compiled_.params[i];
    Value& v = params_[static_cast<size_t>(i)];
    std::vector<std::string> variables;
    if (FindOwn(spec.name) < 0) variables.push_back(VariableOf(spec.name));
    variables.push_back(VariableOf(std::string("param_") + spec.name));
    for (const std::string& variable : variables) {
      mine[variable] = true;
      bool direct = take(variable, &v);
      if (!spec.secret) continue;
      std::string file_variable = variable + "_FILE";
      mine[file_variable] = true;
      auto file = environment.find(file_variable);
      if (file == environment.end()) continue;
      if (direct) {
        Error(Declared(i) + " is given twice, by " + variable + " and by " + file_variable);
        continue;
      }
      std::string text;
      Status status = sources.read_file(file->second, &text);
      v = Value();
      v.given = true;
      v.origin = file_variable;
      if (!status.ok()) {
        Error(Declared(i) + ": the file " + file->second + ", named by " + file_variable + ", " + status.message());
        continue;
      }
      while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
      v.text = text;
    }
  }
  for (int i = 0; i < kOwnCount; ++i) {
    if (std::string(kOwn[i].name) == "config") continue;
    take(VariableOf(kOwn[i].name), &own_[static_cast<size_t>(i)]);
  }
  for (const auto& [variable, value] : environment) {
    constexpr const char* kPrefix = "WEIR_KAFKA_";
    if (variable.rfind(kPrefix, 0) != 0 || mine.count(variable) != 0) continue;
    SetKafka(KafkaPropertyOf(variable.substr(11)), value, variable);
  }
}

void Settings::SetKafka(const std::string& property, const std::string& value, const std::string& origin) {
  Value& v = kafka_values_[property];
  v.given = true;
  v.text = value;
  v.origin = origin;
}

// ---- Flags -----------------------------------------------------------------------------------------------------------

void Settings::ReadFlags(const SettingSources& sources) {
  const std::vector<std::string>& flags = sources.flags;
  for (size_t i = 0; i < flags.size();) {
    const std::string& word = flags[i++];
    if (word.rfind("--", 0) != 0 || word.size() < 3) {
      Error(Quoted(word) + " is no flag; settings are given as --name value or --set param=value");
      continue;
    }
    size_t equals = word.find('=');
    std::string name = word.substr(2, equals == std::string::npos ? std::string::npos : equals - 2);
    std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    ReadFlag(name, equals == std::string::npos ? nullptr : &value, flags, &i);
  }
}

void Settings::ReadFlag(const std::string& name, const std::string* value, const std::vector<std::string>& flags,
                        size_t* next) {
  std::string text;
  std::string own_name = name;
  std::replace(own_name.begin(), own_name.end(), '-', '_');
  int own = FindOwn(own_name);
  const std::vector<std::string> switches = Switches();
  bool is_switch = std::find(switches.begin(), switches.end(), FlagOf(own_name).substr(2)) != switches.end();
  if (name != "set" && own < 0 && name.rfind("kafka.", 0) != 0) {
    std::vector<std::string> known = {"set"};
    for (int i = 0; i < kOwnCount; ++i) known.push_back(FlagOf(kOwn[i].name).substr(2));
    std::string meant = DidYouMean(name, known);
    int param = FindParam(name) >= 0 ? FindParam(name) : FindParam(own_name);
    Error("there is no flag `--" + name + "`" +
          (param >= 0        ? "; params are given as --set " + std::string(compiled_.params[param].name) + "=…"
           : !meant.empty() ? "; did you mean `--" + meant + "`?"
                            : ""));
    // Its value, if it has one, is no flag of its own.
    if (value == nullptr && *next < flags.size() && flags[*next].rfind("--", 0) != 0) ++*next;
    return;
  }
  if (value != nullptr) {
    text = *value;
  } else if (is_switch) {
    text = "true";
  } else if (*next < flags.size()) {
    text = flags[(*next)++];
  } else {
    return Error("`--" + name + "` needs a value");
  }
  if (name == "set") {
    size_t equals = text.find('=');
    if (equals == std::string::npos) return Error("--set takes name=value, not " + Quoted(text));
    std::string param_name = text.substr(0, equals);
    int param = FindParam(param_name);
    if (param < 0) {
      std::vector<std::string> known;
      for (int i = 0; i < compiled_.param_count; ++i) {
        if (!compiled_.params[i].secret) known.push_back(compiled_.params[i].name);
      }
      std::string meant = DidYouMean(param_name, known);
      return Error("the pipeline has no param " + Quoted(param_name) + (meant.empty() ? "" : "; did you mean `" + meant + "`?"));
    }
    if (compiled_.params[param].secret) {
      return Error(Declared(param) + " cannot be given by a flag, which everybody on the machine can read: use " +
                   VariableOf(param_name) + ", or " + VariableOf(param_name) + "_FILE with a file's name");
    }
    Value& v = params_[static_cast<size_t>(param)];
    v = Value();
    v.given = true;
    v.text = text.substr(equals + 1);
    v.origin = "--set " + param_name;
    return;
  }
  if (name.rfind("kafka.", 0) == 0) return SetKafka(name.substr(6), text, "--" + name);
  Value& v = own_[static_cast<size_t>(own)];
  v = Value();
  v.given = true;
  v.text = text;
  v.origin = FlagOf(own_name);
}

// ---- Check -----------------------------------------------------------------------------------------------------------

void Settings::Check() {
  for (int i = 0; i < compiled_.param_count; ++i) CheckParam(i);
  CheckOwn();
  for (const auto& [name, v] : kafka_values_) kafka_.push_back({"kafka." + name, v.text, false});
}

void Settings::CheckParam(int i) {
  const ParamSpec& spec = compiled_.params[i];
  Value& v = params_[static_cast<size_t>(i)];
  std::string variable = VariableOf(FindOwn(spec.name) < 0 ? spec.name : std::string("param_") + spec.name);
  if (!v.given) {
    return Error(Declared(i) + " is not set: " +
                 (spec.secret ? "give it as " + variable + ", or name a file with it in " + variable + "_FILE"
                              : "give it as --set " + std::string(spec.name) + "=…, as " + variable +
                                    " or in a configuration file"));
  }
  ParsedValue parsed;
  bool list_is_fine = spec.kind == ParamKind::kStringList;
  if ((v.is_list && !list_is_fine) || (!v.is_list && !ParseValue(spec, v.text, &parsed))) {
    return Error(Declared(i) + " must be " + KindText(spec) + ", not " +
                 (spec.secret ? "what " + v.origin + " holds" : Quoted(v.text) + " (" + v.origin + ")"));
  }
  v.number = parsed.number;
  v.real = parsed.real;
  v.decimal = parsed.decimal;
  if (!v.is_list) v.list = parsed.list;
}

void Settings::CheckOwn() {
  auto bad = [&](const char* name) {
    int i = FindOwn(name);
    const Value& v = own_[static_cast<size_t>(i)];
    Error(std::string("`") + name + "` must be " + kOwn[i].what + ", not " + Quoted(v.text) + " (" + v.origin + ")");
  };
  int64_t n = 0;
  const Value& workers = Own("workers");
  if (!ParseInt64(Str(std::string_view(workers.text)), &n) || n < 1 || n > 256) {
    bad("workers");
  } else {
    run_.workers = static_cast<int>(n);
  }
  run_.state_dir = Own("state_dir").text;
  run_.state_dir_given = Own("state_dir").origin != "default";
  if (run_.state_dir.empty()) bad("state_dir");
  run_.group = Own("group").text;
  run_.start = Own("start").text;
  StartPolicy policy;
  if (!run_.start.empty() && !ParseStartPolicy(run_.start, &policy)) bad("start");
  const Value& http = Own("http");
  run_.http_default = http.origin == "default";
  run_.http_off = http.text == "off";
  if (!run_.http_off && !ParseHostPort(http.text, &run_.http_host, &run_.http_port)) bad("http");
  const std::string& log = Own("log").text;
  run_.log = log == "json" ? LogFormat::kJson : log == "text" ? LogFormat::kText : LogFormat::kAuto;
  if (log != "json" && log != "text" && log != "auto") bad("log");
  const std::string& commit = Own("commit_interval").text;
  if (!commit.empty() && (!ParseDuration(Str(std::string_view(commit)), &run_.commit_ns) || run_.commit_ns <= 0)) {
    bad("commit_interval");
  }
  if (!ParseDuration(Str(std::string_view(Own("grace").text)), &run_.grace_ns) || run_.grace_ns < 0) bad("grace");
  const std::string& leave = Own("leave").text;
  run_.leave = leave == "true";
  if (leave != "true" && leave != "false") bad("leave");
  const std::string& standby = Own("standby").text;
  run_.standby = standby == "true";
  if (standby != "true" && standby != "false") bad("standby");
  const std::string& no_create = Own("no_create").text;
  run_.no_create = no_create == "true";
  if (no_create != "true" && no_create != "false") bad("no_create");
  const std::string& stop = Own("stop_at_end").text;
  run_.stop_at_end = stop == "true";
  if (stop != "true" && stop != "false") bad("stop_at_end");
}

void Settings::FillMissing() {
  for (int i = 0; i < compiled_.param_count; ++i) {
    Value& v = params_[static_cast<size_t>(i)];
    ParsedValue parsed;
    if (v.given && (v.is_list || ParseValue(compiled_.params[i], v.text, &parsed))) continue;
    v = Value();
    v.given = true;
    v.text = std::string("<") + compiled_.params[i].name + ">";
    v.origin = "not set";
    v.number = 1;
    v.real = 1;
    v.decimal = 1;
    v.list = {v.text};
  }
}

// ---- Values ----------------------------------------------------------------------------------------------------------

Str Settings::String(int i) const { return Str(std::string_view(params_[static_cast<size_t>(i)].text)); }

std::vector<Str> Settings::StringList(int i) const {
  std::vector<Str> out;
  for (const std::string& s : params_[static_cast<size_t>(i)].list) out.push_back(Str(std::string_view(s)));
  return out;
}

std::string Settings::Describe() const {
  struct Row {
    std::string name, value, origin, doc;
  };
  std::vector<Row> rows;
  for (int i = 0; i < compiled_.param_count; ++i) {
    const ParamSpec& spec = compiled_.params[i];
    const Value& v = params_[static_cast<size_t>(i)];
    std::string value = !v.given ? "-" : spec.secret ? "***" : v.text;
    std::string how = FindOwn(spec.name) < 0 ? spec.name : std::string("param_") + spec.name;
    rows.push_back({spec.name, value, v.given ? v.origin : "NOT SET",
                    (spec.secret ? "Secret. " : "Param: ") + (spec.secret ? "" : KindText(spec) + ". ") +
                        (spec.secret ? VariableOf(how) + " or " + VariableOf(how) + "_FILE"
                                     : "--set " + std::string(spec.name) + "=…, " + VariableOf(how)) +
                        ". " + compiled_.file + ":" + std::to_string(spec.line)});
  }
  for (int i = 0; i < kOwnCount; ++i) {
    const Value& v = own_[static_cast<size_t>(i)];
    rows.push_back({kOwn[i].name, v.text.empty() ? "-" : v.text, v.origin,
                    std::string(kOwn[i].doc) + " " + FlagOf(kOwn[i].name) + ", " + VariableOf(kOwn[i].name)});
  }
  for (const auto& [name, v] : kafka_values_) {
    bool secret = name.find("password") != std::string::npos || name.find("secret") != std::string::npos ||
                  name.find(".key") != std::string::npos || name.find("jaas") != std::string::npos;
    rows.push_back({"kafka." + name, secret ? "***" : v.text, v.origin, "A property of librdkafka."});
  }
  size_t name_width = 0, value_width = 0, origin_width = 0;
  for (const Row& row : rows) {
    name_width = std::max(name_width, row.name.size());
    value_width = std::max(value_width, std::min<size_t>(row.value.size(), 40));
    origin_width = std::max(origin_width, std::min<size_t>(row.origin.size(), 30));
  }
  auto padded = [](const std::string& s, size_t width) { return s.size() < width ? s + std::string(width - s.size(), ' ') : s; };
  std::string out;
  for (const Row& row : rows) {
    out += padded(row.name, name_width) + "  " + padded(row.value, value_width) + "  " + padded(row.origin, origin_width) +
           "  " + row.doc + "\n";
  }
  return out;
}

}  // namespace weir
