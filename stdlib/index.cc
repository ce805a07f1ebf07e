// The table of the standard library, from what generate.py wrote.
#include "stdlib/index.h"

#include <iterator>

namespace weir::stdlib {

const Function kFunctions[] = {
#include "stdlib/index.inc"
};
const int kFunctionCount = static_cast<int>(std::size(kFunctions));

}  // namespace weir::stdlib
