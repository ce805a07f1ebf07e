#include "tests/servers/kafka_probe.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <librdkafka/rdkafka.h>

namespace weir_test {
namespace {

constexpr int kWaitMs = 30'000;
constexpr int kFlushMs = 120'000;  // a broker that begins anew on a busy machine takes its time

[[noreturn]] void Fail(const std::string& what) { throw std::runtime_error("kafka probe: " + what); }

struct ClientFree {
  void operator()(rd_kafka_t* rk) const { rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
};
using Client = std::unique_ptr<rd_kafka_t, ClientFree>;

int failed_deliveries = 0;

Client Make(rd_kafka_type_t type, const std::map<std::string, std::string>& settings) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  // Leaders move when a broker dies.
  rd_kafka_conf_set(conf, "topic.metadata.refresh.interval.ms", "1000", error, sizeof error);
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) Fail(error);
  }
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(conf, [](rd_kafka_t*, const rd_kafka_message_t* m, void*) {
      if (m->err) ++failed_deliveries;
    });
  }
  rd_kafka_t* rk = rd_kafka_new(type, conf, error, sizeof error);
  if (!rk) Fail(error);
  return Client(rk);
}

void Produce(rd_kafka_t* rk, const std::vector<ProbeRecord>& records) {
  for (const ProbeRecord& r : records) {
    rd_kafka_headers_t* headers = r.headers.empty() ? nullptr : rd_kafka_headers_new(r.headers.size());
    for (const auto& [name, value] : r.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    const void* key = r.key ? r.key->data() : nullptr;
    void* value = r.value ? const_cast<char*>(r.value->data()) : nullptr;
    size_t key_size = r.key ? r.key->size() : 0, value_size = r.value ? r.value->size() : 0;
    for (;;) {
      rd_kafka_resp_err_t error = rd_kafka_producev(
          rk, RD_KAFKA_V_TOPIC(r.topic.c_str()), RD_KAFKA_V_PARTITION(r.partition),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, value_size),
          RD_KAFKA_V_TIMESTAMP(r.timestamp_ms), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
      if (!error) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) Fail(std::string("produce: ") + rd_kafka_err2str(error));
      rd_kafka_poll(rk, 10);
    }
  }
}

void Flush(rd_kafka_t* rk) {
  failed_deliveries = 0;
  if (rd_kafka_flush(rk, kFlushMs) || failed_deliveries) Fail("not everything was delivered");
}

std::map<std::string, std::string> ProducerSettings(const std::string& bootstrap) {
  return {{"bootstrap.servers", bootstrap},
          {"enable.idempotence", "true"},
          {"partitioner", "murmur2_random"},
          {"linger.ms", "5"}};
}

void Check(rd_kafka_error_t* error) {
  if (!error) return;
  std::string text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  Fail(text);
}

int Partitions(rd_kafka_t* rk, const std::string& topic) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(rk, topic.c_str(), nullptr);
  int count = 0;
  for (int i = 0; i < 300 && count == 0; ++i) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(rk, 0, handle, &metadata, kWaitMs)) break;
    if (metadata->topic_cnt == 1) count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    if (count == 0) usleep(20'000);
  }
  rd_kafka_topic_destroy(handle);
  if (count == 0) Fail("no topic " + topic);
  return count;
}

// Sends an admin request made by `send` and gives its result event to `check`.
template <class Send, class Check>
void Admin(const std::string& bootstrap, Send&& send, Check&& check) {
  Client client = Make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap}});
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client.get());
  send(client.get(), queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kWaitMs);
  rd_kafka_queue_destroy(queue);
  if (!event) Fail("no answer to an admin request");
  std::string error = rd_kafka_event_error(event) ? rd_kafka_event_error_string(event) : "";
  if (error.empty()) error = check(event);
  rd_kafka_event_destroy(event);
  if (!error.empty()) Fail(error);
}

