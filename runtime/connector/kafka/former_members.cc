#include "runtime/connector/kafka/former_members.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "runtime/connector/kafka/place.h"
#include "runtime/connector/kafka/topics.h"

namespace weir::kafka {
namespace {

constexpr int64_t kAskNsMax = 5'000'000'000;
constexpr int64_t kLeaveNsMax = 6'000'000'000;  // librdkafka gives a LeaveGroup 5 s
constexpr int64_t kLookAgainNs = 200'000'000;

}  // namespace

FormerMembers::FormerMembers(const Settings& settings, Options options, Client* admin)
    : settings_(settings),
      options_(std::move(options)),
      admin_(admin),
      end_ns_(MonoNs() + SessionMs(settings) * 1'000'000ll) {
  thread_ = std::thread([this] { Run(); });
}

FormerMembers::~FormerMembers() {
  stop_ = true;
  thread_.join();
}

void FormerMembers::Wait(int64_t wait_ns_max) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::nanoseconds(wait_ns_max), [this] { return done_; });
}

std::vector<std::string> FormerMembers::PlacesOf(const std::vector<std::string>& instance_ids,
                                                 const std::string& instance_id, int workers) {
  std::vector<std::string> places;
  for (const std::string& id : instance_ids) {
    if (id.size() <= instance_id.size() + 1 || !id.starts_with(instance_id + "-")) continue;
    std::string number = id.substr(instance_id.size() + 1);
    bool digits =
        number.size() <= 6 && std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (digits && atoi(number.c_str()) >= workers) places.push_back(id);
  }
  return places;
}

Status FormerMembers::Look(std::vector<std::string>* places) {
  std::vector<GroupMember> members;
  Status status = GroupMembers(*admin_, settings_.group, kAskNsMax, &members);
  std::vector<std::string> ids;
  for (const GroupMember& member : members) ids.push_back(member.instance_id);
  *places = PlacesOf(ids, options_.instance_id, options_.workers);
  return status;
}

bool FormerMembers::Leave(const std::vector<std::string>& names) {
  std::vector<std::unique_ptr<Place>> places;
  for (const std::string& name : names) {
    std::unique_ptr<Place> place = Place::Take(settings_, options_.client_id, name, options_.topics);
    if (place) places.push_back(std::move(place));
  }
  auto all = [&](bool (Place::*is)() const) {
    return std::all_of(places.begin(), places.end(), [&](const auto& place) { return ((*place).*is)(); });
  };
  // The first that leaves makes the others wait for a rebalance, so that all join before.
  while (!all(&Place::joined) && !stop_ && MonoNs() < end_ns_) {
    for (auto& place : places) place->Poll();
  }
  for (auto& place : places) place->GiveUp();
  for (int64_t end = MonoNs() + kLeaveNsMax; !all(&Place::left) && !stop_ && MonoNs() < end;) {
    for (auto& place : places) place->Poll();
  }
  return places.size() == names.size() && all(&Place::left);
}

void FormerMembers::Run() {
  size_t most = 0;
  std::string trouble;
  std::vector<std::string> places;
  while (!stop_) {
    Status status = Look(&places);
    if (status.ok() && places.empty()) break;
    most = std::max(most, places.size());
    if (MonoNs() > end_ns_ || (!status.ok() && status.code() != StatusCode::kUnavailable)) {
      trouble = status.ok() ? "they could not be left" : status.message();
      break;
    }
    if (!status.ok() || !Leave(places)) std::this_thread::sleep_for(std::chrono::nanoseconds(kLookAgainNs));
  }
  std::string group = "group `" + settings_.group + "`";
  if (options_.log != nullptr && !trouble.empty()) {
    options_.log->Write(LogLevel::kWarning, settings_.line,
                        group + ": places of workers that this start does not have: " + trouble +
                            "; their partitions move when their sessions end");
  } else if (options_.log != nullptr && most > 0 && !stop_) {
    options_.log->Write(LogLevel::kInfo, settings_.line,
                        group + ": left the places of " + std::to_string(most) +
                            (most == 1 ? " worker" : " workers") + " of an earlier run, which this one does not have");
  }
  std::lock_guard<std::mutex> lock(mutex_);
  done_ = true;
  changed_.notify_all();
}

}  // namespace weir::kafka
