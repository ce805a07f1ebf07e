// Where Weir itself is installed, and what lies in its private directory.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace weirc {

// <prefix>/bin/weir has <prefix>/lib/weir/ beside it, which holds
//   runtime.pch         the header that generated code includes, precompiled
//   libweir_runtime.a   the runtime of pipelines, tests included
//   *.a crt*.o          the C and C++ libraries, and what the connectors link
//   build_id            a name for all of this: it changes when any of the files does
struct Installation {
  std::string directory;  // the private directory, absolute
  std::string build_id;

  std::string File(const std::string& name) const { return directory + "/" + name; }
};

// Finds the private directory: $WEIR_LIB, else beside this program (by /proc/self/exe, or by the path it was started
// with where there is no /proc), else in /usr/local/lib/weir and /usr/lib/weir. `argv0` is what main was given.
// Nothing is returned when no such directory holds a build_id; `tried` then lists the places.
std::optional<Installation> FindInstallation(const char* argv0, std::vector<std::string>* tried);

}  // namespace weirc
