#include "runtime/connector/kafka/place.h"

#include <utility>

namespace weir::kafka {
namespace {

constexpr int16_t kApiLeaveGroup = 13;
constexpr int kPollMs = 20;

}  // namespace

std::unique_ptr<Place> Place::Take(const Settings& settings, const std::string& client_id, const std::string& name,
                                   const std::vector<std::string>& topics) {
  std::unique_ptr<Place> place(new Place);
  Client::Options client;
  client.client_id = client_id;
  client.owner = place.get();
  client.rebalance = OnRebalance;
  client.response = [](int16_t api_key, rd_kafka_resp_err_t error, void* self) {
    if (api_key == kApiLeaveGroup && !error) static_cast<Place*>(self)->left_ = true;
  };
  client.more.push_back({"group.instance.id", name});
  if (!Client::Make(settings, Role::kMember, client, &place->client_).ok()) return nullptr;
  PartitionList list = NewPartitionList(static_cast<int>(topics.size()));
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  if (rd_kafka_subscribe(place->client_->get(), list.get())) return nullptr;
  return place;
}

void Place::Poll() {
  if (rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->get(), kPollMs)) rd_kafka_message_destroy(message);
}

// Unsubscribing is how a static member leaves; closing does not.
void Place::GiveUp() {
  if (!leaving_) rd_kafka_unsubscribe(client_->get());
  leaving_ = true;
}

void Place::OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t*, void* opaque) {
  bool assigns = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  PartitionList none = NewPartitionList(0);
  rd_kafka_assign(rk, assigns ? none.get() : nullptr);
  if (assigns) static_cast<Place*>(Client::Owner(opaque))->joined_ = true;
}

}  // namespace weir::kafka
