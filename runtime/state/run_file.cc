#include "runtime/state/run_file.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/crc32c.h"

namespace weir {

namespace {

// Large enough that the index stays small beside the state, small enough that reading one key costs microseconds.
constexpr size_t kBlockBytes = 16 << 10;
constexpr size_t kWriteBytes = 1 << 20;
constexpr char kMagic[8] = {'W', 'E', 'I', 'R', 'R', 'U', 'N', '1'};
constexpr size_t kFooterBytes = 40;
constexpr size_t kIndexHead = 24;
constexpr size_t kEntryHead = 8;

template <class T>
void Put(Buffer* out, T value) {
  out->Append(&value, sizeof value);
}

template <class T>
T Get(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

Status Damaged() { return Status::Corrupt("a file of the local state is damaged"); }

}  // namespace

// ---- Writing --------------------------------------------------------------------------------------------------------

Status RunWriter::Write(Str bytes) {
  at_ += bytes.size;
  out_.Append(bytes);
  if (out_.size() < kWriteBytes) return Status();
  Status status = file_->Append(out_.str());
  out_.Clear();
  return status;
}

Status RunWriter::Add(Str key, const Str* value) {
  if (block_entries_ == 0) {
    first_key_.Clear();
    first_key_.Append(key);
  }
  Put<uint32_t>(&block_, key.size);
  Put<uint32_t>(&block_, value == nullptr ? 0 : value->size + 1);
  block_.Append(key);
  if (value != nullptr) block_.Append(*value);
  ++block_entries_;
  ++entries_;
  return block_.size() >= kBlockBytes ? EndBlock() : Status();
}

Status RunWriter::EndBlock() {
  if (block_entries_ == 0) return Status();
  Put<uint64_t>(&index_, at_);
  Put<uint32_t>(&index_, static_cast<uint32_t>(block_.size()));
  Put<uint32_t>(&index_, Crc32c(block_.data(), block_.size()));
  Put<uint32_t>(&index_, block_entries_);
  Put<uint32_t>(&index_, static_cast<uint32_t>(first_key_.size()));
  index_.Append(first_key_.str());
  Status status = Write(block_.str());
  block_.Clear();
  block_entries_ = 0;
  return status;
}

Status RunWriter::Finish(bool durable, RunSummary* summary) {
  Status status = EndBlock();
  if (!status.ok()) return status;
  Buffer footer;
  footer.Append(kMagic, sizeof kMagic);
  Put<uint64_t>(&footer, at_);
  Put<uint32_t>(&footer, static_cast<uint32_t>(index_.size()));
  Put<uint32_t>(&footer, Crc32c(index_.data(), index_.size()));
  Put<uint64_t>(&footer, entries_);
  Put<uint32_t>(&footer, 0);  // room for later
  summary->check = Crc32c(footer.data(), footer.size());
  Put<uint32_t>(&footer, summary->check);
  out_.Append(index_.str());
  out_.Append(footer.str());
  summary->bytes = at_ + index_.size() + footer.size();
  summary->entries = entries_;
  status = file_->Append(out_.str());
  return status.ok() && durable ? file_->Sync() : status;
}

// ---- Reading --------------------------------------------------------------------------------------------------------

Status RunFile::Open(std::unique_ptr<StoreFiles::Reader> file, const RunSummary& wanted,
                     std::shared_ptr<const RunFile>* out) {
  if (file->size() != wanted.bytes || wanted.bytes < kFooterBytes) return Damaged();
  char footer[kFooterBytes];
  const uint64_t footer_at = wanted.bytes - kFooterBytes;
  Status status = file->Read(footer_at, kFooterBytes, footer);
  if (!status.ok()) return status;
  uint32_t check = Crc32c(footer, kFooterBytes - 4);
  if (check != wanted.check || check != Get<uint32_t>(footer + kFooterBytes - 4) ||
      std::memcmp(footer, kMagic, sizeof kMagic) != 0) {
    return Damaged();
  }
  const uint64_t index_at = Get<uint64_t>(footer + 8);
  const uint32_t index_size = Get<uint32_t>(footer + 16);
  if (index_at > footer_at || footer_at - index_at != index_size) return Damaged();
  std::shared_ptr<RunFile> run(new RunFile);
  run->summary_ = wanted;
  run->file_ = std::move(file);
  Buffer index;
  index.Reserve(index_size);
  status = run->file_->Read(index_at, index_size, index.data());
  if (!status.ok()) return status;
  index.Advance(index_size);
  if (Crc32c(index.data(), index.size()) != Get<uint32_t>(footer + 20)) return Damaged();
  status = run->ReadIndex(index.str(), index_at);
  if (status.ok() && wanted.entries != Get<uint64_t>(footer + 24)) status = Damaged();
  if (status.ok()) *out = std::move(run);
  return status;
}

Status RunFile::ReadIndex(Str bytes, uint64_t end) {
  uint64_t at = 0;
  while (bytes.size > 0) {
    if (bytes.size < kIndexHead) return Damaged();
    Block block{Get<uint64_t>(bytes.data),      Get<uint32_t>(bytes.data + 8),  Get<uint32_t>(bytes.data + 12),
                Get<uint32_t>(bytes.data + 16), Get<uint32_t>(bytes.data + 20), keys_.size()};
    bytes = bytes.Sub(kIndexHead);
    if (block.key_size > bytes.size || block.offset != at || block.size > end - at) return Damaged();
    at += block.size;
    keys_.Append(bytes.Sub(0, block.key_size));
    bytes = bytes.Sub(block.key_size);
    blocks_.push_back(block);
  }
  return at == end ? Status() : Damaged();
}

size_t RunFile::Find(Str key) const {
  auto behind = std::upper_bound(blocks_.begin(), blocks_.end(), key,
                                 [this](Str k, const Block& block) { return k < KeyOf(block); });
  return behind == blocks_.begin() ? blocks_.size() : static_cast<size_t>(behind - blocks_.begin()) - 1;
}

Status RunFile::ReadBlock(size_t block, Buffer* out) const {
  const Block& of = blocks_[block];
  out->Clear();
  out->Reserve(of.size);
  Status status = file_->Read(of.offset, of.size, out->data());
  if (!status.ok()) return status;
  out->Advance(of.size);
  return Crc32c(out->data(), out->size()) == of.crc ? Status() : Damaged();
}

uint64_t RunFile::CountAtMost(Str from, Str to) const {
  size_t first = Find(from);
  if (first == blocks_.size()) first = 0;
  uint64_t count = 0;
  for (size_t b = first; b < blocks_.size() && KeyOf(blocks_[b]) < to; ++b) count += blocks_[b].entries;
  return count;
}

Status RunCursor::Load(size_t block) {
  at_ = 0;
  block_ = block;
  valid_ = false;
  if (block >= run_->blocks()) {
    bytes_.Clear();
    return Status();
  }
  Status status = run_->ReadBlock(block, &bytes_);
  if (!status.ok()) block_ = SIZE_MAX;
  return status;
}

// The entry at at_, or the next block's first.
Status RunCursor::Take() {
  valid_ = false;
  while (at_ == bytes_.size()) {
    if (block_ >= run_->blocks()) return Status();
    if (Status status = Load(block_ + 1); !status.ok()) return status;
  }
  const size_t left = bytes_.size() - at_;
  if (left < kEntryHead) return Damaged();
  const char* from = bytes_.data() + at_;
  const uint32_t key_size = Get<uint32_t>(from);
  const uint32_t value_size = Get<uint32_t>(from + 4);
  const uint64_t size = kEntryHead + uint64_t{key_size} + (value_size == 0 ? 0 : value_size - 1);
  if (size > left) return Damaged();
  removed_ = value_size == 0;
  key_ = Str(from + kEntryHead, key_size);
  value_ = removed_ ? Str() : Str(from + kEntryHead + key_size, value_size - 1);
  at_ += size;
  valid_ = true;
  return Status();
}

Status RunCursor::Next() { return Take(); }

Status RunCursor::Seek(Str key) {
  size_t block = run_->Find(key);
  if (block == run_->blocks()) block = 0;  // it begins behind the key, or is empty
  if (block == block_) {
    at_ = 0;
  } else if (Status status = Load(block); !status.ok()) {
    return status;
  }
  do {
    if (Status status = Take(); !status.ok()) return status;
  } while (valid_ && key_ < key);
  return Status();
}

Status RunCursor::SeekBefore(Str key) {
  size_t block = run_->Find(key);
  if (block == run_->blocks()) {
    valid_ = false;
    return Status();
  }
  // The block may begin with the key itself: then the entry is the last one of the block in front.
  for (;; --block) {
    if (Status status = Load(block); !status.ok()) return status;
    size_t last = SIZE_MAX;
    for (size_t at = 0; at < bytes_.size(); at = at_) {
      if (Status status = Take(); !status.ok()) return status;
      if (!(key_ < key)) break;
      last = at;
    }
    if (last != SIZE_MAX) {
      at_ = last;
      return Take();
    }
    valid_ = false;
    if (block == 0) return Status();
  }
}

}  // namespace weir
