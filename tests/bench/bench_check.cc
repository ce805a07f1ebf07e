// Compares a workload's output topic with what the generator says it must be, before anybody believes a time:
//   bench_check --brokers B --workload raw|w1|w2|w3|w4 --out T --records N [--at-least-once yes]
// Prints the number of records; ends with 1 and the differences when something is lost, doubled, swapped or wrong.
#include <algorithm>
#include <cmath>
#include <map>

#include "tests/bench/kafka_client.h"
#include "tests/bench/output_digest.h"
#include "tests/bench/trades.h"
#include "tests/servers/accounts.h"

using namespace weir_bench;

namespace {

template <class Each>
int64_t ReadTopic(const std::string& brokers, const std::string& topic, Each&& each) {
  rd_kafka_t* consumer = NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                       {"group.id", "bench-check"},
                                                       {"isolation.level", "read_committed"},
                                                       {"enable.auto.commit", "false"},
                                                       {"fetch.queue.backoff.ms", "2"},
                                                       {"enable.partition.eof", "true"}});
  int partitions = PartitionCount(consumer, topic);
  AssignAll(consumer, topic, partitions);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);
  std::vector<rd_kafka_message_t*> messages(10'000);
  int64_t count = 0;
  std::vector<bool> ended(partitions);
  while (std::count(ended.begin(), ended.end(), true) < partitions) {
    ssize_t n = rd_kafka_consume_batch_queue(queue, 1000, messages.data(), messages.size());
    for (ssize_t i = 0; i < n; ++i) {
      rd_kafka_message_t* m = messages[i];
      if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ended[m->partition] = true;
      } else if (m->err) {
        Die(rd_kafka_message_errstr(m));
      } else {
        ended[m->partition] = false;
        each(std::string_view(static_cast<char*>(m->key), m->key_len),
             std::string_view(static_cast<char*>(m->payload), m->len));
        ++count;
      }
      rd_kafka_message_destroy(m);
    }
  }
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  return count;
}

std::string Decimal(int64_t cents) {
  char text[32];
  return std::string(PlainNumber(std::string_view(text, sprintf(text, "%ld.%02ld", cents / 100, cents % 100))));
}

// The slow and obvious evaluation of W1, W2 and W3 for one trade; false: no output.
bool Expected(const std::string& workload, const Trade& t, const std::string& symbol, uint64_t* record) {
  uint64_t sum = HashField("trade_id", std::to_string(t.id)) + HashField("symbol", symbol) +
                 HashField("price", Decimal(t.price_cents)) + HashField("qty", std::to_string(t.qty));
  char text[512];
  if (workload == "w1") {
    if (t.qty < 100) return false;
    sum += HashField("ts", std::to_string(t.ts_ms)) + HashField("notional", Decimal(t.price_cents * t.qty));
  } else if (workload == "w2") {
    sum += HashField("side", t.buy ? "B" : "S") + HashField("ts", std::to_string(t.ts_ms));
    WriteInstrument(text, t.symbol);
    for (const char* name : {"name", "currency", "sector"}) {
      const char* begin = strstr(text, (std::string("\"") + name + "\":\"").c_str()) + strlen(name) + 4;
      sum += HashField(name, std::string_view(begin, strchr(begin, '"') - begin));
    }
  } else {
    std::string_view account(text, sprintf(text, "ACC-%08d", t.account));
    weir_test::Account answer = weir_test::MakeAccount(account);
    sum += HashField("account", account) + HashField("tier", answer.tier) +
           HashField("credit_limit", Decimal(int64_t{answer.limit_units} * 100 + answer.limit_cents));
  }
  *record = sum;
  return true;
}

// ---- W4 -------------------------------------------------------------------------------------------------------------

struct Bar {
  int64_t trades = 0, qty = 0, notional_cents = 0, high_cents = 0;
  bool seen = false;
};

