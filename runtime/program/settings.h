// What an operator says: flags, environment, configuration file; checked, all problems told at once.
//
// Precedence: flag > environment > file > default. A param `x` is `--set x=…`, WEIR_X, or "x" in the file; a secret comes
// from WEIR_X, from the file that WEIR_X_FILE names, or from the configuration file, never from a flag. The runtime's own
// settings are `--state-dir …`, WEIR_STATE_DIR, "state_dir". Properties of librdkafka are `--kafka.fetch.min.bytes=…`,
// WEIR_KAFKA_FETCH_MIN_BYTES, {"kafka": {"fetch.min.bytes": …}}. A param that is called like a setting of the runtime is
// WEIR_PARAM_X and "param.x".
//
// The configuration file (`--config FILE`, WEIR_CONFIG) holds one JSON object.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/core/arena.h"
#include "runtime/core/status.h"
#include "runtime/program/program.h"

namespace weir {

// Where settings come from; tests bring their own.
struct SettingSources {
  std::vector<std::string> flags;                   // what follows the subcommand
  std::map<std::string, std::string> environment;
  // The whole file.
  std::function<Status(const std::string& path, std::string* text)> read_file;
};
// The process's own.
SettingSources ProcessSources(int argc, char** argv, int first);

enum class LogFormat : uint8_t { kAuto, kJson, kText };

// The runtime's own settings.
struct RunSettings {
  int workers = 1;
  std::string state_dir;
  bool state_dir_given = false;
  std::string group;            // empty: as the pipeline says
  std::string start;            // see StartPolicy; empty: as each source says
  std::string http_host;        // without brackets
  int http_port = 0;
  bool http_off = false;
  bool http_default = true;     // nobody asked for this port
  LogFormat log = LogFormat::kAuto;
  int64_t commit_ns = 0;        // 0: as the pipeline says
  int64_t grace_ns = 0;
  bool leave = false;
  bool standby = false;
  bool no_create = false;
  bool stop_at_end = false;
};

class Settings final : public ParamValues {
 public:
  explicit Settings(const Compiled& compiled);

  // Flags that stand alone, without their dashes.
  static std::vector<std::string> Switches();

  // Reads everything. What is wrong is in errors(), one sentence each, with flag, variable or file and the .weir line.
  void Load(const SettingSources& sources);
  // For `plan` and `version`: values that let Build run where none were given.
  void FillMissing();

  const std::vector<std::string>& errors() const { return errors_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  const RunSettings& run() const { return run_; }
  const Properties& kafka() const { return kafka_; }
  // `config`: each setting with value, origin and meaning; secrets masked.
  std::string Describe() const;

  // ---- ParamValues ----
  bool Bool(int i) const override { return params_[static_cast<size_t>(i)].number != 0; }
  int64_t Int64(int i) const override { return params_[static_cast<size_t>(i)].number; }
  double Float64(int i) const override { return params_[static_cast<size_t>(i)].real; }
  i128 Decimal(int i) const override { return params_[static_cast<size_t>(i)].decimal; }
  Str String(int i) const override;
  std::vector<Str> StringList(int i) const override;

 private:
  struct Value {
    bool given = false;    // by anybody, the default included
    std::string text;      // as it was written
    std::string origin;    // "--set limit", "WEIR_LIMIT", "settings.json", "default"
    bool is_list = false;  // from a JSON array
    std::vector<std::string> list;
    int64_t number = 0;
    double real = 0;
    i128 decimal = 0;
  };
  struct OwnSetting {
    const char* name;      // as in the file: "state_dir"
    const char* fallback;  // as text; "" none
    const char* what;      // of the value: "a duration"
    const char* doc;
  };
  static const OwnSetting kOwn[];
  static const int kOwnCount;

  void ReadDefaults();
  void ReadFile(const SettingSources& sources);
  void ReadFileText(const std::string& path, const std::string& text);
  void ReadEnvironment(const SettingSources& sources);
  void ReadFlags(const SettingSources& sources);
  void ReadFlag(const std::string& name, const std::string* value, const std::vector<std::string>& flags, size_t* next);
  void Check();
  void CheckParam(int i);
  void CheckOwn();
  void SetKafka(const std::string& property, const std::string& value, const std::string& origin);
  Value& Own(const char* name);
  int FindParam(const std::string& name) const;
  int FindOwn(const std::string& name) const;
  std::string Declared(int param) const;
  std::string FileName() const;
  void Error(std::string message) { errors_.push_back(std::move(message)); }

  const Compiled& compiled_;
  std::vector<Value> params_;   // by index of ParamSpec
  std::vector<Value> own_;      // by index of kOwn
  std::map<std::string, Value> kafka_values_;
  Properties kafka_;
  RunSettings run_;
  std::vector<std::string> errors_, warnings_;
};

}  // namespace weir
