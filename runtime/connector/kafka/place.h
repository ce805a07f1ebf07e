// A member's place in a consumer group, to be left by its name (`group.instance.id`) on behalf of a member that cannot leave
// any more: one of an earlier run, or one whose own request to leave waits behind its request to join. Only a member can
// leave, so the place is taken for a moment and given up. Whoever had it is fenced. One thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "runtime/connector/kafka/client.h"

namespace weir::kafka {

class Place {
 public:
  // Asks the group for the place, subscribed to these topics: one at least that is there. Null: the client could not be made.
  static std::unique_ptr<Place> Take(const Settings& settings, const std::string& client_id, const std::string& name,
                                     const std::vector<std::string>& topics);

  // Waits for news some 20 ms at most.
  void Poll();
  // Leaves the group, once it has joined.
  void GiveUp();
  // The group has given it the place.
  bool joined() const { return joined_; }
  // And has heard that it leaves.
  bool left() const { return left_; }

 private:
  static void OnRebalance(rd_kafka_t* rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list, void* opaque);

  bool joined_ = false, leaving_ = false;
  std::atomic<bool> left_{false};
  std::unique_ptr<Client> client_;  // destroyed first: its threads write to left_
};

}  // namespace weir::kafka
