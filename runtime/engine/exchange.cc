#include "runtime/engine/exchange.h"

namespace weir {

namespace {
constexpr size_t kSpareMax = 64;
constexpr size_t kSpareBytesMax = 1 << 20;
}  // namespace

void ExchangeInbox::Push(std::unique_ptr<ExchangeBatch> batch) {
  std::lock_guard<std::mutex> lock(mutex_);
  batches_.push_back(std::move(batch));
  count_.store(batches_.size(), std::memory_order_release);
}

bool ExchangeInbox::Take(std::vector<std::unique_ptr<ExchangeBatch>>* out) {
  if (empty()) return false;
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& batch : batches_) out->push_back(std::move(batch));
  batches_.clear();
  count_.store(0, std::memory_order_release);
  return !out->empty();
}

void ExchangeInbox::GiveBack(std::unique_ptr<ExchangeBatch> batch) {
  batch->bytes.Clear();
  batch->bytes.Trim(kSpareBytesMax);
  batch->rows = 0;
  std::lock_guard<std::mutex> lock(mutex_);
  if (spare_.size() < kSpareMax) spare_.push_back(std::move(batch));
}

std::unique_ptr<ExchangeBatch> ExchangeInbox::Spare() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!spare_.empty()) {
      std::unique_ptr<ExchangeBatch> batch = std::move(spare_.back());
      spare_.pop_back();
      return batch;
    }
  }
  return std::make_unique<ExchangeBatch>();
}

}  // namespace weir
