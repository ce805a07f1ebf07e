// The accounts the lookup peer makes up when it is given no data, and what a test may therefore expect of it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace weir_test {

struct Account {
  const char* tier;
  unsigned limit_units, limit_cents;
  const char* country;
  unsigned risk, number;
};

inline Account MakeAccount(std::string_view id) {
  static const char* const kTiers[] = {"bronze", "silver", "gold", "platinum"};
  static const char* const kCountries[] = {"DE", "FR", "GB", "US", "JP", "CH"};
  uint64_t h = 1469598103934665603ull;
  for (unsigned char c : id) h = (h ^ c) * 1099511628211ull;
  h ^= h >> 29;
  Account account;
  account.tier = kTiers[h & 3];
  account.limit_units = unsigned(h >> 8) % 1000000;
  account.limit_cents = unsigned(h >> 32) % 100;
  account.country = kCountries[(h >> 16) % 6];
  account.risk = unsigned(h >> 40) % 100;
  account.number = unsigned(h >> 20) % 100000;
  return account;
}

// About 115 bytes.
inline std::string AccountJson(std::string_view id) {
  Account a = MakeAccount(id);
  char text[512];
  int n = snprintf(text, sizeof text,
                   "{\"id\":\"%.*s\",\"tier\":\"%s\",\"credit_limit\":%u.%02u,\"country\":\"%s\",\"risk\":0.%02u,"
                   "\"name\":\"Account %u\"}",
                   static_cast<int>(id.size() < 200 ? id.size() : 200), id.data(), a.tier, a.limit_units,
                   a.limit_cents, a.country, a.risk, a.number);
  return std::string(text, n);
}

}  // namespace weir_test
