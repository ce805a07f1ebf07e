// Names in generated C++. A user's names appear unchanged where C++ allows it; everything else is mangled here and only
// here. Generated names of our own end in `_` or start with a lower-case `k`, so that the two never meet.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace weirc::emit {

// The C++ identifier for a user's name. Different names have different identifiers: a legal one that means nothing to
// C++, the runtime or generated code stays as it is; any other becomes `u_` and the name with every character that is
// neither letter nor digit as `_` and two hex digits.
std::string Mangle(std::string_view name);

// For a member of a struct or enum, which meets C++ and its macros only, and the types of other members: those a struct
// may have that are not the pipeline's own are left alone here.
std::string MangleMember(std::string_view name);

// For a name made of parts, "enriched.where": the parts joined by `_`. Not injective, so such names go through a Scope.
std::string MangleParts(std::string_view name);

// True for C++ keywords, macros of the headers that generated code sees, and names of the runtime and of generated code.
bool IsReserved(std::string_view name);
// `u_` and the name, as above.
std::string Escaped(std::string_view name);

// Hands out identifiers of one scope, each once.
class Scope {
 public:
  // `wanted` when it is free, else with a number behind it.
  std::string Take(const std::string& wanted);
  // Never hands this one out.
  void Reserve(const std::string& name) { taken_.insert(name); }

 private:
  std::set<std::string> taken_;
};

// A C++ string literal, quotes included, for any bytes: what is not plain ASCII becomes an octal escape of three digits,
// which no following character can extend.
std::string StringLiteral(std::string_view bytes);

// Text for a `//` comment: one line, printable, never ending in a backslash.
std::string CommentText(std::string_view text);

// An integer literal of a type that holds it: `100`, `5'000'000'000`, `MakeI128(1, 2)`.
std::string IntLiteral(__int128 value);
// A double literal that reads back as the same bits; NaN and infinities as builtins.
std::string DoubleLiteral(double value);

}  // namespace weirc::emit
