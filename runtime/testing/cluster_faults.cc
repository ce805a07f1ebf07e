#include "runtime/testing/cluster_faults.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>

namespace weir {

namespace {

struct Named {
  const char* name;
  double ClusterFaults::* value;
  uint32_t per_mille_max;  // drawn from 1 to this
};

constexpr Named kNamed[] = {
    {"request delayed", &ClusterFaults::request_delayed, 300},
    {"answer lost", &ClusterFaults::answer_lost, 60},
    {"request late", &ClusterFaults::request_late, 700},
    {"request lost", &ClusterFaults::request_lost, 300},
    {"outcome unknown", &ClusterFaults::outcome_unknown, 400},
    {"abort demanded", &ClusterFaults::abort_demanded, 30},
    {"queue full", &ClusterFaults::queue_full, 100},
    {"rebalance at commit", &ClusterFaults::rebalance_at_commit, 40},
    {"marker lag", &ClusterFaults::marker_lag, 400},
    {"end lag", &ClusterFaults::end_lag, 100},
    {"small fetch", &ClusterFaults::small_fetch, 500},
    {"coordinator unavailable", &ClusterFaults::coordinator_unavailable, 100},
    {"rebalance", &ClusterFaults::rebalance, 60},
    {"leader moved", &ClusterFaults::leader_moved, 100},
    {"transaction timed out", &ClusterFaults::transaction_timed_out, 60},
    {"log compacted", &ClusterFaults::log_compacted, 300},
    {"foreign transaction", &ClusterFaults::foreign_transaction, 100},
    {"partition added", &ClusterFaults::partition_added, 20},
    {"news late", &ClusterFaults::news_late, 300},
    {"producer throttled", &ClusterFaults::producer_throttled, 300},
};

std::string Dashed(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

}  // namespace

ClusterFaults ClusterFaults::Draw(uint64_t seed) {
  std::mt19937_64 random(seed);
  ClusterFaults faults;
  for (const Named& named : kNamed) {
    bool on = random() % 2 == 0;
    double value = static_cast<double>(1 + random() % named.per_mille_max) / 1000;
    if (on) faults.*named.value = value;
  }
  faults.weather_ns = static_cast<int64_t>(20'000'000 + random() % 180'000'000);
  return faults;
}

std::vector<std::string> ClusterFaults::Names() {
  std::vector<std::string> names;
  for (const Named& named : kNamed) names.push_back(Dashed(named.name));
  return names;
}

void ClusterFaults::Keep(const std::set<std::string>& names) {
  for (const Named& named : kNamed) {
    if (names.count(Dashed(named.name)) == 0) this->*named.value = 0;
  }
}

std::string ClusterFaults::ToString() const {
  std::string text;
  for (const Named& named : kNamed) {
    if (this->*named.value > 0) text += fmt::format("{} {:.3f}\n", named.name, this->*named.value);
  }
  return text;
}

}  // namespace weir
