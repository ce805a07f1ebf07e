#include "runtime/connector/kafka/member.h"

#include <algorithm>

#include "runtime/connector/kafka/offset_note.h"
#include "runtime/connector/kafka/place.h"
#include "runtime/connector/kafka/topics.h"

namespace weir::kafka {
namespace {

constexpr int64_t kServeNsMax = 100'000'000;  // also without a wake-up: timers of ours
constexpr int64_t kAskAgainNs = 200'000'000;
constexpr int64_t kRevokeCommitNsMax = 5'000'000'000;
constexpr int kAskTimeoutMs = 5'000;
// librdkafka gives a question up by itself, as a rule: this much later nobody answers it any more.
constexpr int64_t kAskNsMax = (kAskTimeoutMs + 1'000) * 1'000'000ll;
constexpr int64_t kLookNsMax = 500'000'000;
// A request that was lost longer ago has arrived or never will: who fences this member then is another process.
constexpr int64_t kOnItsWayNsMax = 600'000'000'000;
// A broker that has just started may not know its users yet. Whom it refuses for longer has wrong credentials.
constexpr int64_t kRefusedNsMax = 10'000'000'000;
// Members that live join within a few heartbeats, so that a longer wait is for one that is no more.
constexpr int64_t kJoinPatienceNs = 10'000'000'000;
constexpr int kLeavePollMs = 20;
constexpr int64_t kLeaveNsMax = 2'000'000'000;
constexpr int kLeavingSessionMs = 6'000;  // a broker takes no shorter one, unless told to
constexpr int16_t kApiJoinGroup = 11, kApiHeartbeat = 12, kApiLeaveGroup = 13, kApiSyncGroup = 14;

PartitionList ToList(const std::vector<TopicOffset>& offsets) {
  PartitionList list = NewPartitionList(static_cast<int>(offsets.size()));
  for (const TopicOffset& o : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), o.topic.c_str(), o.partition)->offset = o.offset;
  }
  return list;
}

std::vector<TopicOffset> FromList(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicOffset> out;
  for (int i = 0; list && i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& p = list->elems[i];
    const std::string_view note(static_cast<const char*>(p.metadata), p.metadata_size);
    out.push_back({p.topic, p.partition, p.offset < 0 ? -1 : p.offset, NoteOf(note).state == OffsetState::kSome});
  }
  return out;
}

}  // namespace

Status Member::Make(const Settings& settings, const std::string& client_id, const std::string& instance_id, bool keep_place,
                    Log* log, std::function<void()> wake, Listener* listener, std::unique_ptr<Member>* out) {
  std::unique_ptr<Member> member(new Member());
  member->settings_ = settings;
  member->client_id_ = client_id;
  member->instance_id_ = instance_id;
  member->keep_place_ = keep_place;
  member->log_ = log;
  member->wake_ = std::move(wake);
  member->listener_ = listener;
  member->join_patience_ns_ = member->FirstJoinPatienceNs();
  if (Status status = member->Connect(); !status.ok()) return status;
  *out = std::move(member);
  return Status();
}

Status Member::Connect() {
  Client::Options options;
  options.client_id = client_id_;
  options.log = log_;
  options.owner = this;
  options.rebalance = OnRebalance;
  options.request = OnRequest;
  options.response = OnResponse;
  if (!instance_id_.empty()) options.more.push_back({"group.instance.id", instance_id_});
  if (Status status = Client::Make(settings_, Role::kMember, options, &client_); !status.ok()) return status;
  answers_.reset(rd_kafka_queue_new(client_->get()));
  control_.reset(rd_kafka_queue_get_consumer(client_->get()));
  auto ready = [](rd_kafka_t*, void* self) {
    static_cast<Member*>(self)->ready_.store(true, std::memory_order_release);
    static_cast<Member*>(self)->wake_();
  };
  rd_kafka_queue_cb_event_enable(answers_.get(), ready, this);
  rd_kafka_queue_cb_event_enable(control_.get(), ready, this);
  return Status();
}

Member::~Member() {
  Close(0);
  if (!client_) return;
  rd_kafka_queue_cb_event_enable(answers_.get(), nullptr, nullptr);
  rd_kafka_queue_cb_event_enable(control_.get(), nullptr, nullptr);
}

