// Files, as the driver reads and writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weirc {

// The whole file in `text`, or false with the reason in `error`: "cannot read x.weir: No such file or directory".
bool ReadFile(const std::string& path, std::string* text, std::string* error);

// Writes through a temporary file beside `path` and a rename: a reader sees the old text or the new one.
bool WriteFile(const std::string& path, std::string_view text, std::string* error);

// Makes a folder and those above it. True if it is there in the end.
bool MakeFolders(const std::string& path, std::string* error);

// "a/b/c.weir" → "a/b", "c.weir" → ".".
std::string FolderOf(const std::string& path);
// "a/b/c.weir" → "c".
std::string StemOf(const std::string& path);

// Every `*.weir` file that `paths` name: files as they are, folders searched recursively (hidden ones left out), sorted
// and without repetitions. A path that does not exist is an `error`.
bool FindPipelines(const std::vector<std::string>& paths, std::vector<std::string>* files,
                   std::string* error);

}  // namespace weirc