std::string TopicError(const rd_kafka_topic_result_t** results, size_t count) {
  return count == 1 && !rd_kafka_topic_result_error(results[0])
             ? ""
             : std::string("topic: ") + (count ? rd_kafka_err2str(rd_kafka_topic_result_error(results[0])) : "?");
}

}  // namespace

void KafkaProbe::CreateTopic(const std::string& topic, int partitions,
                             const std::map<std::string, std::string>& configs) {
  char error[512];
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, error, sizeof error);
  for (const auto& [name, value] : configs) rd_kafka_NewTopic_set_config(wanted, name.c_str(), value.c_str());
  Admin(
      bootstrap_, [&](rd_kafka_t* rk, rd_kafka_queue_t* queue) { rd_kafka_CreateTopics(rk, &wanted, 1, nullptr, queue); },
      [](rd_kafka_event_t* event) {
        size_t n = 0;
        const auto** results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
        return TopicError(results, n);
      });
  rd_kafka_NewTopic_destroy(wanted);
  Client client = Make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap_}, {"group.id", "probe"}});
  Partitions(client.get(), topic);  // known everywhere from here on
}

void KafkaProbe::DeleteTopic(const std::string& topic) {
  rd_kafka_DeleteTopic_t* unwanted = rd_kafka_DeleteTopic_new(topic.c_str());
  Admin(
      bootstrap_, [&](rd_kafka_t* rk, rd_kafka_queue_t* queue) { rd_kafka_DeleteTopics(rk, &unwanted, 1, nullptr, queue); },
      [](rd_kafka_event_t* event) {
        size_t n = 0;
        const auto** results = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n);
        return TopicError(results, n);
      });
  rd_kafka_DeleteTopic_destroy(unwanted);
}

void KafkaProbe::AddPartitions(const std::string& topic, int total) {
  char error[512];
  rd_kafka_NewPartitions_t* wanted =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<size_t>(total), error, sizeof error);
  Admin(
      bootstrap_,
      [&](rd_kafka_t* rk, rd_kafka_queue_t* queue) { rd_kafka_CreatePartitions(rk, &wanted, 1, nullptr, queue); },
      [](rd_kafka_event_t* event) {
        size_t n = 0;
        const auto** results =
            rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &n);
        return TopicError(results, n);
      });
  rd_kafka_NewPartitions_destroy(wanted);
}

