// Watches a run from outside, the same way for every program, and prints nanoseconds of the monotonic clock:
//   watching              before the program starts
//   first NS              the first output is visible in the output topic
//   done NS OUTPUTS       the group's committed offsets have reached the end of the input
//   bench_watch --brokers B --in T --out T --group G
#include <unistd.h>

#include <string>

#include "tests/bench/kafka_client.h"

using namespace weir_bench;

namespace {

// Sum of the high watermarks, asked in one request.
int64_t Written(rd_kafka_t* client, rd_kafka_queue_t* queue, const std::string& topic, int partitions) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = RD_KAFKA_OFFSET_SPEC_LATEST;
  }
  rd_kafka_ListOffsets(client, list, nullptr, queue);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 10'000);
  if (!event || rd_kafka_event_error(event)) Die("the end of " + topic + " cannot be read");
  size_t count = 0;
  const rd_kafka_ListOffsetsResultInfo_t** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event), &count);
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i])->offset;
  rd_kafka_event_destroy(event);
  return sum;
}

bool Committed(rd_kafka_t* group_member, const std::string& topic, const std::vector<int64_t>& ends) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(static_cast<int>(ends.size()));
  for (size_t p = 0; p < ends.size(); ++p) rd_kafka_topic_partition_list_add(list, topic.c_str(), static_cast<int>(p));
  bool all = rd_kafka_committed(group_member, list, 10'000) == RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int i = 0; i < list->cnt; ++i) all = all && list->elems[i].offset >= ends[list->elems[i].partition];
  rd_kafka_topic_partition_list_destroy(list);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments(argc, argv);
  std::string in = arguments.Text("in"), out = arguments.Text("out");
  // Never joins the group: it only asks for the group's offsets.
  rd_kafka_t* client = NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", arguments.Text("brokers")},
                                                     {"group.id", arguments.Text("group")},
                                                     {"socket.nagle.disable", "true"},
                                                     {"enable.auto.commit", "false"}});
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  int in_partitions = PartitionCount(client, in), out_partitions = PartitionCount(client, out);
  std::vector<int64_t> ends = Ends(client, in, in_partitions);
  // The output topic was made anew a moment ago: the broker may still answer for the old one.
  for (int64_t start = NowNs(); Written(client, queue, out, out_partitions) != 0; usleep(20'000)) {
    if (NowNs() - start > 30'000'000'000) Die("topic " + out + " is not empty");
  }
  Committed(client, in, ends);
  printf("watching\n");
  fflush(stdout);
  while (Written(client, queue, out, out_partitions) == 0) usleep(2000);
  printf("first %ld\n", NowNs());
  fflush(stdout);
  while (!Committed(client, in, ends)) usleep(20'000);
  int64_t done = NowNs();
  printf("done %ld %ld\n", done, Written(client, queue, out, out_partitions));
  fflush(stdout);
  rd_kafka_queue_destroy(queue);
  rd_kafka_destroy(client);
}
