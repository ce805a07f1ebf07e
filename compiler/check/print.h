// compiler/check/print.h — The typed pipeline as text: what `weir build --print typed` and
// tests/check show.
#pragma once

#include <functional>
#include <string>

#include "compiler/check/typed.h"

namespace weirc {

// Stable: the same pipeline gives the same bytes. One declaration or step a line, expressions with
// every conversion.
std::string PrintTyped(const typed::TypedPipeline& pipeline);

// One expression. `row_field` words a field of the record at hand; by default `.<index>`.
std::string PrintExpr(const typed::TypedPipeline& pipeline, const typed::Expr& e,
                      const std::function<std::string(int)>& row_field = {});

}  // namespace weirc
