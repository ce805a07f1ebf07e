// How long a record takes from its producer to a reader of committed records behind a pipeline like W1:
//   bench_latency --brokers B --in T --out T [--rate 5000] [--seconds 10] [--warm 3]
// Writes trades that pass the filter, each with its time in `ts`, reads the outputs, and prints
//   p50 MS p99 MS max MS records N
// Records of the first seconds do not count.
#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/kafka_client.h"

using namespace weir_bench;

namespace {

int64_t failed = 0;

void Delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err) ++failed;
}

void Write(const std::string& brokers, const std::string& topic, int64_t rate, int64_t records) {
  rd_kafka_t* producer = NewClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers}, {"linger.ms", "5"}}, Delivered);
  int64_t start = NowNs();
  for (int64_t i = 0; i < records; ++i) {
    int64_t due = start + i * 1'000'000'000 / rate;
    while (NowNs() < due) {
      rd_kafka_poll(producer, 0);
      int64_t left = due - NowNs();
      if (left > 0) usleep(static_cast<useconds_t>(std::min<int64_t>(left / 1000, 500)));
    }
    char key[16], value[256];
    int key_size = snprintf(key, sizeof key, "SYM%03d", static_cast<int>(i % 500));
    int size = snprintf(value, sizeof value,
                        "{\"trade_id\":%ld,\"symbol\":\"%s\",\"price\":10.25,\"qty\":200,\"side\":\"B\",\"ts\":%ld,"
                        "\"account\":\"A1\",\"venue\":\"XNYS\"}",
                        i, key, NowNs());
    rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_KEY(key, static_cast<size_t>(key_size)),
                      RD_KAFKA_V_VALUE(value, static_cast<size_t>(size)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                      RD_KAFKA_V_END);
  }
  rd_kafka_flush(producer, 30'000);
  rd_kafka_destroy(producer);
}

}  // namespace

int main(int argc, char** argv) {
  std::string brokers, in, out;
  int64_t rate = 5000, seconds = 10, warm = 3;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i];
    if (name == "--brokers") brokers = argv[i + 1];
    else if (name == "--in") in = argv[i + 1];
    else if (name == "--out") out = argv[i + 1];
    else if (name == "--rate") rate = atoll(argv[i + 1]);
    else if (name == "--seconds") seconds = atoll(argv[i + 1]);
    else if (name == "--warm") warm = atoll(argv[i + 1]);
    else Die("unknown " + name);
  }
  rd_kafka_t* reader = NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                     {"group.id", "bench_latency"},
                                                     {"isolation.level", "read_committed"},
                                                     {"fetch.wait.max.ms", "5"},
                                                     {"enable.auto.commit", "false"}});
  int partitions = PartitionCount(reader, out);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) rd_kafka_topic_partition_list_add(list, out.c_str(), p)->offset = 0;
  rd_kafka_assign(reader, list);
  rd_kafka_topic_partition_list_destroy(list);

  const int64_t records = rate * (seconds + warm);
  std::thread writer(Write, brokers, in, rate, records);
  std::vector<double> ms;
  int64_t read = 0;
  for (int64_t end = NowNs() + (seconds + warm + 30) * 1'000'000'000; read < records && NowNs() < end;) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(reader, 100);
    if (!message) continue;
    if (!message->err) {
      std::string value(static_cast<const char*>(message->payload), message->len);
      size_t at = value.find("\"ts\":");
      size_t id = value.find("\"trade_id\":");
      if (at == std::string::npos || id == std::string::npos) Die("an output without ts: " + value);
      if (atoll(value.c_str() + id + 11) >= rate * warm) {
        ms.push_back(static_cast<double>(NowNs() - atoll(value.c_str() + at + 5)) / 1e6);
      }
      ++read;
    }
    rd_kafka_message_destroy(message);
  }
  writer.join();
  if (failed != 0) Die("records could not be written");
  if (read != records) Die("only " + std::to_string(read) + " of " + std::to_string(records) + " came");
  std::sort(ms.begin(), ms.end());
  printf("p50 %.1f p99 %.1f max %.1f records %zu\n", ms[ms.size() / 2], ms[ms.size() * 99 / 100], ms.back(), ms.size());
  rd_kafka_consumer_close(reader);
  rd_kafka_destroy(reader);
  return 0;
}