Status Member::Join(const std::vector<std::string>& topics) {
  topics_ = topics;
  PartitionList list = NewPartitionList(static_cast<int>(topics.size()));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  rd_kafka_resp_err_t code = rd_kafka_subscribe(client_->get(), list.get());
  return code ? client_->ToStatus(code, "joining group `" + client_->settings().group + "`") : Status();
}

Status Member::Serve() {
  if (!client_) return fatal_;
  int64_t now = MonoNs();
  if (!ready_.load(std::memory_order_acquire) && now - served_ns_ < kServeNsMax) return fatal_;
  served_ns_ = now;
  ready_.store(false, std::memory_order_relaxed);
  // A message is an error here: nothing is fetched.
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->get(), 0)) {
    if (message->err && fatal_.ok()) fatal_ = ConsumerError(message);
    rd_kafka_message_destroy(message);
  }
  if (renew_ && fatal_.ok()) {
    Tell(LogLevel::kWarning, "a request of this process that was given up arrived late and took its place in the group; it "
                             "joins again");
    fatal_ = Renew(false);
  }
  if (fatal_.ok() && Unanswered(now)) fatal_ = JoinOnceMore();
  if (!fatal_.ok()) return fatal_;
  if (!client_->refused_us()) {
    refused_since_ns_ = 0;
  } else if (refused_since_ns_ == 0) {
    refused_since_ns_ = now;
  } else if (now - refused_since_ns_ > kRefusedNsMax) {
    return fatal_ = client_->Unreachable();
  }
  if (!missing_.empty()) fatal_ = LookForMissing(now);
  ServeAnswers(0);
  if (asking_ && now - question_sent_ns_ > kAskNsMax) {
    asking_ = false;
    ask_again_ = !asked_.empty();
  }
  if (ask_again_ && !asking_ && now >= ask_at_ns_) SendQuestion();
  SendCommit();
  return fatal_;
}

void Member::Tell(LogLevel level, const std::string& words) {
  if (log_) log_->Write(level, settings_.line, "group `" + settings_.group + "`: " + words);
}

int64_t Member::FirstJoinPatienceNs() const { return std::min<int64_t>(SessionMs(settings_) * 1'000'000ll, kJoinPatienceNs); }

bool Member::Unanswered(int64_t now) const {
  // A dynamic member would get one more place.
  const int64_t sent = join_sent_ns_.load(std::memory_order_acquire);
  return sent != 0 && now - sent > join_patience_ns_ && !closing_ && !instance_id_.empty();
}

