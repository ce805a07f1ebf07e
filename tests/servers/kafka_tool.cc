// What harnesses in Python need of Kafka, over KafkaProbe:
//   kafka_tool BOOTSTRAP create TOPIC PARTITIONS [name=value]...
//   kafka_tool BOOTSTRAP delete TOPIC
//   kafka_tool BOOTSTRAP grow TOPIC PARTITIONS   so many from now on
//   kafka_tool BOOTSTRAP write                 records as JSON lines on standard input, see below; ends when all are acknowledged
//   kafka_tool BOOTSTRAP write RATE            at most so many records per second
//   kafka_tool BOOTSTRAP read TOPIC            everything read_committed readers see, as JSON lines
//   kafka_tool BOOTSTRAP committed GROUP TOPIC PARTITIONS
//   kafka_tool BOOTSTRAP members GROUP         of each: {"member", "instance", "partitions": [[topic, partition]…]}
//   kafka_tool BOOTSTRAP ends [TOPIC]...       of each partition: {"topic", "partition", "stable", "written"}; the first end is
//                                              behind the second while a transaction is open. Without topics: of all but Kafka's own
//   kafka_tool BOOTSTRAP watch [TOPIC]...      the same again and again, an empty line behind each time
// A record: {"topic", "partition", "offset", "key", "value", "time", "headers": [[name, value]…]}; keys and values that are
// no UTF-8 are "key64" and "value64"; absent means none.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/servers/kafka_probe.h"

using nlohmann::json;
using weir_test::KafkaProbe;
using weir_test::ProbeRecord;

constexpr useconds_t kWatchUs = 5000;

namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string ToBase64(const std::string& bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t n = static_cast<unsigned char>(bytes[i]) << 16;
    if (i + 1 < bytes.size()) n |= static_cast<unsigned char>(bytes[i + 1]) << 8;
    if (i + 2 < bytes.size()) n |= static_cast<unsigned char>(bytes[i + 2]);
    for (size_t k = 0; k < 4; ++k) {
      out.push_back(i + k > bytes.size() ? '=' : kAlphabet[(n >> (18 - 6 * k)) & 63]);
    }
  }
  return out;
}

std::string FromBase64(const std::string& text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const char* at = strchr(kAlphabet, c);
    if (!at || c == 0) break;
    bits = bits << 6 | static_cast<uint32_t>(at - kAlphabet);
    count += 6;
    if (count >= 8) out.push_back(static_cast<char>(bits >> (count -= 8)));
  }
  return out;
}

bool IsUtf8(const std::string& text) {
  return !json(text).dump(-1, ' ', false, json::error_handler_t::ignore).empty() &&
         json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)) == json(text);
}

void Put(json* out, const char* name, const std::string& bytes) {
  if (IsUtf8(bytes)) {
    (*out)[name] = bytes;
  } else {
    (*out)[std::string(name) + "64"] = ToBase64(bytes);
  }
}

bool Get(const json& in, const std::string& name, std::string* bytes) {
  if (in.contains(name)) {
    *bytes = in[name].get<std::string>();
  } else if (in.contains(name + "64")) {
    *bytes = FromBase64(in[name + "64"].get<std::string>());
  } else {
    return false;
  }
  return true;
}

void Write(KafkaProbe* probe, int rate) {
  std::vector<ProbeRecord> records;
  size_t batch = rate > 0 ? static_cast<size_t>(rate + 19) / 20 : SIZE_MAX;
  for (std::string line; std::getline(std::cin, line);) {
    json in = json::parse(line);
    ProbeRecord r;
    r.topic = in["topic"];
    r.partition = in.value("partition", -1);
    r.timestamp_ms = in.value("time", int64_t{0});
    std::string bytes;
    if (Get(in, "key", &bytes)) r.key = bytes;
    if (Get(in, "value", &bytes)) r.value = bytes;
    for (const auto& header : in.value("headers", json::array())) r.headers.push_back({header[0], header[1]});
    records.push_back(std::move(r));
    if (records.size() >= batch) {
      probe->Write(records);
      records.clear();
      usleep(50'000);
    }
  }
  probe->Write(records);
}

void Read(KafkaProbe* probe, const std::string& topic) {
  for (const ProbeRecord& r : probe->ReadAll(topic)) {
    json out = {{"topic", r.topic}, {"partition", r.partition}, {"offset", r.offset}, {"time", r.timestamp_ms}};
    if (r.key) Put(&out, "key", *r.key);
    if (r.value) Put(&out, "value", *r.value);
    if (!r.headers.empty()) {
      json headers = json::array();
      for (const auto& [name, value] : r.headers) headers.push_back({name, value});
      out["headers"] = headers;
    }
    puts(out.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  }
}

}  // namespace

static void PrintMembers(KafkaProbe& probe, const std::string& group) {
  for (const KafkaProbe::Member& m : probe.Members(group)) {
    puts(json({{"member", m.member_id}, {"instance", m.instance_id}, {"partitions", m.partitions}}).dump().c_str());
  }
}

static void PrintEnds(KafkaProbe& probe, const std::vector<std::string>& topics) {
  for (const KafkaProbe::Ends& e : probe.EndsOf(topics)) {
    json out = {{"topic", e.topic}, {"partition", e.partition}, {"stable", e.stable}, {"written", e.written}};
    puts(out.dump().c_str());
  }
}

int main(int argc, char** argv) {
  std::vector<std::string> a(argv + 1, argv + argc);
  if (a.size() < 2) {
    fprintf(stderr, "usage: kafka_tool BOOTSTRAP create|delete|grow|write|read|committed|members|ends|watch …\n");
    return 2;
  }
  try {
    KafkaProbe probe(a[0]);
    if (a[1] == "create" && a.size() >= 4) {
      std::map<std::string, std::string> configs;
      for (size_t i = 4; i < a.size(); ++i) configs[a[i].substr(0, a[i].find('='))] = a[i].substr(a[i].find('=') + 1);
      probe.CreateTopic(a[2], atoi(a[3].c_str()), configs);
    } else if (a[1] == "delete" && a.size() == 3) {
      probe.DeleteTopic(a[2]);
    } else if (a[1] == "grow" && a.size() == 4) {
      probe.AddPartitions(a[2], atoi(a[3].c_str()));
    } else if (a[1] == "write") {
      Write(&probe, a.size() > 2 ? atoi(a[2].c_str()) : 0);
    } else if (a[1] == "read" && a.size() == 3) {
      Read(&probe, a[2]);
    } else if (a[1] == "committed" && a.size() == 5) {
      for (int64_t offset : probe.Committed(a[2], a[3], atoi(a[4].c_str()))) printf("%ld\n", offset);
    } else if (a[1] == "members" && a.size() == 3) {
      PrintMembers(probe, a[2]);
    } else if (a[1] == "ends") {
      PrintEnds(probe, {a.begin() + 2, a.end()});
    } else if (a[1] == "watch") {
      for (;; usleep(kWatchUs)) {
        PrintEnds(probe, {a.begin() + 2, a.end()});
        puts("");
        fflush(stdout);
      }
    } else {
      fprintf(stderr, "kafka_tool: bad arguments\n");
      return 2;
    }
  } catch (const std::exception& error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
