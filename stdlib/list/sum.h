// stdlib/list/sum.h
#pragma once

#include "runtime/core/decimal.h"
#include "runtime/core/list.h"

namespace weir::fn {

/// fn sum(values: list<int64>) -> int64 overflows
/// The sum of the elements; 0 when there are none.
///     sum([1, 2, 3])   // 6
///     sum([])   // 0
///     sum([9223372036854775807, 1])   // fails
inline bool SumInt64(const List<int64_t>& values, int64_t* out) {
  int64_t sum = 0;
  for (int64_t value : values) {
    if (!CheckedAdd(sum, value, &sum)) return false;
  }
  *out = sum;
  return true;
}

/// fn sum(values: list<decimal(p, s)>) -> decimal(38, s) overflows
/// The exact sum of the elements; 0 when there are none.
///     sum([1.25, 2.50])   // 3.75
template <class D>
inline bool SumDecimal(const List<D>& values, i128* out) {
  i128 sum = 0;
  for (D value : values) {
    if (!AddDecimal(sum, value, &sum)) return false;
  }
  *out = sum;
  return true;
}

/// fn sum(values: list<float64>) -> float64
/// The sum of the elements, one after the other; 0 when there are none.
///     sum([1.5, 2.5])   // 4.0
inline double SumFloat64(const List<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum;
}

}  // namespace weir::fn
