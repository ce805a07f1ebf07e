#include "runtime/connector/file/file_list.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace weir::file {
namespace {

bool HasPattern(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

bool IsKind(const std::string& path, mode_t kind) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == kind;
}

std::string Join(const std::string& directory, const std::string& name) {
  if (directory.empty()) return name;
  return directory.back() == '/' ? directory + name : directory + "/" + name;
}

std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  DIR* open = opendir(directory.empty() ? "." : directory.c_str());
  if (!open) return names;
  while (const dirent* entry = readdir(open)) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(open);
  return names;
}

// glob(3) would bring name services into a static executable, for ~user.
void Match(const std::string& directory, const std::string& pattern, std::vector<std::string>* out) {
  size_t slash = pattern.find('/');
  std::string part = pattern.substr(0, slash);
  std::string rest = slash == std::string::npos ? "" : pattern.substr(slash + 1);
  std::vector<std::string> found;
  if (!HasPattern(part)) {
    found.push_back(part);
  } else {
    for (const std::string& name : Names(directory)) {
      if (fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) == 0) found.push_back(name);
    }
  }
  for (const std::string& name : found) {
    std::string path = Join(directory, name);
    if (slash != std::string::npos) {
      if (IsKind(path, S_IFDIR)) Match(path, rest, out);
    } else if (IsKind(path, S_IFREG)) {
      out->push_back(path);
    }
  }
}

}  // namespace

Status ListFiles(const std::string& address, std::vector<std::string>* files) {
  files->clear();
  if (HasPattern(address) && !IsKind(address, S_IFREG)) {
    bool absolute = address[0] == '/';
    Match(absolute ? "/" : "", absolute ? address.substr(1) : address, files);
    if (files->empty()) return Status::NotFound("no file matches `" + address + "`");
  } else if (IsKind(address, S_IFDIR)) {
    for (const std::string& name : Names(address)) {
      std::string path = Join(address, name);
      if (name[0] != '.' && IsKind(path, S_IFREG)) files->push_back(path);
    }
    if (files->empty()) return Status::NotFound("directory `" + address + "` has no files");
  } else {
    struct stat info;
    if (stat(address.c_str(), &info) != 0) return Status::FromErrno(errno, "file `" + address + "`");
    if (!S_ISREG(info.st_mode)) {
      return Status::Invalid("`" + address + "` is no regular file: what cannot be read again is read from stdin");
    }
    files->push_back(address);
  }
  std::sort(files->begin(), files->end());
  return Status();
}

}  // namespace weir::file