Status Member::JoinOnceMore() {
  if (join_patience_ns_ == FirstJoinPatienceNs()) {
    Tell(LogLevel::kInfo, "no answer to its request to join for " + std::to_string(join_patience_ns_ / 1'000'000'000) +
                              " s; it asks again: the group waits for a member that does not join, or the broker forgot it");
  }
  join_patience_ns_ *= 2;
  return Renew(true);
}

Status Member::Renew(bool left_request) {
  renew_ = false;
  if (assigned_) listener_->OnRevoked(partitions_, true);
  partitions_.clear();
  joined_ = assigned_ = false;
  to_commit_.clear();
  on_the_way_.clear();
  asked_.clear();
  committing_ = asking_ = ask_again_ = false;
  missing_.clear();
  rd_kafka_queue_cb_event_enable(answers_.get(), nullptr, nullptr);
  rd_kafka_queue_cb_event_enable(control_.get(), nullptr, nullptr);
  answers_.reset();
  control_.reset();
  client_.reset();
  // Its threads have ended.
  join_sent_ns_.store(0, std::memory_order_relaxed);
  on_its_way_until_ns_.store(left_request ? MonoNs() + SessionMs(settings_) * 1'000'000ll : 0, std::memory_order_relaxed);
  Status status = Connect();
  return status.ok() ? Join(std::vector<std::string>(topics_)) : status;
}

// librdkafka's threads.
void Member::OnRequest(int16_t api_key, void* owner) {
  if (api_key == kApiJoinGroup) static_cast<Member*>(owner)->join_sent_ns_.store(MonoNs(), std::memory_order_release);
}

// librdkafka's threads.
void Member::OnResponse(int16_t api_key, rd_kafka_resp_err_t error, void* owner) {
  if (api_key == kApiJoinGroup) static_cast<Member*>(owner)->join_sent_ns_.store(0, std::memory_order_release);
  if (api_key == kApiLeaveGroup) {
    static_cast<Member*>(owner)->leaving_.store(error ? Leaving::kGivenUp : Leaving::kHeard, std::memory_order_release);
  }
  // Answered, or never sent.
  if (!error || error == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE || error == RD_KAFKA_RESP_ERR__DESTROY) return;
  if (api_key != kApiJoinGroup && api_key != kApiHeartbeat && api_key != kApiSyncGroup) return;
  static_cast<Member*>(owner)->OutOfTouch();
}

void Member::OutOfTouch() { on_its_way_until_ns_.store(MonoNs() + kOnItsWayNsMax, std::memory_order_release); }

Status Member::LookForMissing(int64_t now) {
  for (auto at = missing_.begin(); at != missing_.end();) {
    if (now - at->second < kMissingNsMax) {
      ++at;
      continue;
    }
    int32_t count = 0;
    Status status = PartitionCount(*client_, at->first, kLookNsMax, &count);
    if (status.code() == StatusCode::kNotFound) return status;
    if (status.ok()) {
      at = missing_.erase(at);
    } else {
      (at++)->second = now;
    }
  }
  return Status();
}

Status Member::ConsumerError(const rd_kafka_message_t* message) {
  const Settings& settings = client_->settings();
  std::string detail = rd_kafka_message_errstr(message);
  switch (message->err) {
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      // The member leaves by itself and joins again with the next poll; its partitions were lost, the listener hears it.
      if (client_->log()) client_->log()->Write(LogLevel::kWarning, settings.line, "group `" + settings.group + "`: " + detail);
      return Status();
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      return Status::Denied("no right to group `" + settings.group + "` (connection `" + settings.connection +
                            "`): it needs READ on the group");
    case RD_KAFKA_RESP_ERR__FATAL: {
      char text[512] = "";
      rd_kafka_resp_err_t cause = rd_kafka_fatal_error(client_->get(), text, sizeof text);
      if (cause == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID && MonoNs() < on_its_way_until_ns_.load(std::memory_order_acquire)) {
        renew_ = true;
        return Status();
      }
      return client_->ToStatus(cause, "group `" + settings.group + "`", text);
    }
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      // The group assigns its partitions as soon as it is known.
      if (const char* topic = message->rkt ? rd_kafka_topic_name(message->rkt) : nullptr) {
        if (missing_.emplace(topic, MonoNs()).second && client_->log()) {
          client_->log()->Write(LogLevel::kWarning, settings.line, std::string("topic `") + topic + "` is not known yet: " + detail);
        }
        return Status();
      }
      [[fallthrough]];
    default: {
      if (IsPassing(message->err)) return Status();
      std::string topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
      return client_->ToStatus(message->err, "group `" + settings.group + "`" +
                                                 (topic.empty() ? "" : ", topic `" + topic + "`"), detail);
    }
  }
}

void Member::OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque) {
  static_cast<Member*>(Client::Owner(opaque))->Rebalance(code, list);
}

void Member::Rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list) {
  rd_kafka_t* rk = client_->get();
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !closing_) {
    joined_ = true;
    assigned_ = true;
    join_patience_ns_ = FirstJoinPatienceNs();
    partitions_ = FromList(list);
    // An empty list accepts the group's decision without fetching anything here.
    PartitionList none = NewPartitionList(0);
    rd_kafka_assign(rk, none.get());
    listener_->OnAssigned(partitions_);
    return;
  }
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    PartitionList none = NewPartitionList(0);
    rd_kafka_assign(rk, none.get());
    return;
  }
  bool lost = rd_kafka_assignment_lost(rk);
  if (lost) {
    joined_ = false;
    // Being fenced is no reason why it was.
    if (!rd_kafka_fatal_error(rk, nullptr, 0)) OutOfTouch();
  }
  if (!closing_) listener_->OnRevoked(FromList(list), lost);
  assigned_ = false;
  partitions_.clear();
  ask_again_ = false;
  asked_.clear();
  // A commit that reaches the broker after this member has joined again would count as foreign: it is waited for.
  if (lost || closing_) {  // Close has waited
    to_commit_.clear();
  } else {
    WaitForCommits(kRevokeCommitNsMax);
    to_commit_.clear();
  }
  rd_kafka_assign(rk, nullptr);
}

