#include "compiler/native/installation.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <fstream>

namespace weirc {
namespace {

std::string RealPath(const std::string& path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) ? std::string(buffer) : std::string();
}

// This program's own file, or "" if nothing tells.
std::string OwnPath(const char* argv0) {
  std::string path = RealPath("/proc/self/exe");
  if (!path.empty()) return path;
  // An empty root has no /proc. The kernel passes the path it executed; a shell passes argv[0].
  const char* executed = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  for (const char* candidate : {executed, argv0}) {
    if (candidate == nullptr || std::string(candidate).find('/') == std::string::npos) continue;
    path = RealPath(candidate);
    if (!path.empty()) return path;
  }
  return "";
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::optional<Installation> FindInstallation(const char* argv0, std::vector<std::string>* tried) {
  std::vector<std::string> candidates;
  if (const char* chosen = getenv("WEIR_LIB"); chosen != nullptr && *chosen != 0) {
    candidates.push_back(chosen);
  } else {
    std::string own = OwnPath(argv0);
    if (size_t slash = own.rfind('/'); slash != std::string::npos) {
      candidates.push_back(own.substr(0, slash) + "/../lib/weir");
    }
    candidates.push_back("/usr/local/lib/weir");
    candidates.push_back("/usr/lib/weir");
  }
  for (const std::string& candidate : candidates) {
    std::string id = FirstLine(candidate + "/build_id");
    if (!id.empty()) return Installation{RealPath(candidate), id};
    tried->push_back(candidate);
  }
  return std::nullopt;
}

}  // namespace weirc
