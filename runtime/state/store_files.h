// The files of one directory as a task's store uses them: each is written once, from its beginning to its end, and then
// only read. Tests put a disk that fails in its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/status.h"
#include "runtime/core/str.h"

namespace weir {

class StoreFiles {
 public:
  // A file as it was when it was opened; it stays readable after it was removed. Any thread.
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual uint64_t size() const = 0;
    // Exactly `size` bytes from `at` on. kCorrupt: the file is shorter than it was.
    virtual Status Read(uint64_t at, uint32_t size, char* to) const = 0;
  };
  class Writer {
   public:
    virtual ~Writer() = default;
    virtual Status Append(Str bytes) = 0;
    // On the disk, whatever happens to the machine.
    virtual Status Sync() = 0;
  };

  virtual ~StoreFiles() = default;
  // How messages call the directory.
  virtual const std::string& where() const = 0;
  // Names of the files; none when there is no such directory yet.
  virtual Status List(std::vector<std::string>* names) = 0;
  // Begins a file, in place of one of that name; makes the directory when it is missing.
  virtual Status Create(const std::string& name, std::unique_ptr<Writer>* out) = 0;
  // kNotFound: there is none.
  virtual Status Open(const std::string& name, std::unique_ptr<Reader>* out) = 0;
  // Gives a file its final name, in place of one that has it, as one change of the disk.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  // A file that was not synced when it was written.
  virtual Status Sync(const std::string& name) = 0;
  // What was created, renamed and removed is so, whatever happens to the machine.
  virtual Status SyncNames() = 0;
  virtual Status Remove(const std::string& name) = 0;
  // The directory itself, where there is one and it is empty.
  virtual Status RemoveDirectory() { return Status(); }
};

// Of the file system. `directory`: its parent is there, or is made too.
std::unique_ptr<StoreFiles> MakeDirectoryFiles(std::string directory);

// Names of the directories in `directory`; none when it is not there yet.
Status ListDirectories(const std::string& directory, std::vector<std::string>* names);

// Kept in memory, for processes without a directory of their own.
std::unique_ptr<StoreFiles> MakeMemoryFiles();

}  // namespace weir
