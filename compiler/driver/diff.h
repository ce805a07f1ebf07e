// What differs between two texts, line by line.
#pragma once

#include <string>
#include <string_view>

namespace weirc {

// A unified diff with three lines of context, headed by `--- name` and `+++ name`; empty when the texts are equal.
std::string UnifiedDiff(const std::string& name, std::string_view before, std::string_view after);

}  // namespace weirc
