// The floor of everything built on librdkafka: copies keys and values from one topic to another, looking at nothing.
//   raw_copy --brokers B --in T --out T --group G
// Drains the input to the end it had at the start, waits until everything is acknowledged, commits, ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#define BATCH 10000
#define PARTITIONS_MAX 256

static int64_t failed;

static void Delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque) {
  (void)client;
  (void)opaque;
  if (message->err) ++failed;
}

static void Die(const char* what, const char* why) {
  fprintf(stderr, "raw_copy: %s: %s\n", what, why);
  exit(1);
}

static void Set(rd_kafka_conf_t* conf, const char* name, const char* value) {
  char error[512];
  if (rd_kafka_conf_set(conf, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) Die(name, error);
}

static const char* Argument(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], name)) return argv[i + 1];
  }
  Die(name, "missing");
  return NULL;
}

int main(int argc, char** argv) {
  const char* brokers = Argument(argc, argv, "--brokers");
  const char* in = Argument(argc, argv, "--in");
  const char* out = Argument(argc, argv, "--out");
  char error[512];

  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  Set(conf, "bootstrap.servers", brokers);
  Set(conf, "group.id", Argument(argc, argv, "--group"));
  Set(conf, "enable.auto.commit", "false");
  Set(conf, "enable.auto.offset.store", "false");
  Set(conf, "queued.min.messages", "1000000");
  Set(conf, "queued.max.messages.kbytes", "262144");
  Set(conf, "fetch.queue.backoff.ms", "2");
  Set(conf, "socket.nagle.disable", "true");
  rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
  if (!consumer) Die("consumer", error);

  conf = rd_kafka_conf_new();
  Set(conf, "bootstrap.servers", brokers);
  Set(conf, "acks", "all");
  Set(conf, "linger.ms", "50");
  Set(conf, "partitioner", "murmur2_random");
  Set(conf, "queue.buffering.max.messages", "2000000");
  Set(conf, "queue.buffering.max.kbytes", "524288");
  Set(conf, "delivery.report.only.error", "true");
  Set(conf, "socket.nagle.disable", "true");
  rd_kafka_conf_set_dr_msg_cb(conf, Delivered);
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof error);
  if (!producer) Die("producer", error);
  rd_kafka_topic_t* out_topic = rd_kafka_topic_new(producer, out, NULL);

  // Where the input ends now.
  rd_kafka_topic_t* in_topic = rd_kafka_topic_new(consumer, in, NULL);
  const struct rd_kafka_metadata* metadata;
  rd_kafka_resp_err_t code = rd_kafka_metadata(consumer, 0, in_topic, &metadata, 10000);
  if (code) Die("metadata", rd_kafka_err2str(code));
  int partitions = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(in_topic);
  if (partitions <= 0 || partitions > PARTITIONS_MAX) Die(in, "no such topic");
  int64_t end[PARTITIONS_MAX], next[PARTITIONS_MAX] = {0};
  int open = 0;
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) {
    int64_t low;
    code = rd_kafka_query_watermark_offsets(consumer, in, p, &low, &end[p], 10000);
    if (code) Die("end offsets", rd_kafka_err2str(code));
    if (end[p] > low) ++open;
    rd_kafka_topic_partition_list_add(list, in, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);

  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);
  static rd_kafka_message_t* messages[BATCH];
  while (open > 0) {
    ssize_t n = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
    for (ssize_t i = 0; i < n; ++i) {
      rd_kafka_message_t* m = messages[i];
      if (m->err) Die("consume", rd_kafka_message_errstr(m));
      while (rd_kafka_produce(out_topic, m->partition, RD_KAFKA_MSG_F_COPY, m->payload, m->len, m->key,
                              m->key_len, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
          Die("produce", rd_kafka_err2str(rd_kafka_last_error()));
        }
        rd_kafka_poll(producer, 10);
      }
      next[m->partition] = m->offset + 1;
      if (next[m->partition] == end[m->partition]) --open;
      rd_kafka_message_destroy(m);
    }
    rd_kafka_poll(producer, 0);
  }

  if (rd_kafka_flush(producer, 60000) || failed) Die("produce", "not everything was acknowledged");
  list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) rd_kafka_topic_partition_list_add(list, in, p)->offset = next[p];
  code = rd_kafka_commit(consumer, list, 0);
  if (code) Die("commit", rd_kafka_err2str(code));
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(consumer);
  rd_kafka_destroy(consumer);
  rd_kafka_topic_destroy(out_topic);
  rd_kafka_destroy(producer);
  return 0;
}
