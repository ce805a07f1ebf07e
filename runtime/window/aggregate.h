// The accumulators of aggregate functions, as members of a window's generated accumulator struct. Zero-filled memory is
// the state before the first record. Add returns false when the result would no longer fit, and leaves the accumulator
// as it was: the record takes the stream's failure route. Absent (null) arguments are not added.
//
//   count      how many were added
//   sum        s1 + s2 + …             int64, decimal(38, s) or float64
//   min, max   by the order of the type; strings by bytes, which is the order of code points
//   first, last  in the order of arrival at the window
//   avg        sum / count             decimal(38, max(6, s)), half to even; float64
//   vwap       sum(price * qty) / sum(qty)   decimal(38, max(6, s of price)), half to even; absent when sum(qty) is 0
#pragma once

#include <cstdint>

#include "runtime/core/decimal.h"
#include "runtime/core/int128.h"
#include "runtime/core/row.h"
#include "runtime/window/window_str.h"

namespace weir {

// ---- How values of each type are saved ----
inline void SaveValue(RowWriter& out, bool v) { out.Bool(v); }
inline void SaveValue(RowWriter& out, int32_t v) { out.I32(v); }
inline void SaveValue(RowWriter& out, int64_t v) { out.I64(v); }
inline void SaveValue(RowWriter& out, double v) { out.F64(v); }
inline void SaveValue(RowWriter& out, i128 v) { out.I128(v); }
inline void LoadValue(RowReader& in, bool* v) { *v = in.Bool(); }
inline void LoadValue(RowReader& in, int32_t* v) { *v = in.I32(); }
inline void LoadValue(RowReader& in, int64_t* v) { *v = in.I64(); }
inline void LoadValue(RowReader& in, double* v) { *v = in.F64(); }
inline void LoadValue(RowReader& in, i128* v) { *v = in.I128(); }

struct Count {
  int64_t count;
  void Add() { ++count; }
  void Save(RowWriter& out) const { out.I64(count); }
  void Load(RowReader& in) { count = in.I64(); }
};

struct SumInt64 {
  int64_t sum;
  [[nodiscard]] bool Add(int64_t v) { return CheckedAdd(sum, v, &sum); }
  void Save(RowWriter& out) const { out.I64(sum); }
  void Load(RowReader& in) { sum = in.I64(); }
};

// Of decimals of one scale; up to 38 digits.
struct SumDecimal {
  i128 sum;
  [[nodiscard]] bool Add(i128 v) { return AddDecimal(sum, v, &sum); }
  void Save(RowWriter& out) const { out.I128(sum); }
  void Load(RowReader& in) { sum = in.I128(); }
};

struct SumFloat64 {
  double sum;
  void Add(double v) { sum += v; }
  void Save(RowWriter& out) const { out.F64(sum); }
  void Load(RowReader& in) { sum = in.F64(); }
};

// Of numbers, times, enums and booleans.
template <class T>
struct Extreme {
  T value;
  bool has;
  void AddMin(T v) {
    if (!has || v < value) Set(v);
  }
  void AddMax(T v) {
    if (!has || value < v) Set(v);
  }
  void AddFirst(T v) {
    if (!has) Set(v);
  }
  void AddLast(T v) { Set(v); }
  void Save(RowWriter& out) const {
    out.OptTag(has);
    if (has) SaveValue(out, value);
  }
  void Load(RowReader& in) {
    has = in.OptTag();
    if (has) LoadValue(in, &value);
  }

 private:
  void Set(T v) {
    value = v;
    has = true;
  }
};

// Of strings and bytes. The accumulator's `drop` calls Drop.
struct ExtremeStr {
  WindowStr value;
  bool has;
  void AddMin(Str v) {
    if (!has || v < value.str()) Set(v);
  }
  void AddMax(Str v) {
    if (!has || value.str() < v) Set(v);
  }
  void AddFirst(Str v) {
    if (!has) Set(v);
  }
  void AddLast(Str v) { Set(v); }
  void Save(RowWriter& out) const {
    out.OptTag(has);
    if (has) value.Save(out);
  }
  void Load(RowReader& in) {
    has = in.OptTag();
    if (has) value.Load(in);
  }
  void Drop() { value.Drop(); }

 private:
  void Set(Str v) {
    value.Assign(v);
    has = true;
  }
};

// Of ints (scale 0) and decimals.
struct AvgDecimal {
  i128 sum;
  int64_t count;
  [[nodiscard]] bool Add(i128 v) {
    if (!AddDecimal(sum, v, &sum)) return false;
    ++count;
    return true;
  }
  bool has() const { return count != 0; }
  // False when there is nothing to average or the result does not fit.
  [[nodiscard]] bool Result(int scale, int scale_out, i128* out) const {
    return count != 0 && DivDecimal(sum, scale, count, 0, scale_out, out);
  }
  void Save(RowWriter& out) const {
    out.I128(sum);
    out.I64(count);
  }
  void Load(RowReader& in) {
    sum = in.I128();
    count = in.I64();
  }
};

struct AvgFloat64 {
  double sum;
  int64_t count;
  void Add(double v) {
    sum += v;
    ++count;
  }
  bool has() const { return count != 0; }
  double Result() const { return sum / static_cast<double>(count); }
  void Save(RowWriter& out) const {
    out.F64(sum);
    out.I64(count);
  }
  void Load(RowReader& in) {
    sum = in.F64();
    count = in.I64();
  }
};

// Of decimals and ints: amounts have the scale of the price plus that of the quantity.
struct VwapDecimal {
  i128 amount;
  i128 quantity;
  [[nodiscard]] bool Add(i128 price, i128 qty) {
    i128 product, amount_sum, quantity_sum;
    if (!MulDecimal(price, qty, &product) || !AddDecimal(amount, product, &amount_sum) ||
        !AddDecimal(quantity, qty, &quantity_sum)) {
      return false;
    }
    amount = amount_sum;
    quantity = quantity_sum;
    return true;
  }
  bool has() const { return quantity != 0; }
  // False when the quantities sum to zero or the result does not fit.
  [[nodiscard]] bool Result(int scale_price, int scale_qty, int scale_out, i128* out) const {
    return quantity != 0 && DivDecimal(amount, scale_price + scale_qty, quantity, scale_qty, scale_out, out);
  }
  void Save(RowWriter& out) const {
    out.I128(amount);
    out.I128(quantity);
  }
  void Load(RowReader& in) {
    amount = in.I128();
    quantity = in.I128();
  }
};

struct VwapFloat64 {
  double amount;
  double quantity;
  void Add(double price, double qty) {
    amount += price * qty;
    quantity += qty;
  }
  bool has() const { return quantity != 0; }
  double Result() const { return amount / quantity; }
  void Save(RowWriter& out) const {
    out.F64(amount);
    out.F64(quantity);
  }
  void Load(RowReader& in) {
    amount = in.F64();
    quantity = in.F64();
  }
};

}  // namespace weir