void KafkaProbe::DeleteBefore(const std::string& topic, int partition, int64_t offset) {
  rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(before, topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(before);
  rd_kafka_topic_partition_list_destroy(before);
  Admin(
      bootstrap_,
      [&](rd_kafka_t* rk, rd_kafka_queue_t* queue) { rd_kafka_DeleteRecords(rk, &records, 1, nullptr, queue); },
      [](rd_kafka_event_t* event) {
        const rd_kafka_topic_partition_list_t* left =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
        rd_kafka_resp_err_t code = left->cnt == 1 ? left->elems[0].err : RD_KAFKA_RESP_ERR__FAIL;
        return std::string(code ? rd_kafka_err2str(code) : "");
      });
  rd_kafka_DeleteRecords_destroy(records);
}

size_t KafkaProbe::MakeCompacted(const std::string& topic) {
  rd_kafka_ConfigResource_t* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
  rd_kafka_error_t* refused = rd_kafka_ConfigResource_add_incremental_config(
      resource, "cleanup.policy", RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET, "compact");
  if (refused) throw std::runtime_error(rd_kafka_error_string(refused));
  Admin(
      bootstrap_,
      [&](rd_kafka_t* rk, rd_kafka_queue_t* queue) {
        rd_kafka_IncrementalAlterConfigs(rk, &resource, 1, nullptr, queue);
      },
      [](rd_kafka_event_t* event) {
        size_t n = 0;
        const rd_kafka_ConfigResource_t** results = rd_kafka_IncrementalAlterConfigs_result_resources(
            rd_kafka_event_IncrementalAlterConfigs_result(event), &n);
        rd_kafka_resp_err_t code = n == 1 ? rd_kafka_ConfigResource_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
        return std::string(code ? rd_kafka_err2str(code) : "");
      });
  rd_kafka_ConfigResource_destroy(resource);
  // The controller has it; the partition's leader hears of it a moment later, and from then on refuses what has no key.
  ProbeRecord keyless;
  keyless.topic = topic;
  keyless.value = "no key";
  for (size_t taken = 0;; ++taken) {
    try {
      Write({keyless});
    } catch (const std::runtime_error&) {
      return taken;
    }
  }
}

void KafkaProbe::Write(const std::vector<ProbeRecord>& records) {
  Client producer = Make(RD_KAFKA_PRODUCER, ProducerSettings(bootstrap_));
  Produce(producer.get(), records);
  Flush(producer.get());
}

void KafkaProbe::WriteTransaction(const std::vector<ProbeRecord>& records, End end, int timeout_ms) {
  static int number = 0;
  auto settings = ProducerSettings(bootstrap_);
  settings["transactional.id"] = "probe-" + std::to_string(getpid()) + "-" + std::to_string(++number);
  settings["transaction.timeout.ms"] = std::to_string(timeout_ms);
  Client producer = Make(RD_KAFKA_PRODUCER, settings);
  Check(rd_kafka_init_transactions(producer.get(), kWaitMs));
  Check(rd_kafka_begin_transaction(producer.get()));
  Produce(producer.get(), records);
  Flush(producer.get());
  if (end == End::kCommit) Check(rd_kafka_commit_transaction(producer.get(), kWaitMs));
  if (end == End::kAbort) Check(rd_kafka_abort_transaction(producer.get(), kWaitMs));
}

std::vector<ProbeRecord> KafkaProbe::ReadAll(const std::string& topic) {
  Client consumer = Make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap_},
                                             {"group.id", "probe"},
                                             {"enable.auto.commit", "false"},
                                             {"enable.partition.eof", "true"},
                                             {"fetch.wait.max.ms", "20"}});
  int partitions = Partitions(consumer.get(), topic);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) {
    rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer.get(), list);
  rd_kafka_topic_partition_list_destroy(list);
  std::vector<ProbeRecord> out;
  int ended = 0;
  while (ended < partitions) {
    rd_kafka_message_t* m = rd_kafka_consumer_poll(consumer.get(), kWaitMs);
    if (!m) Fail("reading " + topic + " hangs");
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended;
    } else if (m->err) {
      std::string text = rd_kafka_message_errstr(m);
      rd_kafka_message_destroy(m);
      Fail(text);
    } else {
      ProbeRecord r;
      r.topic = topic;
      r.partition = m->partition;
      r.offset = m->offset;
      if (m->key) r.key.emplace(static_cast<const char*>(m->key), m->key_len);
      if (m->payload) r.value.emplace(static_cast<const char*>(m->payload), m->len);
      r.timestamp_ms = rd_kafka_message_timestamp(m, nullptr);
      rd_kafka_headers_t* headers = nullptr;
      if (!rd_kafka_message_headers(m, &headers)) {
        const char* name;
        const void* value;
        size_t size;
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); ++i) {
          r.headers.push_back({name, std::string(static_cast<const char*>(value), size)});
        }
      }
      out.push_back(std::move(r));
    }
    rd_kafka_message_destroy(m);
  }
  std::sort(out.begin(), out.end(), [](const ProbeRecord& a, const ProbeRecord& b) {
    return a.partition != b.partition ? a.partition < b.partition : a.offset < b.offset;
  });
  return out;
}

struct KafkaProbe::EndsClients {
  Client committed, uncommitted;
};

