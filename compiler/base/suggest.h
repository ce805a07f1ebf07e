// compiler/base/suggest.h — "Did you mean …?": the candidate nearest to what was written, if any is
// near enough.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weirc {

// Edits (insert, delete, replace, swap of neighbours) from `a` to `b`; gives up above `limit` and
// returns limit + 1.
size_t EditDistance(std::string_view a, std::string_view b, size_t limit);

// The candidate a reader would call a misspelling of `written`: equal but for case, or at most a
// third of its letters changed. The first of equally near ones, so the answer does not depend on
// hash order if the candidates do not.
std::optional<std::string> DidYouMean(std::string_view written,
                                      std::span<const std::string_view> candidates);
std::optional<std::string> DidYouMean(std::string_view written,
                                      const std::vector<std::string>& candidates);

// "`a`", "`a` or `b`", "`a`, `b` or `c`": names in running text.
std::string OneOf(std::span<const std::string_view> names, std::string_view conjunction = "or");
std::string OneOf(const std::vector<std::string>& names, std::string_view conjunction = "or");

}  // namespace weirc
