// What `weir simulate` has to know of a pipeline beyond its generated code: the records that go in, the answers that
// come back, and what each sink's order promises. As JSON, for the program that simulates it
// (runtime/testing/pipeline_shape.h reads it).
#pragma once

#include <string>

#include "compiler/driver/compile.h"

namespace weirc {

// Of a pipeline that was planned without errors.
std::string PipelineShape(const Compilation& compilation);

// Why a pipeline cannot be simulated, with the line that makes it so ("file.weir:12: …", help on lines of its own);
// empty when it can.
std::string WhyNotSimulated(const Compilation& compilation);

}  // namespace weirc
