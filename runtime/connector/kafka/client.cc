#include "runtime/connector/kafka/client.h"

#include <time.h>

#include <cstring>

#include "runtime/connector/kafka/resolve.h"

namespace weir::kafka {
namespace {

constexpr int64_t kTellNs = 5'000'000'000;
constexpr int16_t kApiFetch = 1;
constexpr int16_t kApiSaslHandshake = 17, kApiVersions = 18, kApiSaslAuthenticate = 36;
constexpr int kDebugLevel = 7;  // syslog's, as librdkafka counts
// Longer than fetch.wait.max.ms (100 ms unless set): a fetch at the end of a partition is answered at least that often.
constexpr int64_t kFetchAnswerNsMax = 3'000'000'000;

bool Contains(const char* text, const char* part) { return strcasestr(text, part) != nullptr; }

}  // namespace

int64_t MonoNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000ll + t.tv_nsec;
}

Status Client::Make(const Settings& settings, Role role, const Options& options, std::unique_ptr<Client>* out) {
  std::unique_ptr<Client> client(new Client());
  client->settings_ = settings;
  client->log_ = options.log;
  client->owner_ = options.owner;
  client->request_ = options.request;
  client->response_ = options.response;
  client->consumer_ = role != Role::kProduce && role != Role::kTransact;
  Conf conf;
  if (Status status = MakeConf(settings, role, options.client_id, &conf); !status.ok()) return status;
  char error[512] = "";
  std::vector<std::pair<std::string, std::string>> more = options.more;
  const std::string* debug = settings.Find("debug");
  client->debug_asked_ = debug != nullptr && !debug->empty();
  client->learns_versions_ = options.learns_versions;
  if (options.learns_versions) more.push_back({"debug", client->debug_asked_ ? *debug + ",feature" : "feature"});
  for (const auto& [name, value] : more) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), error, sizeof error) != RD_KAFKA_CONF_OK) {
      return Status::Internal(error);
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  rd_kafka_conf_interceptor_add_on_new(conf.get(), "weir", OnNew, client.get());
  if (options.rebalance) rd_kafka_conf_set_rebalance_cb(conf.get(), options.rebalance);
  if (options.delivery) rd_kafka_conf_set_dr_msg_cb(conf.get(), options.delivery);
  UseResolver(conf.get());
  client->rk_ =
      rd_kafka_new(client->consumer_ ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(), error, sizeof error);
  if (!client->rk_) {
    // librdkafka has freed the interceptor and left it in the properties (2.8.0): freeing them would free it again.
    conf.release();
    return Status::Invalid("connection `" + settings.connection + "`: " + error);
  }
  conf.release();  // belongs to the client now
  if (client->consumer_) rd_kafka_poll_set_consumer(client->rk_);
  *out = std::move(client);
  return Status();
}

Client::~Client() {
  if (rk_) rd_kafka_destroy_flags(rk_, consumer_ ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0);
}

void Client::Silence() {
  std::lock_guard<std::mutex> lock(telling_);
  log_ = nullptr;
}

bool IsRefusal(const char* words) {
  // What breaks off is an outage, though it does so while this client shows who it is. And brokers that go away get "… might
  // require SASL authentication": a guess of librdkafka's.
  for (const char* outage : {"might require", "Disconnected", "imed out", "transport", "handle destroyed"}) {
    if (Contains(words, outage)) return false;
  }
  return Contains(words, "authentication") || Contains(words, "SSL handshake failed") || Contains(words, "certificate");
}

// librdkafka's threads. Its own words go to the log; a failed connection is kept for the answer to "why not?".
void Client::OnLog(const rd_kafka_t* rk, int level, const char* facility, const char* text) {
  auto* client = static_cast<Client*>(rd_kafka_opaque(rk));
  if (!client || !strcmp(facility, "CONFWARN")) return;  // a consumer's property given to a producer, or vice versa
  if (client->learns_versions_ && level >= kDebugLevel) {
    if (!strcmp(facility, "APIVERSION")) {
      std::lock_guard<std::mutex> lock(client->mutex_);
      ReadVersionLine(text, &client->broker_versions_);
    }
    if (!client->debug_asked_) return;
  }
  // The others of the same request are told, too: they were not attempted.
  if (!strcmp(facility, "ADDPARTS") && Contains(text, rd_kafka_err2str(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED))) {
    std::lock_guard<std::mutex> lock(client->mutex_);
    client->last_refusal_ = text;
  }
  bool failure = !strcmp(facility, "FAIL") || !strcmp(facility, "ERROR");
  if (failure) {
    // "[thrd:…]: host:9092/bootstrap: Connect to … failed: …": what follows the thread's name is for people.
    const char* words = strstr(text, "]: ");
    words = words ? words + 3 : text;
    if (IsRefusal(words)) {
      client->refused_us_.store(true, std::memory_order_relaxed);
    } else if (Contains(words, "Connect to")) {
      client->refused_us_.store(false, std::memory_order_relaxed);  // there is nobody who could refuse
    }
    // "1/1 brokers are down" says less than what came before it.
    if (!Contains(words, "brokers are down")) {
      std::lock_guard<std::mutex> lock(client->mutex_);
      client->last_failure_ = words;
    }
  }
  std::lock_guard<std::mutex> lock(client->telling_);
  if (!client->log_) return;
  std::string like_it;
  if ((failure || !strcmp(facility, "GETPID")) && !client->MayTell(&like_it)) return;
  LogLevel to = level <= 3 ? LogLevel::kWarning : level <= 5 ? LogLevel::kInfo : LogLevel::kDebug;
  client->log_->Write(to, client->settings_.line,
                      "kafka connection `" + client->settings_.connection + "` (brokers " +
                          client->settings_.brokers + "): " + text + like_it);
}

