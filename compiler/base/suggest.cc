// compiler/base/suggest.cc — "Did you mean …?": the candidate nearest to what was written, if any
// is near enough.
#include "compiler/base/suggest.h"

#include <algorithm>

namespace weirc {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return Lower(c); });
  return lower;
}

}  // namespace

size_t EditDistance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  // Three rows of the optimal string alignment table; a row whose minimum passes the limit ends it.
  std::vector<size_t> before(a.size() + 1), last(a.size() + 1), row(a.size() + 1);
  for (size_t i = 0; i <= a.size(); ++i) last[i] = i;
  for (size_t j = 1; j <= b.size(); ++j) {
    row[0] = j;
    size_t best = row[0];
    for (size_t i = 1; i <= a.size(); ++i) {
      row[i] = std::min({last[i] + 1, row[i - 1] + 1, last[i - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[i] = std::min(row[i], before[i - 2] + 1);
      best = std::min(best, row[i]);
    }
    if (best > limit) return limit + 1;
    std::swap(before, last);
    std::swap(last, row);
  }
  return std::min(last[a.size()], limit + 1);
}

std::optional<std::string> DidYouMean(std::string_view written,
                                      std::span<const std::string_view> candidates) {
  if (written.empty() || written.size() > 200) return std::nullopt;
  std::string lower = Lower(written);
  size_t limit = std::max<size_t>(1, written.size() / 3);
  std::optional<std::string> best;
  size_t best_distance = limit + 1;
  for (std::string_view candidate : candidates) {
    if (candidate == written || candidate.empty()) continue;
    size_t distance = EditDistance(lower, Lower(candidate), limit);
    // A name of one or two letters resembles every other one: only its case may differ.
    if (written.size() < 3 && distance > 0) continue;
    if (distance < best_distance) {
      best_distance = distance;
      best = std::string(candidate);
    }
  }
  return best;
}

std::optional<std::string> DidYouMean(std::string_view written,
                                      const std::vector<std::string>& candidates) {
  std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return DidYouMean(written, std::span<const std::string_view>(views));
}

std::string OneOf(std::span<const std::string_view> names, std::string_view conjunction) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " " + std::string(conjunction) + " " : ", ";
    text += "`" + std::string(names[i]) + "`";
  }
  return text;
}

std::string OneOf(const std::vector<std::string>& names, std::string_view conjunction) {
  std::vector<std::string_view> views(names.begin(), names.end());
  return OneOf(std::span<const std::string_view>(views), conjunction);
}

}  // namespace weirc
