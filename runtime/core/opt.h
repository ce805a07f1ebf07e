// A value that may be absent: the `T?` of the language.
#pragma once

namespace weir {

// `value` is T{} while `has` is false, so that comparing and hashing need no special case.
template <class T>
struct Opt {
  T value{};
  bool has = false;

  constexpr Opt() = default;
  constexpr Opt(const T& value) : value(value), has(true) {}
  constexpr Opt(const T& value, bool has) : value(value), has(has) {}
  constexpr T Or(const T& otherwise) const { return has ? value : otherwise; }
};

template <class T>
constexpr bool operator==(const Opt<T>& a, const Opt<T>& b) {
  return a.has == b.has && (!a.has || a.value == b.value);
}
template <class T>
constexpr bool operator!=(const Opt<T>& a, const Opt<T>& b) {
  return !(a == b);
}

}  // namespace weir