bool Client::MayTell(std::string* like_it) {
  std::lock_guard<std::mutex> lock(mutex_);
  int64_t now = MonoNs();
  if (now < tell_at_ns_) {
    ++not_told_;
    return false;
  }
  if (not_told_ != 0) *like_it = " (" + std::to_string(not_told_) + " more like it went before)";
  not_told_ = 0;
  tell_at_ns_ = now + kTellNs;
  return true;
}

rd_kafka_resp_err_t Client::OnNew(rd_kafka_t* rk, const rd_kafka_conf_t*, void* opaque, char*, size_t) {
  if (static_cast<Client*>(opaque)->request_) {
    rd_kafka_resp_err_t code = rd_kafka_interceptor_add_on_request_sent(rk, "weir", OnRequest, opaque);
    if (code) return code;
  }
  return rd_kafka_interceptor_add_on_response_received(rk, "weir", OnResponse, opaque);
}

rd_kafka_resp_err_t Client::OnRequest(rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t, int32_t, size_t,
                                      void* opaque) {
  auto* client = static_cast<Client*>(opaque);
  client->request_(api_key, client->owner_);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Client::OnResponse(rd_kafka_t*, int, const char*, int32_t, int16_t api_key, int16_t, int32_t,
                                       size_t, int64_t, rd_kafka_resp_err_t error, void* opaque) {
  auto* client = static_cast<Client*>(opaque);
  // What comes before a client has shown who it is says nothing about that.
  const bool greeting = api_key == kApiSaslHandshake || api_key == kApiVersions || api_key == kApiSaslAuthenticate;
  if (!error && !greeting) client->refused_us_.store(false, std::memory_order_relaxed);
  if (api_key == kApiFetch) {
    (error ? client->fetch_failed_ns_ : client->fetch_answered_ns_).store(MonoNs(), std::memory_order_relaxed);
  }
  if (client->response_) client->response_(api_key, error, client->owner_);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool Client::FetchesAnswered(int64_t now_mono_ns) const {
  int64_t answered = fetch_answered_ns_.load(std::memory_order_relaxed);
  return answered != 0 && answered > fetch_failed_ns_.load(std::memory_order_relaxed) &&
         now_mono_ns - answered < kFetchAnswerNsMax;
}

BrokerVersionsByAddress Client::broker_versions() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return broker_versions_;
}

std::string Client::LastRefusal() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_refusal_;
}

Status Client::Unreachable() const {
  std::string why;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    why = last_failure_;
  }
  std::string where = "Kafka at " + settings_.brokers + " (connection `" + settings_.connection +
                      "`, setting `brokers`)";
  if (refused_us()) return Status::Denied(where + " refuses this client: " + why);
  return Status::Unavailable("cannot reach " + where + ": " + (why.empty() ? "no answer" : why));
}

bool IsPassing(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR__IN_PROGRESS:
    case RD_KAFKA_RESP_ERR__NODE_UPDATE:
    case RD_KAFKA_RESP_ERR__OUTDATED:
    case RD_KAFKA_RESP_ERR__NO_OFFSET:
    case RD_KAFKA_RESP_ERR__NOENT:  // no partition that was asked about has a leader
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
    case RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      return true;
    default:
      return false;
  }
}

Status Client::ToStatus(rd_kafka_resp_err_t code, const std::string& what, const std::string& detail) const {
  std::string text = what + " (connection `" + settings_.connection + "`): " +
                     (detail.empty() ? rd_kafka_err2str(code) : detail);
  switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Status();
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID:
      return Status::NotFound(text);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return Status::Denied(text);
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR__FENCED:
      return Status::Exists(text + ": another process runs with the identity of this one's state directory, " +
                            "as when the directory was copied: stop one of them, or give one an empty `--state-dir`");
    default:
      return IsPassing(code) ? Status::Unavailable(text) : Status::Io(text);
  }
}

}  // namespace weir::kafka