int CheckWindows(const std::string& brokers, const std::string& topic, int64_t records) {
  std::map<std::pair<int64_t, std::string>, Bar> bars;
  int64_t last_ms = 0;
  for (int64_t i = 0; i < records; ++i) {
    Trade t = MakeTrade(i);
    char symbol[16];
    WriteSymbol(symbol, t.symbol);
    Bar& bar = bars[{t.ts_ms / 1000 * 1000, symbol}];
    ++bar.trades;
    bar.qty += t.qty;
    bar.notional_cents += t.price_cents * t.qty;
    bar.high_cents = std::max(bar.high_cents, t.price_cents);
    last_ms = std::max(last_ms, t.ts_ms);
  }
  std::string problems;
  int shown = 0;
  auto problem = [&](std::string_view json, const char* what) {
    if (shown++ < 5) problems += std::string(what) + ": " + std::string(json) + "\n";
  };
  simdjson::dom::parser parser;
  int64_t count = ReadTopic(brokers, topic, [&](std::string_view key, std::string_view json) {
    simdjson::dom::element row;
    if (parser.parse(json.data(), json.size()).get(row)) return problem(json, "not JSON");
    std::string_view symbol;
    int64_t start = -1, trades = 0;
    double notional = 0, vwap = 0, high = 0;
    if (row["start"].get_int64().get(start)) {
      std::string_view text;
      char buffer[32];
      if (row["start"].get_string().get(text)) return problem(json, "no start");
      start = atoll(std::string(PlainInstant(text, buffer)).c_str());
    }
    if (row["symbol"].get_string().get(symbol) || row["trades"].get_int64().get(trades) ||
        row["notional"].get_double().get(notional) || row["vwap"].get_double().get(vwap) ||
        row["high"].get_double().get(high)) {
      return problem(json, "a field is missing");
    }
    if (symbol != key) return problem(json, "the key is not the symbol");
    auto found = bars.find({start, std::string(symbol)});
    if (found == bars.end()) return problem(json, "no such window");
    Bar& bar = found->second;
    if (bar.seen) return problem(json, "the window came twice");
    bar.seen = true;
    auto near = [](double a, double b) { return std::fabs(a - b) <= 1e-6 * std::fabs(b) + 1e-9; };
    if (trades != bar.trades || !near(notional, bar.notional_cents / 100.0) || !near(high, bar.high_cents / 100.0) ||
        !near(vwap, bar.notional_cents / 100.0 / static_cast<double>(bar.qty))) {
      problem(json, "wrong figures");
    }
  });
  // Windows near the end of the input may still be open: nothing came after them to close them.
  for (const auto& [id, bar] : bars) {
    if (!bar.seen && id.first + 3000 <= last_ms) problem(id.second + " at " + std::to_string(id.first), "no window");
  }
  printf("%ld\n", count);
  if (shown) fprintf(stderr, "%s: %d problems\n%s", topic.c_str(), shown, problems.c_str());
  return shown != 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  std::string brokers = arguments.Text("brokers"), workload = arguments.Text("workload"), out = arguments.Text("out");
  int64_t records = arguments.Number("records");
  if (workload == "w4") return CheckWindows(brokers, out, records);
  OutputDigest expected, actual;
  int64_t broken = 0;
  for (int64_t i = 0; i < records; ++i) {
    Trade trade = MakeTrade(i);
    char symbol[16], value[512];
    WriteSymbol(symbol, trade.symbol);
    if (workload == "raw") {
      int n = WriteTrade(value, trade, false);
      expected.Add(symbol, HashText(std::string_view(value, n)));
    } else {
      uint64_t record;
      if (Expected(workload, trade, symbol, &record)) expected.Add(symbol, record);
    }
  }
  ReadTopic(brokers, out, [&](std::string_view key, std::string_view json) {
    if (workload == "raw") {
      actual.Add(key, HashText(json));
    } else {
      broken += !actual.AddJson(key, json);
    }
  });
  printf("%ld\n", actual.records());
  std::string difference = OutputDigest::Difference(expected, actual);
  if (broken) difference += std::to_string(broken) + " records are not JSON objects\n";
  if (!difference.empty()) fprintf(stderr, "%s is not what %s must write:\n%s", out.c_str(), workload.c_str(), difference.c_str());
  return !difference.empty();
}