void Member::Commit(const std::vector<TopicOffset>& offsets) {
  for (const TopicOffset& o : offsets) {
    if (o.offset >= 0) to_commit_[{o.topic, o.partition}] = o.offset;
  }
  SendCommit();
}

void Member::SendCommit() {
  if (committing_ || to_commit_.empty() || MonoNs() < commit_at_ns_) return;
  PartitionList list = NewPartitionList(static_cast<int>(to_commit_.size()));
  for (const auto& [where, offset] : to_commit_) {
    rd_kafka_topic_partition_list_add(list.get(), where.first.c_str(), where.second)->offset = offset;
  }
  on_the_way_.swap(to_commit_);
  to_commit_.clear();
  committing_ = true;
  rd_kafka_resp_err_t code =
      rd_kafka_commit_queue(client_->get(), list.get(), answers_.get(), nullptr, nullptr);
  if (code) CommitFailed(code);
}

void Member::CommitFailed(rd_kafka_resp_err_t code) {
  committing_ = false;
  commit_failed_ = true;
  for (const auto& [where, offset] : on_the_way_) to_commit_.emplace(where, offset);  // newer ones stay
  on_the_way_.clear();
  commit_at_ns_ = MonoNs() + kAskAgainNs;
  if (client_->log()) {
    client_->log()->Write(LogLevel::kWarning, client_->settings().line,
                          "committing offsets of group `" + client_->settings().group + "`: " +
                              rd_kafka_err2str(code) + "; they are committed again");
  }
}

void Member::AskCommitted(const std::vector<TopicOffset>& partitions) {
  asked_ = partitions;
  ask_again_ = true;
  ask_at_ns_ = 0;
  if (!asking_) SendQuestion();
}

void Member::SendQuestion() {
  asking_ = true;
  question_sent_ns_ = MonoNs();
  ++question_;
  ask_again_ = false;
  std::vector<TopicOffset> bare = asked_;
  for (TopicOffset& o : bare) o.offset = RD_KAFKA_OFFSET_INVALID;
  PartitionList list = ToList(bare);
  rd_kafka_ListConsumerGroupOffsets_t* request =
      rd_kafka_ListConsumerGroupOffsets_new(client_->settings().group.c_str(), list.get());
  AdminOptions options(rd_kafka_AdminOptions_new(client_->get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS));
  char error[256];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kAskTimeoutMs, error, sizeof error);
  rd_kafka_AdminOptions_set_opaque(options.get(), reinterpret_cast<void*>(question_));
  // Offsets that a transaction is still writing are waited for.
  Error unsupported(rd_kafka_AdminOptions_set_require_stable_offsets(options.get(), 1));
  rd_kafka_ListConsumerGroupOffsets(client_->get(), &request, 1, options.get(), answers_.get());
  rd_kafka_ListConsumerGroupOffsets_destroy(request);
}

void Member::ServeAnswers(int wait_ms) {
  while (true) {
    Event event(rd_kafka_queue_poll(answers_.get(), wait_ms));
    if (!event) return;
    wait_ms = 0;
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
      committing_ = false;
      rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
      if (code && code != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        CommitFailed(code);
      } else {
        on_the_way_.clear();
        SendCommit();
      }
    } else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT) {
      if (rd_kafka_event_opaque(event.get()) != reinterpret_cast<void*>(question_)) continue;  // of one that was given up
      asking_ = false;
      if (asked_.empty()) continue;  // revoked meanwhile
      if (ask_again_) {              // asked for others meanwhile
        SendQuestion();
        continue;
      }
      size_t n = 0;
      rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
      const rd_kafka_group_result_t** groups = nullptr;
      if (!code) {
        groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
            rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &n);
        if (n == 1 && rd_kafka_group_result_error(groups[0])) {
          code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
        }
      }
      if (!code && n == 1) {
        std::vector<TopicOffset> offsets = FromList(rd_kafka_group_result_partitions(groups[0]));
        asked_.clear();
        listener_->OnCommitted(offsets);
        continue;
      }
      if (code && !IsPassing(code) && code != RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT) {
        fatal_ = client_->ToStatus(code, "reading the offsets of group `" + client_->settings().group + "`");
      }
      ask_again_ = true;
      ask_at_ns_ = MonoNs() + kAskAgainNs;
    }
  }
}

