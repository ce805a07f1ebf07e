#include "compiler/driver/program_cache.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define XXH_INLINE_ALL  // librdkafka carries the same symbols; ours stay inside this file
#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "compiler/driver/files.h"

namespace weirc {
namespace {

namespace fs = std::filesystem;

// A program is some 10 MB; this many are kept.
constexpr size_t kProgramsMax = 40;

std::string CacheFolder() {
  for (auto [variable, below] : {std::pair{"XDG_CACHE_HOME", "/weir/programs"},
                                 std::pair{"HOME", "/.cache/weir/programs"}}) {
    const char* value = getenv(variable);
    if (value != nullptr && *value == '/') return std::string(value) + below;
  }
  return "/tmp/weir-" + std::to_string(getuid()) + "/programs";
}

std::string Key(const NativeJob& job, const Installation& weir) {
  std::string text = weir.build_id;
  text += job.opt == OptLevel::kBest ? "\nbest\n" : "\nquick\n";
  text += job.source_name + "\n" + job.source;
  XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  char hex[33];
  snprintf(hex, sizeof hex, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
           static_cast<unsigned long long>(hash.low64));
  return hex;
}

void RemoveOldest(const fs::path& folder) {
  std::vector<std::pair<fs::file_time_type, fs::path>> programs;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    programs.emplace_back(entry.last_write_time(code), entry.path());
  }
  if (programs.size() <= kProgramsMax) return;
  std::sort(programs.begin(), programs.end());
  for (size_t i = 0; i + kProgramsMax < programs.size(); ++i) {
    fs::remove_all(programs[i].second, code);
  }
}

}  // namespace

CachedProgram BuildCached(NativeJob job, const std::string& name, const Installation& weir) {
  CachedProgram result;
  const std::string all = CacheFolder();
  const std::string folder = all + "/" + Key(job, weir);
  result.path = folder + "/" + name;
  if (access(result.path.c_str(), X_OK) == 0) {
    utimes(folder.c_str(), nullptr);  // used now: not among the oldest
    result.was_there = true;
    return result;
  }
  std::string error;
  if (!MakeFolders(folder, &error)) {
    result.native.failure = NativeResult::Failure::kSystem;
    result.native.message = error;
    return result;
  }
  job.output = result.path;
  result.native = CompileAndLink(job, weir);
  if (result.native.ok()) RemoveOldest(all);
  return result;
}

}  // namespace weirc
