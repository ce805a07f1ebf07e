// The value of an expression that names something outside: a topic, a URL, a list of brokers.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "compiler/check/typed.h"

namespace weirc {

// Params by name, as `--set name=value` gave them.
using Settings = std::map<std::string, std::string>;

// The text of a string expression of literals and params (as set, else their default); nothing when it needs anything
// else, a secret, or a param without a value.
std::optional<std::string> ConstantText(const typed::Expr& expr,
                                        const typed::TypedPipeline& pipeline,
                                        const Settings& settings);

}  // namespace weirc
