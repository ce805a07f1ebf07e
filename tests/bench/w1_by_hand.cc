// W1 by hand: keep qty >= 100, write 5 fields and notional = price * qty.
#include "tests/bench/by_hand.h"

using namespace weir_bench;

int main(int argc, char** argv) {
  Json json;
  Writer out;
  return Drain(Arguments(argc, argv), [&](const rd_kafka_message_t* m, Output& output) {
    simdjson::ondemand::document& doc = json.Parse(m->payload, m->len);
    int64_t trade_id = doc["trade_id"].get_int64();
    std::string_view symbol = doc["symbol"].get_string();
    std::string_view price = Trimmed(doc["price"].raw_json_token());
    int64_t qty = doc["qty"].get_int64();
    if (qty < 100) return;
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
    out.Text(",\"ts\":");
    out.Number(ts);
    out.Text(",\"notional\":");
    out.CentsOf(Cents(price) * qty);
    out.Text("}");
    output.Write(m, out.data(), out.size());
  });
}