std::vector<KafkaProbe::Ends> KafkaProbe::EndsOf(std::vector<std::string> topics) {
  auto client = [this](const char* isolation) {
    return Make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap_}, {"group.id", "probe"}, {"isolation.level", isolation}});
  };
  if (ends_ == nullptr) ends_.reset(new EndsClients{client("read_committed"), client("read_uncommitted")});
  const Client& committed = ends_->committed;
  const Client& uncommitted = ends_->uncommitted;
  if (topics.empty()) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(committed.get(), 1, nullptr, &metadata, kWaitMs)) Fail("no list of topics");
    for (int i = 0; i < metadata->topic_cnt; ++i) topics.push_back(metadata->topics[i].topic);
    rd_kafka_metadata_destroy(metadata);
    std::erase_if(topics, [](const std::string& topic) { return topic.starts_with("__"); });
    std::sort(topics.begin(), topics.end());
  }
  std::vector<Ends> out;
  for (const std::string& topic : topics) {
    int partitions = Partitions(committed.get(), topic);
    for (int p = 0; p < partitions; ++p) {
      Ends ends{topic, p};
      int64_t begin = 0;
      auto ask = [&](const Client& of, int64_t* end) {
        // A broker that has just come back does not lead its partitions yet.
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_UNKNOWN;
        for (int i = 0; i < 300 && error; ++i) {
          if (i) usleep(100'000);
          error = rd_kafka_query_watermark_offsets(of.get(), topic.c_str(), p, &begin, end, 5'000);
        }
        if (error) Fail("no end of " + topic + ": " + rd_kafka_err2str(error));
      };
      ask(committed, &ends.stable);
      ask(uncommitted, &ends.written);
      out.push_back(ends);
    }
  }
  return out;
}

std::vector<int64_t> KafkaProbe::Committed(const std::string& group, const std::string& topic, int partitions) {
  Client consumer = Make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", bootstrap_}, {"group.id", group}});
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p) rd_kafka_topic_partition_list_add(list, topic.c_str(), p);
  rd_kafka_resp_err_t error = rd_kafka_committed(consumer.get(), list, kWaitMs);
  std::vector<int64_t> out;
  for (int i = 0; i < list->cnt; ++i) out.push_back(list->elems[i].offset < 0 ? -1 : list->elems[i].offset);
  rd_kafka_topic_partition_list_destroy(list);
  if (error) Fail(std::string("committed: ") + rd_kafka_err2str(error));
  return out;
}

std::vector<KafkaProbe::Member> KafkaProbe::Members(const std::string& group) {
  std::vector<Member> out;
  const char* name = group.c_str();
  Admin(
      bootstrap_,
      [&](rd_kafka_t* rk, rd_kafka_queue_t* queue) { rd_kafka_DescribeConsumerGroups(rk, &name, 1, nullptr, queue); },
      [&](rd_kafka_event_t* event) -> std::string {
        size_t n = 0;
        const rd_kafka_ConsumerGroupDescription_t** groups = rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &n);
        if (n != 1) return "no description of group " + group;
        if (const rd_kafka_error_t* error = rd_kafka_ConsumerGroupDescription_error(groups[0]))
          return rd_kafka_error_string(error);
        for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(groups[0]); ++i) {
          const rd_kafka_MemberDescription_t* described = rd_kafka_ConsumerGroupDescription_member(groups[0], i);
          const char* instance = rd_kafka_MemberDescription_group_instance_id(described);
          Member member{rd_kafka_MemberDescription_consumer_id(described), instance ? instance : "", {}};
          const rd_kafka_MemberAssignment_t* assignment = rd_kafka_MemberDescription_assignment(described);
          const rd_kafka_topic_partition_list_t* list =
              assignment ? rd_kafka_MemberAssignment_partitions(assignment) : nullptr;
          for (int p = 0; list && p < list->cnt; ++p)
            member.partitions.push_back({list->elems[p].topic, list->elems[p].partition});
          out.push_back(std::move(member));
        }
        return "";
      });
  return out;
}

}  // namespace weir_test
