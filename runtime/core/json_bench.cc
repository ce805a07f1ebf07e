// How long one trade of 165 bytes takes to decode and to encode, beside simdjson (ondemand) in the same run.
// `json_bench [records] [rounds]` prints ns per record, medians of alternating rounds, and the ratio.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "runtime/core/json_bench.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"

namespace {

using weir_bench::DecodeWithSimdjson;
using weir_bench::SimdjsonKernel;
using weir_bench::Trade;

constexpr weir::JsonField kTradeFieldTable[] = {"trade_id", "symbol", "price", "qty", "side", "ts", "account", "venue"};
constexpr weir::JsonFields kTradeFields(kTradeFieldTable);
constexpr weir::EnumName kSideTable[] = {"B", "S"};
constexpr weir::EnumNames kSides(kSideTable);

// As generated code does it.
bool DecodeTrade(weir::JsonReader& reader, Trade* out) {
  weir::JsonReader in = reader;
  if (!in.BeginObject()) return false;
  uint64_t seen = 0;
  for (int f, next = 0; (f = in.NextField(kTradeFields, next)) >= 0; next = f + 1) {
    if (f == weir::kUnknownField) {
      if (!in.Skip()) return false;
      f = next - 1;
      continue;
    }
    if (!in.Once(&seen, kTradeFields, f)) return false;
    switch (f) {
      case 0: if (!in.Int64(&out->trade_id)) return false; break;
      case 1: if (!in.String(&out->symbol)) return false; break;
      case 2: if (!in.Decimal64(18, 4, &out->price)) return false; break;
      case 3: if (!in.Int64(&out->qty)) return false; break;
      case 4: if (!in.Enum(kSides, &out->side)) return false; break;
      case 5: if (!in.Timestamp(&out->ts)) return false; break;
      case 6: if (!in.String(&out->account)) return false; break;
      case 7: if (!in.String(&out->venue)) return false; break;
    }
  }
  if (!in.ok() || !in.Complete(kTradeFields, seen, 0xff)) return false;
  reader = in;
  return true;
}

struct Records {
  std::string bytes;  // with simdjson's padding behind
  std::vector<std::pair<uint32_t, uint32_t>> spans;
};

enum class Shape { kCompact, kSpaced, kShuffled };

Records Generate(size_t count, Shape shape) {
  std::mt19937_64 random(42);
  const char* venues[] = {"XNYS-LIT-CONTINUOUS-BOOK-PRIMARY-EU", "XNAS-LIT-CONTINUOUS-BOOK-PRIMARY-US",
                          "XLON-LIT-CONTINUOUS-BOOK-PRIMARY-UK", "XPAR-LIT-CONTINUOUS-BOOK-PRIMARY-EU"};
  Records out;
  for (size_t i = 0; i < count; ++i) {
    char t[8][96];
    std::snprintf(t[0], 96, "\"trade_id\":%zu", 100000000 + i);
    std::snprintf(t[1], 96, "\"symbol\":\"SYM%03d\"", static_cast<int>(random() % 500));
    int cents = 1000 + static_cast<int>(random() % 50000);
    std::snprintf(t[2], 96, "\"price\":%d.%02d", cents / 100, cents % 100);
    std::snprintf(t[3], 96, "\"qty\":%d", 1 + static_cast<int>(random() % 250));
    std::snprintf(t[4], 96, "\"side\":\"%s\"", random() % 2 ? "B" : "S");
    std::snprintf(t[5], 96, "\"ts\":%zu", size_t{1750000000000} + i / 20);
    std::snprintf(t[6], 96, "\"account\":\"ACC-%08d\"", static_cast<int>(random() % 10000));
    std::snprintf(t[7], 96, "\"venue\":\"%s\"", venues[random() % 4]);
    int order[] = {0, 1, 2, 3, 4, 5, 6, 7};
    if (shape == Shape::kShuffled) std::shuffle(order, order + 8, random);
    auto start = static_cast<uint32_t>(out.bytes.size());
    out.bytes += '{';
    for (int k = 0; k < 8; ++k) {
      std::string field = t[order[k]];
      if (k != 0) out.bytes += shape == Shape::kSpaced ? ", " : ",";
      if (shape == Shape::kSpaced) field.insert(field.find(':') + 1, " ");
      out.bytes += field;
    }
    out.bytes += '}';
    out.spans.emplace_back(start, static_cast<uint32_t>(out.bytes.size()) - start);
    out.bytes += '\n';
  }
  out.bytes.append(64, ' ');
  return out;
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

uint64_t Sum(const Trade& t) {
  return static_cast<uint64_t>(t.trade_id + t.price + t.qty + t.side + t.ts) + t.symbol.size + t.account.size +
         t.venue.size;
}

void Encode(weir::JsonWriter& out, const Trade& t) {
  out.Literal("{\"trade_id\":");
  out.Int64(t.trade_id);
  out.Literal(",\"symbol\":");
  out.Str(t.symbol);
  out.Literal(",\"price\":");
  out.Decimal(t.price, 4);
  out.Literal(",\"qty\":");
  out.Int64(t.qty);
  out.Literal(",\"notional\":");
  out.Decimal(static_cast<weir::i128>(t.price) * t.qty, 4);
  out.Literal("}");
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = argc > 1 ? static_cast<size_t>(std::atoll(argv[1])) : 100000;
  int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  bool ours_only = argc > 3;  // for callgrind
  std::printf("simdjson %s, %zu records, %d rounds, medians\n", SimdjsonKernel(),
              count, rounds);
  const std::pair<Shape, const char*> shapes[] = {
      {Shape::kCompact, "expected order"}, {Shape::kSpaced, "with spaces"}, {Shape::kShuffled, "shuffled"}};
  for (auto [shape, name] : shapes) {
    Records records = Generate(count, shape);
    std::vector<double> ours, theirs;
    weir::Arena arena;
    weir::JsonContext context(&arena);
    uint64_t sum_ours = 0, sum_theirs = 0;
    for (int round = 0; round < rounds; ++round) {
      double start = Now();
      sum_ours = 0;
      for (auto [at, size] : records.spans) {
        Trade t;
        weir::JsonReader in(weir::Str(records.bytes.data() + at, size), &context);
        if (!DecodeTrade(in, &t) || !in.End()) {
          weir::Buffer error;
          context.Describe(&error);
          std::fprintf(stderr, "ours: %.*s\n", static_cast<int>(error.size()), error.data());
          return 1;
        }
        sum_ours += Sum(t);
      }
      arena.Reset();
      ours.push_back((Now() - start) * 1e9 / static_cast<double>(count));
      if (ours_only) continue;
      start = Now();
      sum_theirs = 0;
      for (auto [at, size] : records.spans) {
        Trade t;
        if (!DecodeWithSimdjson(records.bytes.data() + at, size, records.bytes.size() - at, &t)) {
          std::fprintf(stderr, "simdjson refused a record\n");
          return 1;
        }
        sum_theirs += Sum(t);
      }
      theirs.push_back((Now() - start) * 1e9 / static_cast<double>(count));
    }
    if (ours_only) return sum_ours == 0;
    if (sum_ours != sum_theirs) {
      std::fprintf(stderr, "the two decoders disagree\n");
      return 1;
    }
    std::printf("decode, %-15s %6.1f ns/record   simdjson %6.1f ns/record   ratio %.2f   (%zu bytes)\n", name,
                Median(ours), Median(theirs), Median(ours) / Median(theirs), records.bytes.size() / count);
  }
  Records records = Generate(count, Shape::kCompact);
  std::vector<Trade> trades(count);
  weir::Arena arena;
  weir::JsonContext context(&arena);
  for (size_t i = 0; i < count; ++i) {
    weir::JsonReader in(weir::Str(records.bytes.data() + records.spans[i].first, records.spans[i].second), &context);
    if (!DecodeTrade(in, &trades[i])) return 1;
  }
  weir::Buffer buffer;
  std::vector<double> encode;
  size_t bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    double start = Now();
    buffer.Clear();
    weir::JsonWriter out(&buffer);
    for (const Trade& t : trades) Encode(out, t);
    bytes = buffer.size();
    encode.push_back((Now() - start) * 1e9 / static_cast<double>(count));
  }
  std::printf("encode, 5 fields         %6.1f ns/record   (%zu bytes)\n", Median(encode), bytes / count);
}
