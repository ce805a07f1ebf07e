// The disk of one simulated machine, where local stores lie: it fails, lies about what it has written, loses and tears what
// was not synced when the power goes, and gives damaged bytes back, as a seed says.
//
// One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/state/store_files.h"

namespace weir {

// One in so many calls; 0: never.
struct DiskFaults {
  uint64_t write_fails = 0;    // half of the bytes may be there
  uint64_t sync_fails = 0;
  uint64_t name_fails = 0;     // creating, renaming, removing
  uint64_t read_fails = 0;
  uint64_t sync_lies = 0;      // says that it is done
};

class SimulatedDisk {
 public:
  // A number below `n`; whatever else happens is counted by its name.
  using Draw = std::function<uint64_t(uint64_t n)>;
  using Count = std::function<void(const char* what)>;
  SimulatedDisk(Draw draw, Count count) : draw_(std::move(draw)), count_(std::move(count)) {}

  // The files of one directory. The disk outlives them.
  std::unique_ptr<StoreFiles> Files(const std::string& directory);

  DiskFaults faults;

  // ---- While nobody runs on it ----
  // What was not synced is there, is there in part, is there as zeros, or is not.
  void LosePower();
  // One byte of one file is another one, or a file is cut off.
  void Damage();
  // Remembers how it looks, or looks again as it once did.
  void Save();
  bool RestoreSaved();

 private:
  struct File {
    std::string bytes;
    size_t synced = 0;  // of them
  };
  using FilesByName = std::map<std::string, std::shared_ptr<File>>;
  struct Directory {
    FilesByName now;
    FilesByName synced;  // the names as they were when they were last synced
  };
  class Of;
  class DiskReader;
  class DiskWriter;

  bool Happens(uint64_t one_in, const char* what) {
    if (one_in == 0 || draw_(one_in) != 0) return false;
    count_(what);
    return true;
  }

  Draw draw_;
  Count count_;
  std::map<std::string, Directory> directories_;
  std::map<std::string, std::map<std::string, std::string>> saved_;
};

}  // namespace weir
