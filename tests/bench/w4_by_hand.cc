// W4 by hand: per symbol, tumbling event-time windows of 1 s: count, sum(notional), vwap, max(price). A symbol's records
// are all in one partition, so each partition has a watermark of its own; lateness 1 s; a late record is counted.
// When the input ends, the windows still open are written, too.
#include <cmath>
#include <unordered_map>

#include "tests/bench/by_hand.h"

using namespace weir_bench;

namespace {

constexpr int64_t kWindowMs = 1000, kLatenessMs = 1000;
constexpr int kRing = 4;  // windows of a symbol that can be open at a time

struct Window {
  int64_t start_ms = -1;  // -1: empty
  int64_t trades = 0, qty = 0, notional_cents = 0, high_cents = 0;
};

struct Symbol {
  std::string name;
  Window ring[kRing];
};

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct Partition {
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> index;
  std::vector<Symbol> symbols;
  int64_t max_ms = INT64_MIN;
  int64_t closed_ms = INT64_MIN;  // windows starting before this are closed
};

class Bars {
 public:
  explicit Bars(int partitions) : partitions_(partitions) {}

  void Add(const rd_kafka_message_t* m, Output& output) {
    simdjson::ondemand::document& doc = json_.Parse(m->payload, m->len);
    std::string_view symbol = doc["symbol"].get_string();
    int64_t price = Cents(Trimmed(doc["price"].raw_json_token()));
    int64_t qty = doc["qty"].get_int64();
    int64_t ts = doc["ts"].get_int64();
    Partition& partition = partitions_[m->partition];
    if (ts > partition.max_ms) {
      partition.max_ms = ts;
      int64_t closed = (ts - kLatenessMs) / kWindowMs * kWindowMs;
      if (closed > partition.closed_ms) {
        partition.closed_ms = closed;
        Close(partition, closed, output);
      }
    }
    int64_t start = ts / kWindowMs * kWindowMs;
    if (start < partition.closed_ms) {
      ++late_;
      return;
    }
    auto found = partition.index.find(symbol);
    if (found == partition.index.end()) {
      found = partition.index.emplace(std::string(symbol), partition.symbols.size()).first;
      partition.symbols.push_back({std::string(symbol), {}});
    }
    Window& window = partition.symbols[found->second].ring[start / kWindowMs % kRing];
    if (window.start_ms != start) window = Window{start, 0, 0, 0, 0};
    ++window.trades;
    window.qty += qty;
    window.notional_cents += price * qty;
    if (price > window.high_cents) window.high_cents = price;
  }

  void CloseAll(Output& output) {
    for (Partition& partition : partitions_) Close(partition, INT64_MAX, output);
  }

 private:
  void Close(Partition& partition, int64_t before_ms, Output& output) {
    for (Symbol& symbol : partition.symbols) {
      for (Window& window : symbol.ring) {
        if (window.start_ms >= 0 && window.start_ms < before_ms) {
          Write(symbol, window, output);
          window.start_ms = -1;
        }
      }
    }
  }

  void Write(const Symbol& symbol, const Window& window, Output& output) {
    out_.Start();
    out_.Text("{\"symbol\":\"");
    out_.Text(symbol.name);
    out_.Text("\",\"start\":");
    out_.Number(window.start_ms);
    out_.Text(",\"trades\":");
    out_.Number(window.trades);
    out_.Text(",\"notional\":");
    out_.CentsOf(window.notional_cents);
    out_.Text(",\"vwap\":");
    char vwap[40];
    // Six decimals, half up: cents * 10^4 / qty.
    __int128 scaled = static_cast<__int128>(window.notional_cents) * 20'000;
    int64_t micro = static_cast<int64_t>((scaled / window.qty + 1) / 2);
    out_.Text(std::string_view(vwap, sprintf(vwap, "%ld.%06ld", micro / 1'000'000, micro % 1'000'000)));
    out_.Text(",\"high\":");
    out_.CentsOf(window.high_cents);
    out_.Text("}");
    output.Write(symbol.name.data(), symbol.name.size(), out_.data(), out_.size(), window.start_ms);
  }

  std::vector<Partition> partitions_;
  Json json_;
  Writer out_;
  int64_t late_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  std::string brokers = arguments.Text("brokers");
  Output output(brokers, arguments.Text("out"));
  Input input(brokers, arguments.Text("in"), arguments.Text("group"));
  Bars bars(input.partitions());
  while (!input.AtEnd()) {
    input.Read(100, 10'000, [&](const rd_kafka_message_t* m) { bars.Add(m, output); });
    output.Poll();
  }
  bars.CloseAll(output);
  output.Finish();
  input.Commit();
}
