// The embedded lld. Nothing else includes its headers but lld.cc.
#pragma once

#include <string>
#include <vector>

namespace weirc {

// Runs lld's ELF linker in this process with `arguments` (without a program name). Messages go to stderr. Call it once
// in a process: after an error lld cannot be used again.
bool Link(const std::vector<std::string>& arguments);

}  // namespace weirc
