// What of a record may stand in the head of a request.
#pragma once

#include "runtime/core/str.h"

namespace weir::http {

// A path that stays below the service's own, printable, with nothing that could end the request's line: nothing from a
// record can change where a request goes, or what its line is.
bool GoodTarget(Str target);
// The value of a header: printable.
bool GoodHeaderText(Str text);

}  // namespace weir::http
