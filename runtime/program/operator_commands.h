// The commands of a produced binary that look into what a pipeline left behind, and change it: which there are, their
// help, and their arguments. What they do is in runtime/operate.
#pragma once

#include <string>
#include <vector>

#include "runtime/program/command_line.h"
#include "runtime/program/program.h"
#include "runtime/program/settings.h"

namespace weir {

// Names of the commands, for help and did-you-mean.
std::vector<std::string> OperatorCommands();
bool IsOperatorCommand(const std::string& command);
// Its arguments, split into its own and the settings.
CommandLine OperatorCommandLine(const std::string& command, const std::vector<std::string>& arguments);
// How it is called and what its options mean.
std::string OperatorHelp(const std::string& command, const std::string& binary);

// Runs it; the exit code.
int RunOperatorCommand(const std::string& command, const CommandLine& line, const Program& program,
                       const Settings& settings);

}  // namespace weir
