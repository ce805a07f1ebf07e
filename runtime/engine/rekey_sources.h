// With transactions, rows that are re-keyed travel through a topic: the stage behind reads it as any other source.
#pragma once

#include "runtime/program/program.h"

namespace weir {

// Gives every stage that an exchange feeds a source of its topic. To be called once, when the program is built; nothing
// happens to programs without transactions.
void AddRekeySources(Program* program);

}  // namespace weir
