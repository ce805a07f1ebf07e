// W2 by hand: join with the instruments on the symbol, write 9 fields. The instruments' share of the output is made once.
#include <unordered_map>

#include "tests/bench/by_hand.h"

using namespace weir_bench;

namespace {

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using Instruments = std::unordered_map<std::string, std::string, Hash, std::equal_to<>>;

Instruments Load(const std::string& brokers, const std::string& topic) {
  Instruments instruments;
  Json json;
  // Not closed before the end: closing a consumer can take librdkafka a second.
  static Input input(brokers, topic, "instruments-by-hand");
  while (!input.AtEnd()) {
    input.Read(100, 1000, [&](const rd_kafka_message_t* m) {
      std::string key(static_cast<const char*>(m->key), m->key_len);
      if (!m->payload) {
        instruments.erase(key);
        return;
      }
      simdjson::ondemand::document& doc = json.Parse(m->payload, m->len);
      std::string suffix = ",\"name\":" + std::string(Trimmed(doc["name"].raw_json_token()));
      suffix += ",\"currency\":" + std::string(Trimmed(doc["currency"].raw_json_token()));
      suffix += ",\"sector\":" + std::string(Trimmed(doc["sector"].raw_json_token())) + "}";
      instruments[key] = suffix;
    });
  }
  return instruments;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  Instruments instruments = Load(arguments.Text("brokers"), arguments.Text("instruments"));
  Json json;
  Writer out;
  return Drain(arguments, [&](const rd_kafka_message_t* m, Output& output) {
    simdjson::ondemand::document& doc = json.Parse(m->payload, m->len);
    int64_t trade_id = doc["trade_id"].get_int64();
    std::string_view symbol = doc["symbol"].get_string();
    auto instrument = instruments.find(symbol);
    if (instrument == instruments.end()) return;
    std::string_view price = Trimmed(doc["price"].raw_json_token());
    int64_t qty = doc["qty"].get_int64();
    std::string_view side = doc["side"].get_string();
    int64_t ts = doc["ts"].get_int64();
    out.Start();
    out.Text("{\"trade_id\":");
    out.Number(trade_id);
    out.Text(",\"symbol\":\"");
    out.Text(symbol);
    out.Text("\",\"price\":");
    out.Text(price);
    out.Text(",\"qty\":");
    out.Number(qty);
    out.Text(",\"side\":\"");
    out.Text(side);
    out.Text("\",\"ts\":");
    out.Number(ts);
    out.Text(instrument->second);
    output.Write(m, out.data(), out.size());
  });
}
