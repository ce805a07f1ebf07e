// Which operations can fail when a pipeline runs.
#pragma once

#include "compiler/check/typed.h"

namespace weirc::plan {

// The operation itself, its operands aside: overflow, division, a function that fails.
bool OwnFallible(const typed::TypedPipeline& typed, const typed::Expr& e);

// Makes Expr::fallible of `e` and everything in it agree with OwnFallible; true when `e` is fallible.
bool UpdateFallible(const typed::TypedPipeline& typed, typed::Expr& e);

}  // namespace weirc::plan
