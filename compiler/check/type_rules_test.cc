// What converts without loss, what two types have in common, and what arithmetic makes of decimals.
#include "compiler/check/type_rules.h"

#include <catch2/catch.hpp>

#include "compiler/check/number_text.h"
#include "compiler/check/passes.h"
#include "compiler/check/stdlib_index.h"

namespace weirc::check {
namespace {

TEST_CASE("equal types are one pointer") {
  TypeTable types;
  CHECK(types.Decimal(18, 4) == types.Decimal(18, 4));
  CHECK(types.Decimal(18, 4) != types.Decimal(18, 4, "USD"));
  CHECK(types.List(types.Optional(types.Simple(TypeKind::kInt64))) ==
        types.List(types.Optional(types.Simple(TypeKind::kInt64))));
  CHECK(types.Optional(types.Optional(types.Simple(TypeKind::kBool))) ==
        types.Optional(types.Simple(TypeKind::kBool)));
  CHECK(ToString(types.WithUnit(types.Optional(types.Decimal(18, 2)), "USD")) ==
        "decimal(18, 2)? in USD");
}

TEST_CASE("conversions lose nothing") {
  TypeTable types;
  auto simple = [&](TypeKind kind) { return types.Simple(kind); };
  const Type* int32 = simple(TypeKind::kInt32);
  const Type* int64 = simple(TypeKind::kInt64);
  const Type* real = simple(TypeKind::kFloat64);
  CHECK(FitOf(int32, int64) == Fit::kLossless);
  CHECK(FitOf(int64, int32) == Fit::kNarrowing);
  CHECK(FitOf(int32, real) == Fit::kLossless);
  CHECK(FitOf(int64, real) == Fit::kMixed);
  CHECK(FitOf(types.Decimal(10, 2), real) == Fit::kMixed);
  CHECK(FitOf(int64, types.Decimal(19, 0)) == Fit::kLossless);
  CHECK(FitOf(int64, types.Decimal(19, 1)) == Fit::kNarrowing);
  CHECK(FitOf(int32, types.Decimal(14, 4)) == Fit::kLossless);
  CHECK(FitOf(types.Decimal(10, 2), types.Decimal(12, 4)) == Fit::kLossless);
  CHECK(FitOf(types.Decimal(10, 2), types.Decimal(11, 4)) == Fit::kNarrowing);
  CHECK(FitOf(types.Decimal(10, 2), types.Decimal(12, 1)) == Fit::kNarrowing);
  CHECK(FitOf(types.Optional(int32), int32) == Fit::kOptionalUsed);
  CHECK(FitOf(int32, types.Optional(int64)) == Fit::kLossless);
  CHECK(FitOf(simple(TypeKind::kNull), types.Optional(int64)) == Fit::kLossless);
  CHECK(FitOf(simple(TypeKind::kNull), int64) == Fit::kNone);
  CHECK(FitOf(types.Decimal(10, 2, "USD"), types.Decimal(10, 2, "EUR")) == Fit::kUnits);
  CHECK(FitOf(types.Decimal(10, 2, "USD"), types.Decimal(10, 2)) == Fit::kSame);
  CHECK(FitOf(simple(TypeKind::kError), int64) == Fit::kSame);
}

TEST_CASE("two types meet in the smallest that holds both") {
  TypeTable types;
  const Type* int64 = types.Simple(TypeKind::kInt64);
  const Type* text = types.Simple(TypeKind::kString);
  CHECK(CommonType(types, types.Simple(TypeKind::kInt32), int64) == int64);
  CHECK(CommonType(types, int64, types.Decimal(10, 4)) == types.Decimal(23, 4));
  CHECK(CommonType(types, types.Decimal(10, 4), types.Decimal(18, 2)) == types.Decimal(20, 4));
  CHECK(CommonType(types, types.Decimal(38, 0), types.Decimal(38, 38)) == nullptr);
  CHECK(CommonType(types, text, types.Optional(text)) == types.Optional(text));
  CHECK(CommonType(types, types.Simple(TypeKind::kNull), int64) == types.Optional(int64));
  CHECK(CommonType(types, text, int64) == nullptr);
  CHECK(CommonType(types, types.Decimal(4, 2, "USD"), types.Decimal(4, 2)) ==
        types.Decimal(4, 2, "USD"));
  CHECK(CommonType(types, types.Decimal(4, 2, "USD"), types.Decimal(4, 2, "EUR")) == nullptr);
}

TEST_CASE("sums and products of decimals have room, up to 38 digits") {
  TypeTable types;
  DecimalResult sum = AddDecimals(types, types.Decimal(18, 4), types.Decimal(10, 6));
  CHECK(sum.type == types.Decimal(21, 6));
  CHECK_FALSE(sum.overflows);
  CHECK(AddDecimals(types, types.Decimal(38, 4), types.Decimal(1, 0)).overflows);
  DecimalResult product = MultiplyDecimals(types, types.Decimal(18, 4), types.Decimal(19, 0));
  CHECK(product.type == types.Decimal(37, 4));
  CHECK_FALSE(product.overflows);
  CHECK(MultiplyDecimals(types, types.Decimal(38, 20), types.Decimal(38, 20)).type == nullptr);
  CHECK(MultiplyDecimals(types, types.Decimal(20, 4), types.Decimal(19, 0)).overflows);
  CHECK(DivideDecimals(types, types.Decimal(18, 4), types.Decimal(19, 0)).type ==
        types.Decimal(38, 6));
  CHECK(DivideDecimals(types, types.Decimal(18, 4, "USD"), types.Decimal(18, 4, "USD"))
            .type->unit.empty());
}

TEST_CASE("numbers, times and durations have one text") {
  CHECK(NumberText(-static_cast<__int128>(1) << 126) == "-85070591730234615865843651857942052864");
  CHECK(DecimalText(-105000, 4) == "-10.5");
  CHECK(DecimalText(5, 3) == "0.005");
  CHECK(DecimalText(0, 3) == "0");
  CHECK(DurationText(5'400'000'000'000) == "1h30m");
  CHECK(DurationText(1'500'000'000) == "1s500ms");
  CHECK(TimestampText(-1) == "1969-12-31T23:59:59.999999999Z");
  CHECK(TimestampText(1'767'344'400'500'000'000) == "2026-01-02T09:00:00.5Z");
  CHECK(DateText(-719528) == "0000-01-01");
  CHECK(CountDigits(0) == 1);
  CHECK(CountDigits(-100) == 3);
  CHECK_FALSE(ScaleUp(1, 38).has_value());
  CHECK(ScaleUp(0, 70) == 0);
}

TEST_CASE("dependencies come first, and cycles are told once") {
  std::vector<std::vector<int>> edges = {{1, 2}, {2}, {}, {4}, {3}};
  std::vector<std::vector<int>> cycles;
  auto order =
      InDependencyOrder(edges, [&](const std::vector<int>& cycle) { cycles.push_back(cycle); });
  CHECK(order == std::vector<int>{2, 1, 0, 4, 3});
  REQUIRE(cycles.size() == 1);
  CHECK(cycles[0] == std::vector<int>{3, 4, 3});
  // A chain as long as a file may have declarations.
  std::vector<std::vector<int>> chain(200'000);
  for (int i = 0; i + 1 < static_cast<int>(chain.size()); ++i)
    chain[static_cast<size_t>(i)] = {i + 1};
  CHECK(InDependencyOrder(chain, [](const std::vector<int>&) {}).front() == 199'999);
}

TEST_CASE("a call means the function that needs the fewest conversions") {
  TypeTable types;
  auto argument = [](const Type* type) {
    stdlib::Argument a;
    a.type = type;
    return a;
  };
  auto literal = [&](int64_t value) {
    stdlib::Argument a = argument(types.Simple(TypeKind::kInt64));
    a.is_int_literal = true;
    a.literal = value;
    return a;
  };
  auto round = stdlib::Resolve(types, "round", {argument(types.Decimal(18, 4, "USD")), literal(2)});
  REQUIRE(round.function >= 0);
  CHECK(round.result == types.Decimal(18, 2, "USD"));
  CHECK(stdlib::Resolve(types, "round", {argument(types.Decimal(18, 4)), literal(6)}).function < 0);
  auto most = stdlib::Resolve(types, "max", {argument(types.Decimal(18, 4)), literal(0)});
  CHECK(most.result == types.Decimal(18, 4));
  CHECK(stdlib::Resolve(types, "max", {argument(types.Simple(TypeKind::kInt64)), literal(0)})
            .result == types.Simple(TypeKind::kInt64));
  CHECK(
      stdlib::Resolve(types, "max",
                      {argument(types.Decimal(4, 2, "USD")), argument(types.Decimal(4, 2, "EUR"))})
          .function < 0);
  auto cast = stdlib::Resolve(types, "decimal",
                              {argument(types.Simple(TypeKind::kString)), literal(18), literal(2)});
  CHECK(cast.result == types.Decimal(18, 2));
  CHECK(cast.fallible);
  auto first =
      stdlib::Resolve(types, "first", {argument(types.List(types.Simple(TypeKind::kString)))});
  CHECK(first.result == types.Optional(types.Simple(TypeKind::kString)));
  CHECK(stdlib::Resolve(types, "abs", {argument(types.Simple(TypeKind::kInt64))}).overflow_only);
  for (TypeKind kind : {TypeKind::kBool, TypeKind::kInt32, TypeKind::kInt64, TypeKind::kFloat64,
                        TypeKind::kTimestamp, TypeKind::kDuration, TypeKind::kDate}) {
    CHECK(stdlib::ToStringFunction(types.Simple(kind)) >= 0);
  }
  CHECK(stdlib::ToStringFunction(types.Decimal(38, 10)) >= 0);
}

}  // namespace
}  // namespace weirc::check
