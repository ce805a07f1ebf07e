// The files that an address stands for.
#pragma once

#include <string>
#include <vector>

#include "runtime/core/status.h"

namespace weir::file {

// A path; a directory, whose regular files are meant (not those beginning with a dot); or a pattern, in which * ? and
// [ ] stand for parts of names, in any part of the path. Sorted by bytes. NotFound when there is nothing.
Status ListFiles(const std::string& address, std::vector<std::string>* files);

}  // namespace weir::file
