// The places in a consumer group that an earlier run on the same state directory had and this one does not take, since it
// has fewer workers. The group would hold their partitions for them until their sessions end. They are left by their names:
// see place.h.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/connector/kafka/client.h"

namespace weir::kafka {

class FormerMembers {
 public:
  struct Options {
    std::string client_id;
    std::string instance_id;          // of the state directory; places are called by it and the worker's number
    int workers = 0;                  // places below are this run's own
    std::vector<std::string> topics;  // that this run's members subscribe to
    Log* log = nullptr;
  };
  // Leaves in a thread of its own, until the group no longer knows any such place, or for as long as a session lasts.
  // `admin` must outlive it.
  FormerMembers(const Settings& settings, Options options, Client* admin);
  // Gives up what is not done.
  ~FormerMembers();

  // Until it is over, or `wait_ns_max` has passed: while the group is in the middle of a rebalance it waits for this run's
  // own members, which have to join meanwhile.
  void Wait(int64_t wait_ns_max);

  // Which of these instance ids are such places.
  static std::vector<std::string> PlacesOf(const std::vector<std::string>& instance_ids, const std::string& instance_id,
                                           int workers);

 private:
  void Run();
  // The places that the group still knows.
  Status Look(std::vector<std::string>* places);
  // Takes these places and gives them up; false: not all are given up.
  bool Leave(const std::vector<std::string>& places);

  const Settings settings_;
  const Options options_;
  Client* admin_;
  const int64_t end_ns_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace weir::kafka
