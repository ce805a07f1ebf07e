// compiler/base/casting.h — Checked downcasts for class hierarchies with a kind (Ast, Typed),
// without RTTI.
//
// A hierarchy takes part by giving each class `static bool ClassOf(const Base*)`.
//   if (auto* join = As<JoinStep>(step)) …      null when it is something else
//   Cast<JoinStep>(step).alias                  our own mistake when it is something else
#pragma once

#include <cassert>
#include <memory>
#include <type_traits>

namespace weirc {

template <typename T, typename Base>
bool Is(const Base* node) {
  return node != nullptr && T::ClassOf(node);
}
template <typename T, typename Base>
  requires(!std::is_pointer_v<Base>)
bool Is(const Base& node) {
  return T::ClassOf(&node);
}
template <typename T, typename Base>
bool Is(const std::unique_ptr<Base>& node) {
  return Is<T>(node.get());
}

template <typename T, typename Base>
const T* As(const Base* node) {
  return Is<T>(node) ? static_cast<const T*>(node) : nullptr;
}
template <typename T, typename Base>
  requires(!std::is_const_v<Base>)
T* As(Base* node) {
  return Is<T>(static_cast<const Base*>(node)) ? static_cast<T*>(node) : nullptr;
}
template <typename T, typename Base>
  requires(!std::is_pointer_v<Base>)
const T* As(const Base& node) {
  return As<T>(&node);
}
template <typename T, typename Base>
T* As(const std::unique_ptr<Base>& node) {
  return As<T>(node.get());
}

template <typename T, typename Base>
  requires(!std::is_pointer_v<Base>)
const T& Cast(const Base& node) {
  assert(T::ClassOf(&node));
  return static_cast<const T&>(node);
}
template <typename T, typename Base>
const T& Cast(const Base* node) {
  assert(Is<T>(node));
  return static_cast<const T&>(*node);
}
template <typename T, typename Base>
const T& Cast(const std::unique_ptr<Base>& node) {
  assert(Is<T>(node.get()));
  return static_cast<const T&>(*node);
}

}  // namespace weirc
