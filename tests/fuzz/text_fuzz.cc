// Fed: bytes as the text of a decimal, a timestamp, a date, a duration, a number, base64; and as values of
// these types.
//
// Must hold: what is accepted, written and read again is the same value, at every precision and scale. Every
// value has a text, which fits the room that the header promises and is read as that value. Decimals of 18
// digits are read alike by the narrow and the wide routine.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "runtime/core/base64.h"
#include "runtime/core/decimal.h"
#include "runtime/core/json_walk.h"
#include "runtime/core/number_text.h"
#include "runtime/core/time.h"
#include "tests/fuzz/fuzz.h"

using weir::i128;
using weir::Str;
using weir_test::Exact;

namespace {

struct Kind {
  int precision, scale;
};
constexpr Kind kKinds[] = {{1, 0},   {1, 1},  {9, 2},  {18, 0}, {18, 4},
                            {18, 18}, {19, 0}, {38, 0}, {38, 9}, {38, 38}};

// What a Format function writes, from memory of exactly the room it asks for.
template <size_t room, class Format>
std::string Written(Format format) {
  std::string buffer(room, '\0');
  Exact exact(buffer);
  size_t size = format(const_cast<char*>(exact.str().data));
  FUZZ_CHECK(size <= room);
  return std::string(exact.str().data, size);
}

bool Decimal(std::string_view text, Kind kind, i128* out) {
  using weir::DecimalError;
  Exact exact(text);
  bool ok = weir::ParseDecimal(exact.str(), kind.precision, kind.scale, out) == DecimalError::kOk;
  if (kind.precision <= weir::kDecimal64DigitsMax) {
    int64_t narrow = 0;
    bool narrow_ok =
        weir::ParseDecimal(exact.str(), kind.precision, kind.scale, &narrow) == DecimalError::kOk;
    FUZZ_CHECK(narrow_ok == ok && (!ok || narrow == *out), std::string(text));
  }
  return ok;
}

void DecimalReadsBack(i128 value, Kind kind) {
  constexpr size_t kRoom = weir::kDecimalTextMax;
  std::string plain = Written<kRoom>([&](char* to) { return weir::FormatDecimal(value, kind.scale, to); });
  std::string fixed =
      Written<kRoom>([&](char* to) { return weir::FormatDecimalFixed(value, kind.scale, to); });
  i128 again = 0;
  FUZZ_CHECK(Decimal(plain, kind, &again) && again == value, plain);
  FUZZ_CHECK(Decimal(fixed, kind, &again) && again == value, fixed);
}

void TimestampReadsBack(int64_t ns) {
  constexpr size_t kRoom = weir::kTimestampTextMax;
  std::string text = Written<kRoom>([&](char* to) { return weir::FormatTimestamp(ns, to); });
  int64_t again = 0;
  FUZZ_CHECK(weir::ParseTimestamp(Exact(text).str(), &again) && again == ns, text);
}

void DurationReadsBack(int64_t ns) {
  std::string text = Written<weir::kDurationTextMax>([&](char* to) { return weir::FormatDuration(ns, to); });
  int64_t again = 0;
  FUZZ_CHECK(weir::ParseDuration(Exact(text).str(), &again) && again == ns, text);
}

void IntReadsBack(int64_t v) {
  std::string text = Written<weir::kInt64TextMax>([&](char* to) { return weir::FormatInt64(v, to); });
  int64_t again = 0;
  FUZZ_CHECK(weir::ParseInt64(Exact(text).str(), &again) && again == v, text);
}

void DoubleReadsBack(double v) {
  std::string text = Written<weir::kDoubleTextMax>([&](char* to) { return weir::FormatDouble(v, to); });
  double again = 0;
  FUZZ_CHECK(weir::ParseDouble(Exact(text).str(), &again), text);
  FUZZ_CHECK(std::isnan(v) ? std::isnan(again) : std::memcmp(&v, &again, sizeof v) == 0, text);
}

void Base64ReadsBack(Str bytes) {
  std::string text(weir::Base64Size(bytes.size), '\0');
  weir::EncodeBase64(bytes, text.data());
  std::string again(weir::Base64BytesMax(text.size()), '\0');
  size_t size = 0;
  FUZZ_CHECK(weir::DecodeBase64(Exact(text).str(), again.data(), &size), text);
  FUZZ_CHECK(std::string_view(again).substr(0, size) == bytes.view(), text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Exact exact(text);

  // As text.
  for (Kind kind : kKinds) {
    i128 value;
    if (Decimal(text, kind, &value)) {
      FUZZ_CHECK(weir::FitsPrecision(value, kind.precision));
      DecimalReadsBack(value, kind);
    }
  }
  int64_t whole;
  int32_t days;
  double real;
  if (weir::ParseTimestamp(exact.str(), &whole)) TimestampReadsBack(whole);
  if (weir::ParseDuration(exact.str(), &whole)) DurationReadsBack(whole);
  if (weir::ParseInt64(exact.str(), &whole)) IntReadsBack(whole);
  if (weir::ParseDouble(exact.str(), &real)) DoubleReadsBack(real);
  if (weir::ParseDate(exact.str(), &days)) {
    std::string written = Written<weir::kDateTextMax>([&](char* to) { return weir::FormatDate(days, to); });
    FUZZ_CHECK(written == text);  // a date has one text
  }
  // Cut off anywhere, in memory that ends there: reading too far is likeliest where a text is nearly right.
  for (size_t n = 0; n < std::min<size_t>(text.size(), 40); ++n) {
    Exact cut(text.substr(0, n));
    (void)weir::ParseTimestamp(cut.str(), &whole);
    (void)weir::ParseDuration(cut.str(), &whole);
    (void)weir::ParseDate(cut.str(), &days);
  }
  std::string decoded(weir::Base64BytesMax(text.size()), '\0');
  size_t decoded_size;
  if (weir::DecodeBase64(exact.str(), decoded.data(), &decoded_size)) {
    std::string encoded(weir::Base64Size(decoded_size), '\0');
    weir::EncodeBase64(Str(decoded.data(), decoded_size), encoded.data());
    FUZZ_CHECK(encoded == text);  // and so have bytes
  }
  Base64ReadsBack(exact.str());

  // As values.
  weir_fuzz::Bytes bytes(data, size);
  auto v = static_cast<int64_t>(bytes.Word());
  uint64_t more = bytes.Word();
  TimestampReadsBack(v);
  DurationReadsBack(v);
  IntReadsBack(v);
  std::memcpy(&real, &v, sizeof real);
  DoubleReadsBack(real);
  Written<weir::kDateTextMax>([&](char* to) { return weir::FormatDate(static_cast<int32_t>(v), to); });
  weir::CivilDate date = weir::CivilFromDays(static_cast<int32_t>(v) / 2);
  FUZZ_CHECK(weir::IsValidDate(date) && weir::DaysFromCivil(date) == static_cast<int32_t>(v) / 2);
  i128 wide = static_cast<i128>(static_cast<weir::u128>(static_cast<uint64_t>(v)) << 64 | more);
  for (Kind kind : kKinds) DecimalReadsBack(wide % weir::Pow10(kind.precision), kind);
  return 0;
}
