#include "tests/crash/step_faults.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace weir_test {

StepFaults::StepFaults(const std::string& path, std::string wrong) : fault_(path + ".fault"), wrong_(std::move(wrong)) {
  std::string file = path + ".steps";
  constexpr size_t kBytes = sizeof(Step) * kStepsMax;
  int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, kBytes) != 0) throw std::runtime_error(file + ": " + std::strerror(errno));
  void* mapped = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) throw std::runtime_error(file + ": " + std::strerror(errno));
  steps_ = static_cast<Step*>(mapped);
}

StepFaults::~StepFaults() { munmap(steps_, sizeof(Step) * kStepsMax); }

void StepFaults::Count(const char* point) {
  for (int i = 0; i < kStepsMax; ++i) {
    if (steps_[i].name[0] == 0) std::strncpy(steps_[i].name, point, sizeof steps_[i].name - 1);
    if (std::strcmp(steps_[i].name, point) != 0) continue;
    steps_[i].passed.fetch_add(1, std::memory_order_relaxed);
    return;
  }
}

bool StepFaults::StopAt(const char* point) {
  // Held over the fault: no other thread goes on to a later step meanwhile.
  std::lock_guard<std::mutex> lock(mutex_);
  Count(point);
  if (access(fault_.c_str(), F_OK) != 0) return false;
  std::string action, step;
  std::ifstream(fault_) >> action >> step;
  if (step != point) return false;
  unlink(fault_.c_str());
  kill(getpid(), action == "kill" ? SIGKILL : SIGSTOP);
  return false;
}

}  // namespace weir_test
