// Recognises a file that was read up to some place.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/core/status.h"

namespace weir::file {

// Describes the first `read` bytes of an open file: one line of text, under 300 bytes but for the name. Empty: the file
// cannot be read.
std::string Fingerprint(int fd, const std::string& path, int64_t read);

// Whether `fd` still begins with what `fingerprint` describes. kCorrupt, naming what is different.
Status CheckFingerprint(int fd, const std::string& path, const std::string& fingerprint);

}  // namespace weir::file
