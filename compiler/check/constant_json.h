// compiler/check/constant_json.h — Constant expressions as the JSON that records of their type are
// read from and written as: names from `from`, enum texts, exact decimals, RFC 3339 timestamps,
// durations such as "1s500ms".
#pragma once

#include <string>
#include <string_view>

#include "compiler/check/typed.h"

namespace weirc::check {

std::string JsonString(std::string_view text);
std::string ConstantJson(const typed::Expr& e);

}  // namespace weirc::check
