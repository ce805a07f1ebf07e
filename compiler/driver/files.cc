#include "compiler/driver/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace weirc {

namespace fs = std::filesystem;

bool ReadFile(const std::string& path, std::string* text, std::string* error) {
  text->clear();
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    *error = "cannot read " + path + ": " + strerror(errno);
    return false;
  }
  struct stat status;
  if (fstat(fd, &status) == 0 && status.st_size > 0) text->reserve(status.st_size);
  char buffer[65536];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) != 0) {
    if (n > 0) {
      text->append(buffer, n);
    } else if (errno != EINTR) {
      *error = "cannot read " + path + ": " + strerror(errno);
      close(fd);
      return false;
    }
  }
  close(fd);
  return true;
}

bool WriteFile(const std::string& path, std::string_view text, std::string* error) {
  const std::string scratch = path + ".tmp" + std::to_string(getpid());
  int fd = open(scratch.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  bool ok = fd >= 0;
  while (ok && !text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n > 0) {
      text.remove_prefix(n);
    } else if (errno != EINTR) {
      ok = false;
    }
  }
  int reason = errno;
  if (fd >= 0 && close(fd) != 0 && ok) ok = false, reason = errno;
  if (ok && rename(scratch.c_str(), path.c_str()) != 0) ok = false, reason = errno;
  if (!ok) {
    unlink(scratch.c_str());
    *error = "cannot write " + path + ": " + strerror(reason);
  }
  return ok;
}

bool MakeFolders(const std::string& path, std::string* error) {
  std::error_code code;
  fs::create_directories(path, code);
  if (fs::is_directory(path, code)) return true;
  *error = "cannot make the folder " + path + ": " + (code ? code.message() : "a file is in the way");
  return false;
}

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string StemOf(const std::string& path) { return fs::path(path).stem().string(); }

bool FindPipelines(const std::vector<std::string>& paths, std::vector<std::string>* files,
                   std::string* error) {
  for (const std::string& path : paths) {
    std::error_code code;
    if (!fs::exists(path, code)) {
      *error = "cannot read " + path + ": " + strerror(ENOENT);
      return false;
    }
    if (!fs::is_directory(path, code)) {
      files->push_back(path);
      continue;
    }
    fs::recursive_directory_iterator walk(path, fs::directory_options::skip_permission_denied, code);
    for (; !code && walk != fs::recursive_directory_iterator(); walk.increment(code)) {
      const fs::path& entry = walk->path();
      if (entry.filename().string().starts_with(".")) {
        if (walk->is_directory()) walk.disable_recursion_pending();
        continue;
      }
      if (entry.extension() == ".weir" && walk->is_regular_file()) {
        std::string name = entry.string();
        files->push_back(name.starts_with("./") ? name.substr(2) : name);
      }
    }
  }
  std::sort(files->begin(), files->end());
  files->erase(std::unique(files->begin(), files->end()), files->end());
  return true;
}

}  // namespace weirc