bool Member::WaitForCommits(int64_t wait_ns_max) {
  int64_t end = MonoNs() + wait_ns_max;
  commit_failed_ = false;
  commit_at_ns_ = 0;
  SendCommit();
  while (committing_ || !to_commit_.empty()) {
    int64_t left = end - MonoNs();
    if (left <= 0) return false;
    ServeAnswers(static_cast<int>(std::max<int64_t>(left / 1'000'000, 1)));
    if (commit_failed_) return false;
  }
  return !commit_failed_;
}

void Member::Close(int64_t wait_ns_max, const std::string& aside) {
  if (closing_) return;
  if (wait_ns_max > 0 && client_) WaitForCommits(wait_ns_max);
  closing_ = true;
  if (wait_ns_max == 0 || !client_) return;
  const int64_t end = MonoNs() + wait_ns_max;
  const bool leaves = !keep_place_ && !instance_id_.empty();
  if (leaves && !Leave(std::min(end, MonoNs() + kLeaveNsMax))) LeaveByName(end, aside);
  if (Error error(rd_kafka_consumer_close_queue(client_->get(), control_.get())); !error) {
    while (!rd_kafka_consumer_closed(client_->get()) && MonoNs() < end) {
      Event event(rd_kafka_queue_poll(control_.get(), 20));
      if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
        rd_kafka_assign(client_->get(), nullptr);
      }
    }
  }
}

// Unsubscribing is how a static member leaves; closing does not.
bool Member::Leave(int64_t end_ns) {
  if (!joined_ && member_id().empty()) return false;  // the group has not answered it yet, and may have it as a member
  leaving_.store(Leaving::kAsked, std::memory_order_relaxed);
  if (rd_kafka_unsubscribe(client_->get())) return false;
  auto now = [this] { return leaving_.load(std::memory_order_acquire); };
  while (now() == Leaving::kAsked && MonoNs() < end_ns) {
    if (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->get(), kLeavePollMs)) rd_kafka_message_destroy(message);
  }
  return now() == Leaving::kHeard;
}

// A broker reads nothing of a connection while it has not answered what it read before, and it answers a request to join
// once all members have joined: a request to leave waits behind it. Another client has another connection.
void Member::LeaveByName(int64_t end_ns, const std::string& aside) {
  // Whoever has the place of one that was fenced is another process.
  if (!fatal_.ok() || rd_kafka_fatal_error(client_->get(), nullptr, 0)) return;
  Settings settings = settings_;
  // The place outlives its client if that hears nothing either: it is to be given no partitions then, and to end soon.
  const std::vector<std::string> topics = aside.empty() ? topics_ : std::vector<std::string>{aside};
  settings.properties.push_back({"session.timeout.ms", std::to_string(std::min(SessionMs(settings_), kLeavingSessionMs))});
  std::unique_ptr<Place> place = Place::Take(settings, client_id_, instance_id_, topics);
  while (place && !place->left() && MonoNs() < end_ns) {
    if (place->joined()) place->GiveUp();
    place->Poll();
  }
  if (log_ == nullptr || (place && place->left())) return;
  log_->Write(LogLevel::kWarning, settings_.line,
              "group `" + settings_.group + "` did not hear in time that this process leaves, as while it waits for other " +
                  "members or its broker is away: its partitions move when the group's members have joined again, or when the " +
                  "session ends");
}

GroupToken Member::Group() const {
  GroupToken token;
  if (!client_ || !assigned_ || closing_ || !fatal_.ok() || rd_kafka_assignment_lost(client_->get())) return token;
  GroupMetadata group(rd_kafka_consumer_group_metadata(client_->get()));
  if (!group) return token;
  void* bytes = nullptr;
  size_t size = 0;
  if (Error error(rd_kafka_consumer_group_metadata_write(group.get(), &bytes, &size)); error) return token;
  token.bytes.assign(static_cast<const char*>(bytes), size);
  rd_kafka_mem_free(client_->get(), bytes);
  token.generation = rd_kafka_consumer_group_metadata_generation_id(group.get());
  token.member = rd_kafka_consumer_group_metadata_member_id(group.get());
  return token;
}

std::string Member::member_id() const {
  char* id = rd_kafka_memberid(client_->get());
  std::string out = id ? id : "";
  if (id) rd_kafka_mem_free(client_->get(), id);
  return out;
}

}  // namespace weir::kafka
