// Creates a topic, anew if it is there, and fills it with the benchmark's data:
//   bench_fill --brokers B --topic T [--partitions 4] [--kind trades|shuffled|instruments|none] [--records N]
//              [--group G]     a consumer group to forget as well
#include <unistd.h>

#include <cstring>
#include <string>

#include "tests/bench/kafka_client.h"
#include "tests/bench/trades.h"

using namespace weir_bench;

namespace {

int64_t failed = 0;

void Delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err) ++failed;
}

// What an earlier run left. Neither need be there.
void Forget(rd_kafka_t* client, const std::string& topic, const std::string& group) {
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  rd_kafka_DeleteTopic_t* unwanted = rd_kafka_DeleteTopic_new(topic.c_str());
  rd_kafka_DeleteTopics(client, &unwanted, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_DeleteTopic_destroy(unwanted);
  for (int64_t start = NowNs(); !group.empty();) {
    rd_kafka_DeleteGroup_t* old = rd_kafka_DeleteGroup_new(group.c_str());
    rd_kafka_DeleteGroups(client, &old, 1, nullptr, queue);
    event = rd_kafka_queue_poll(queue, 30'000);
    size_t count = 0;
    const rd_kafka_group_result_t** results =
        event ? rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count) : nullptr;
    const rd_kafka_error_t* failure = count ? rd_kafka_group_result_error(results[0]) : nullptr;
    rd_kafka_resp_err_t code = failure ? rd_kafka_error_code(failure) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_DeleteGroup_destroy(old);
    if (code != RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP) break;  // a member's session may still have to end
    if (NowNs() - start > 60'000'000'000) Die("group " + group + " still has members");
    usleep(100'000);
  }
  rd_kafka_queue_destroy(queue);
}

void CreateTopic(rd_kafka_t* client, const std::string& topic, int partitions, bool compacted) {
  char error[512];
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, error, sizeof error);
  if (!wanted) Die(error);
  rd_kafka_NewTopic_set_config(wanted, "cleanup.policy", compacted ? "compact" : "delete");
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  for (int64_t start = NowNs();;) {
    rd_kafka_CreateTopics(client, &wanted, 1, nullptr, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
    if (!event || rd_kafka_event_error(event)) Die("creating " + topic + " failed");
    size_t count = 0;
    const rd_kafka_topic_result_t** results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    rd_kafka_event_destroy(event);
    if (!code) break;
    // Deleting takes the broker a moment.
    if (code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS || NowNs() - start > 30'000'000'000) {
      Die("creating " + topic + ": " + rd_kafka_err2name(code));
    }
    usleep(50'000);
  }
  rd_kafka_queue_destroy(queue);
  rd_kafka_NewTopic_destroy(wanted);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  std::string topic = arguments.Text("topic");
  std::string kind = arguments.Text("kind", "none");
  rd_kafka_t* producer = NewClient(RD_KAFKA_PRODUCER,
                                   {{"bootstrap.servers", arguments.Text("brokers")},
                                    {"acks", "all"},
                                    {"linger.ms", "20"},
                                    {"enable.idempotence", "true"},
                                    {"partitioner", "murmur2_random"},
                                    {"queue.buffering.max.messages", "1000000"},
                                    {"delivery.report.only.error", "true"}},
                                   Delivered);
  Forget(producer, topic, arguments.Text("group", ""));
  CreateTopic(producer, topic, static_cast<int>(arguments.Number("partitions", "4")), kind == "instruments");
  int64_t records = kind == "none" ? 0 : kind == "instruments" ? kSymbols : arguments.Number("records");
  rd_kafka_topic_t* handle = rd_kafka_topic_new(producer, topic.c_str(), nullptr);
  for (int64_t i = 0; i < records; ++i) {
    char key[16], value[512];
    int key_size, value_size;
    if (kind == "instruments") {
      key_size = WriteSymbol(key, static_cast<int>(i));
      value_size = WriteInstrument(value, static_cast<int>(i));
    } else {
      Trade trade = MakeTrade(i);
      key_size = WriteSymbol(key, trade.symbol);
      value_size = WriteTrade(value, trade, kind == "shuffled");
    }
    while (rd_kafka_produce(handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, value_size, key, key_size,
                            nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) Die(rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(producer, 10);
    }
    if (i % 1000 == 0) rd_kafka_poll(producer, 0);
  }
  if (rd_kafka_flush(producer, 60'000) != 0 || failed) Die("not everything was delivered to " + topic);
  rd_kafka_topic_destroy(handle);
  rd_kafka_destroy(producer);
}
