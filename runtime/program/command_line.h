// The arguments of a command that has options and words of its own beside the settings: which are whose.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

namespace weir {

struct CommandOption {
  const char* name;          // without the dashes: "dry-run"
  bool takes_value = false;  // --name VALUE or --name=VALUE
};

struct CommandLine {
  std::vector<std::string> words;                           // what is no flag
  std::map<std::string, std::vector<std::string>> options;  // the command's own; a switch has "true"
  std::vector<std::string> settings;                        // flags for Settings, with their values
  std::vector<std::string> errors;

  bool Has(const std::string& option) const { return options.count(option) != 0; }
  // The last value given; empty: none.
  std::string Get(const std::string& option) const {
    auto found = options.find(option);
    return found == options.end() ? "" : found->second.back();
  }
};

// `setting_switches`: flags of Settings that stand alone. Any other flag that is not among `own` takes the argument behind
// it as its value, unless it has a `=`. Behind `--` everything is a word.
CommandLine SplitCommandLine(const std::vector<std::string>& arguments, std::span<const CommandOption> own,
                             const std::vector<std::string>& setting_switches);

}  // namespace weir
