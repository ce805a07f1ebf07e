#include "compiler/driver/embedded_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "compiler/driver/child_process.h"
#include "compiler/driver/constant_text.h"
#include "compiler/driver/embedded/broker.h"
#include "compiler/driver/embedded/http_service.h"
#include "compiler/driver/embedded/input.h"
#include "compiler/driver/files.h"

namespace weirc {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long the last outputs may take from the broker once the pipeline has ended.
constexpr milliseconds kLastOutputs{5000};

volatile sig_atomic_t asked_to_end = 0;

std::string Count(int64_t n, const char* one, const char* many) {
  std::string digits = std::to_string(n);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) digits.insert(i, ",");
  return digits + " " + (n == 1 ? one : many);
}

// The param that holds a redirected connection's address.
std::string ParamOf(const typed::ConnectionDef& connection) { return "embedded_" + connection.name; }

// The environment variable of a param or secret.
std::string VariableOf(const std::string& param) {
  std::string variable = "WEIR_";
  for (char c : param) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

class EmbeddedRun {
 public:
  EmbeddedRun(const Weir& weir, const Compilation& compilation, std::string program, int partitions)
      : weir_(weir), pipeline_(compilation.typed), folder_(FolderOf(compilation.path)),
        program_(std::move(program)), partitions_(partitions) {}

  int Run(const std::vector<std::string>& set, const std::vector<std::string>& rest) {
    for (const std::string& setting : set) {
      size_t equals = setting.find('=');
      if (equals == std::string::npos) return Fail("--set takes name=value, not " + setting);
      settings_[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    if (pipeline_.delivery == typed::Delivery::kExactlyOnce) {
      return Fail(
          "this pipeline asks for `deliver: exactly_once`, and the embedded broker has no real transactions\n"
          "run it against a Kafka broker, or say `deliver: at_least_once`");
    }
    weir_.talk.Note(
        "embedded broker: at least once, in memory, 5 MB a partition, nothing is compacted, gone at the end");
    std::string error;
    broker_ = EmbeddedBroker::Start(&error);
    if (!broker_) return Fail("the embedded broker does not start: " + error);
    int exit_code = kExitFailed;
    if (CreateTopics() && PublishInput() && StartServices()) exit_code = Watch(rest);
    // The broker's threads take up to a second to end, and the process is about to.
    (void)broker_.release();
    if (!state_folder_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(state_folder_, ignored);
    }
    return exit_code;
  }

 private:
  struct Topic {
    int64_t in = 0, out = 0;
    bool is_output = false;
    bool of_dead_letters = false;
  };

  int Fail(const std::string& message) {
    weir_.talk.Error(message);
    return kExitFailed;
  }

  bool IsKafka(const typed::EndpointDef& endpoint) const {
    return endpoint.connection >= 0 && endpoint.operation == "topic" &&
           pipeline_.connections[endpoint.connection].kind == typed::ConnectionKind::kKafka;
  }

  // The topic an endpoint names, made known to topics_; null, with the reason said, when its name cannot be told.
  Topic* Declare(const typed::EndpointDef& endpoint, const std::string& what, std::string* name) {
    auto text = ConstantText(*endpoint.address, pipeline_, settings_);
    if (!text) {
      Fail("the topic of " + what + " is not known here: give its params with --set");
      return nullptr;
    }
    *name = *text;
    Topic& topic = topics_[*text];
    return &topic;
  }

  bool CreateTopics() {
    for (const typed::TableDef& table : pipeline_.tables) {
      if (!IsKafka(table.endpoint)) continue;
      std::string name;
      if (!Declare(table.endpoint, "table " + table.name, &name)) return false;
      inputs_.push_back({name, KeyPath(table.key)});
    }
    for (const typed::SourceDef& source : pipeline_.sources) {
      if (!IsKafka(source.endpoint)) continue;
      std::string name;
      Topic* topic = Declare(source.endpoint, "source " + source.name, &name);
      if (topic == nullptr) return false;
      inputs_.push_back({name, KeyPath(source.key)});
    }
    for (const typed::SinkDef& sink : pipeline_.sinks) {
      if (!IsKafka(sink.endpoint)) continue;
      std::string name;
      Topic* topic = Declare(sink.endpoint, "sink " + sink.name, &name);
      if (topic == nullptr) return false;
      topic->is_output = true;
      topic->of_dead_letters = sink.from.kind == typed::StreamInput::kDeadletter;
    }
    std::string error;
    for (const auto& [name, topic] : topics_) {
      if (!broker_->CreateTopic(name, partitions_, &error)) {
        Fail("the embedded broker refuses topic " + error);
        return false;
      }
    }
    return true;
  }

  // The wire names on the way to a key of one field; empty when the key is something else.
  static std::vector<std::string> KeyPath(const std::vector<typed::ExprPtr>& key) {
    std::vector<std::string> path;
    if (key.size() != 1) return path;
    const typed::Expr* expr = key.front().get();
    while (expr->kind == typed::ExprKind::kField) {
      const auto& field = typed::As<typed::FieldExpr>(*expr);
      const typed::Type* base = field.base->type;
      if (base->Is(typed::TypeKind::kOptional)) base = base->element;
      if (base->record == nullptr) return {};
      path.insert(path.begin(), base->record->fields[field.field].json_name);
      expr = field.base.get();
    }
    if (expr->kind != typed::ExprKind::kRow) return {};
    return path;
  }

  bool PublishInput() {
    std::set<std::string> done;  // a topic may be a table and a source
    for (const auto& [topic, key_path] : inputs_) {
      if (!done.insert(topic).second) continue;
      const std::string path = folder_ + "/input/" + topic + ".ndjson";
      std::string text, error;
      if (access(path.c_str(), F_OK) != 0) {
        weir_.talk.Note("  " + topic + ": no " + path + ", so it stays empty");
        continue;
      }
      if (!ReadFile(path, &text, &error)) return Fail(error), false;
      if (text.size() > kEmbeddedPartitionBytes * 4 / 5 * partitions_) {
        Fail(path + " has " + Count(text.size() / 1'000'000, "MB", "MB") +
             "; the embedded broker keeps 5 MB a partition and would lose its beginning\n"
             "use a shorter file, or a Kafka broker");
        return false;
      }
      std::vector<BrokerRecord> records = ReadInput(text, key_path);
      if (!broker_->Publish(topic, records, &error)) {
        Fail("the embedded broker does not take " + path + ": " + error);
        return false;
      }
      topics_[topic].in += records.size();
    }
    std::vector<std::string> outputs;
    for (const auto& [name, topic] : topics_) {
      if (topic.is_output) outputs.push_back(name);
    }
    std::string error;
    if (!outputs.empty() && !broker_->Tail(outputs, &error)) {
      return Fail("cannot read from the embedded broker: " + error), false;
    }
    return true;
  }

  bool StartServices() {
    for (const typed::ConnectionDef& connection : pipeline_.connections) {
      if (connection.kind == typed::ConnectionKind::kKafka) {
        settings_[ParamOf(connection)] = broker_->BootstrapServers();
      }
      if (connection.kind != typed::ConnectionKind::kHttp) continue;
      const std::string path = folder_ + "/services/" + connection.name + ".json";
      std::string text, error;
      if (!ReadFile(path, &text, &error)) {
        Fail(error + "\nit says what the service behind `connection " + connection.name +
             "` answers: {\"routes\": [{\"path\": \"/accounts/{id}\", \"status\": 200, \"body\": {…}}]}");
        return false;
      }
      auto service = HttpService::Start(text, path, &error);
      if (!service) return Fail(error), false;
      settings_[ParamOf(connection)] = service->Url();
      services_.push_back(std::move(service));
    }
    return true;
  }

  int Watch(const std::vector<std::string>& rest) {
    char folder[] = "/tmp/weir-embedded-XXXXXX";
    if (mkdtemp(folder) == nullptr) return Fail(std::string("cannot make a folder in /tmp: ") + strerror(errno));
    state_folder_ = folder;
    std::vector<std::string> words = {program_, "run",    "--state-dir",  state_folder_,
                                      "--http", "off", "--stop-at-end"};
    for (const auto& [name, value] : settings_) {
      words.push_back("--set");
      words.push_back(name + "=" + value);
    }
    words.insert(words.end(), rest.begin(), rest.end());

    struct sigaction action = {};
    action.sa_handler = [](int) { asked_to_end = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);

    auto start = Clock::now();
    // Secrets are about the real systems; here any text does.
    std::map<std::string, std::string> environment;
    for (const typed::ParamDef& param : pipeline_.params) {
      std::string variable = VariableOf(param.name);
      if (param.secret && getenv(variable.c_str()) == nullptr) environment[variable] = "embedded";
    }
    ChildProcess child;
    std::string error;
    if (!child.Start(words, environment, /*stdout_fd=*/1, &error)) return Fail(error);

    auto last_output = start;
    std::optional<int> code;
    Clock::time_point ended;
    for (;;) {
      int came = broker_->Poll(20, [&](const std::string& topic, const BrokerRecord& record) {
        ++topics_[topic].out;
        std::string line = FormatOutput(topic, record) + "\n";
        fwrite(line.data(), 1, line.size(), stdout);
      });
      if (came > 0) {
        last_output = Clock::now();
        fflush(stdout);
        continue;
      }
      if (code) {
        // It ended: what it wrote last is still on its way here.
        if (broker_->Behind() == 0 || Clock::now() - ended > kLastOutputs) break;
        continue;
      }
      code = child.Ended(/*wait=*/false);
      ended = Clock::now();
      if (asked_to_end != 0) {
        child.Signal(SIGTERM);
        asked_to_end = 0;  // a second Ctrl-C is passed on, too, and ends it at once
      }
    }
    Summary(std::chrono::duration<double>(last_output - start).count());
    return *code;
  }

  void Summary(double seconds) {
    int64_t in = 0, out = 0, dead = 0;
    size_t width = 0;
    for (const auto& [name, topic] : topics_) {
      in += topic.in;
      (topic.of_dead_letters ? dead : out) += topic.out;
      width = std::max(width, name.size());
    }
    char time[32];
    snprintf(time, sizeof time, "%.1f s", seconds);
    weir_.talk.Note("");
    weir_.talk.Note(Count(in, "record", "records") + " in, " + Count(out, "record", "records") +
                    " out, " + Count(dead, "dead letter", "dead letters") + ", " + time);
    for (const auto& [name, topic] : topics_) {
      std::string line = "  " + name + std::string(width - name.size() + 2, ' ');
      if (topic.in > 0 || !topic.is_output) line += Count(topic.in, "record", "records") + " in";
      if (topic.in > 0 && topic.is_output) line += ", ";
      if (topic.of_dead_letters) {
        line += Count(topic.out, "dead letter", "dead letters");
      } else if (topic.is_output) {
        line += Count(topic.out, "record", "records") + " out";
      }
      weir_.talk.Note(line);
    }
    int64_t answered = 0;
    for (const auto& service : services_) answered += service->Answered();
    if (!services_.empty()) weir_.talk.Note("  " + Count(answered, "lookup", "lookups") + " answered");
  }

  const Weir& weir_;
  const typed::TypedPipeline& pipeline_;
  const std::string folder_;
  const std::string program_;
  const int partitions_;
  Settings settings_;
  std::unique_ptr<EmbeddedBroker> broker_;
  std::map<std::string, Topic> topics_;
  std::vector<std::pair<std::string, std::vector<std::string>>> inputs_;  // topic and key path, tables first
  std::vector<std::unique_ptr<HttpService>> services_;
  std::string state_folder_;
};

}  // namespace

void RedirectConnections(typed::TypedPipeline* pipeline) {
  for (typed::ConnectionDef& connection : pipeline->connections) {
    const bool kafka = connection.kind == typed::ConnectionKind::kKafka;
    if (!kafka && connection.kind != typed::ConnectionKind::kHttp) continue;
    const std::string address = kafka ? "brokers" : "url";
    std::erase_if(connection.properties, [&](const typed::PropertyDef& property) {
      return kafka || property.name == address || property.name == "tls" || property.name == "ca";
    });
    const typed::Type* text = pipeline->types->Simple(typed::TypeKind::kString);
    auto value = std::make_unique<typed::ParamExpr>();
    value->type = text;
    value->param = static_cast<int>(pipeline->params.size());
    value->span = connection.span;
    typed::PropertyDef property;
    property.name = address;
    property.value = std::move(value);
    property.span = connection.span;
    connection.properties.push_back(std::move(property));
    typed::ParamDef param;
    param.name = ParamOf(connection);
    param.type = text;
    param.span = connection.span;
    pipeline->params.push_back(std::move(param));
  }
}

int RunEmbedded(const Weir& weir, const Compilation& compilation, const std::string& program,
                const RunArguments& arguments) {
  return EmbeddedRun(weir, compilation, program, arguments.partitions)
      .Run(arguments.set, arguments.rest);
}

}  // namespace weirc
