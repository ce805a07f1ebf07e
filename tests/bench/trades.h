// The benchmarks' data, from a fixed seed: the same bytes on every machine and in every run.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace weir_bench {

inline constexpr int kSymbols = 500;
inline constexpr int kAccounts = 10'000;
inline constexpr int64_t kFirstTradeId = 100'000'000;
inline constexpr int64_t kFirstMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
inline constexpr int64_t kTradesPerMs = 20;

inline constexpr const char* kVenues[8] = {
    "XNYS-LIT-CONTINUOUS-BOOK-PRIMARY-EU", "XNYS-LIT-CONTINUOUS-BOOK-PRIMARY-US",
    "XNAS-LIT-CONTINUOUS-BOOK-PRIMARY-US", "XLON-LIT-CONTINUOUS-BOOK-PRIMARY-UK",
    "XPAR-LIT-CONTINUOUS-BOOK-PRIMARY-FR", "XETR-LIT-CONTINUOUS-BOOK-PRIMARY-DE",
    "BATE-DRK-MIDPOINT-CROSS-SECONDAR-EU", "TRQX-DRK-MIDPOINT-CROSS-SECONDAR-EU"};

// Splitmix64: the i-th value is a function of i, so that any record can be made without those before it.
inline uint64_t Mix(uint64_t i) {
  uint64_t z = i * 0x9e3779b97f4a7c15ull + 0x5eed;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

struct Trade {
  int64_t id;
  int symbol;
  int64_t price_cents;
  int qty;
  bool buy;
  int64_t ts_ms;
  int account;
  int venue;
};

inline Trade MakeTrade(int64_t i) {
  uint64_t r = Mix(2 * static_cast<uint64_t>(i));
  uint64_t q = Mix(2 * static_cast<uint64_t>(i) + 1);
  Trade t;
  t.id = kFirstTradeId + i;
  t.symbol = static_cast<int>(r % kSymbols);
  t.price_cents = 1000 + t.symbol * 17 + static_cast<int64_t>((r >> 20) % 2000);  // 10.00 to 114.82
  t.qty = 1 + static_cast<int>((r >> 40) % 250);
  t.buy = (r >> 60) & 1;
  t.ts_ms = kFirstMs + i / kTradesPerMs;
  t.account = static_cast<int>(q % kAccounts);
  t.venue = static_cast<int>((q >> 32) & 7);
  return t;
}

// Writes "SYM123", which is also the record's key; returns its length.
inline int WriteSymbol(char* out, int symbol) { return sprintf(out, "SYM%03d", symbol); }

// Writes the record as JSON (at most 256 bytes); returns its length. `shuffled`: the fields stand in one of 16 other
// orders, so that decoders do not live on a lucky one.
inline int WriteTrade(char* out, const Trade& t, bool shuffled) {
  char fields[8][64];
  sprintf(fields[0], "\"trade_id\":%ld", t.id);
  sprintf(fields[1], "\"symbol\":\"SYM%03d\"", t.symbol);
  sprintf(fields[2], "\"price\":%ld.%02ld", t.price_cents / 100, t.price_cents % 100);
  sprintf(fields[3], "\"qty\":%d", t.qty);
  sprintf(fields[4], "\"side\":\"%c\"", t.buy ? 'B' : 'S');
  sprintf(fields[5], "\"ts\":%ld", t.ts_ms);
  sprintf(fields[6], "\"account\":\"ACC-%08d\"", t.account);
  sprintf(fields[7], "\"venue\":\"%s\"", kVenues[t.venue]);
  int order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  if (shuffled) {
    uint64_t r = Mix(0xabcdef + static_cast<uint64_t>(t.id) % 16);
    for (int i = 7; i > 0; --i) {
      int j = static_cast<int>((r >> (i * 7)) % (i + 1));
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
  }
  char* at = out;
  *at++ = '{';
  for (int i = 0; i < 8; ++i) {
    if (i > 0) *at++ = ',';
    size_t n = strlen(fields[order[i]]);
    memcpy(at, fields[order[i]], n);
    at += n;
  }
  *at++ = '}';
  return static_cast<int>(at - out);
}

// One row of the compacted topic of instruments; its key is the symbol.
inline int WriteInstrument(char* out, int symbol) {
  static const char* const kCurrencies[] = {"USD", "EUR", "GBP", "CHF", "JPY"};
  static const char* const kSectors[] = {"Energy", "Materials", "Industrials", "Financials", "Utilities", "Health Care"};
  return sprintf(out,
                 "{\"symbol\":\"SYM%03d\",\"name\":\"Instrument %03d Incorporated\",\"currency\":\"%s\","
                 "\"sector\":\"%s\",\"lot_size\":%d}",
                 symbol, symbol, kCurrencies[symbol % 5], kSectors[symbol % 6], 1 + symbol % 10 * 10);
}

}  // namespace weir_bench
