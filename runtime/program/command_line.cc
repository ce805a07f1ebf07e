#include "runtime/program/command_line.h"

#include <algorithm>

namespace weir {

CommandLine SplitCommandLine(const std::vector<std::string>& arguments, std::span<const CommandOption> own,
                             const std::vector<std::string>& setting_switches) {
  CommandLine line;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      line.words.insert(line.words.end(), arguments.begin() + static_cast<ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (argument.rfind("--", 0) != 0) {
      line.words.push_back(argument);
      continue;
    }
    size_t equals = argument.find('=');
    std::string name = argument.substr(2, equals == std::string::npos ? std::string::npos : equals - 2);
    auto option = std::find_if(own.begin(), own.end(), [&](const CommandOption& o) { return name == o.name; });
    if (option == own.end()) {
      line.settings.push_back(argument);
      bool alone = equals != std::string::npos ||
                   std::find(setting_switches.begin(), setting_switches.end(), name) != setting_switches.end();
      if (!alone && i + 1 < arguments.size()) line.settings.push_back(arguments[++i]);
      continue;
    }
    std::string value = "true";
    if (!option->takes_value) {
      if (equals != std::string::npos) line.errors.push_back("`--" + name + "` takes no value");
    } else if (equals != std::string::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      line.errors.push_back("`--" + name + "` needs a value");
      continue;
    }
    line.options[name].push_back(value);
  }
  return line;
}

}  // namespace weir
