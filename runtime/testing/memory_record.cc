#include "runtime/testing/memory_record.h"

#include <string_view>

namespace weir {

namespace {

Str View(const std::string& text) { return Str(std::string_view(text)); }

}  // namespace

MemoryRecord RecordOf(const OutputBuffer& outputs, const OutputRecord& from) {
  MemoryRecord record;
  record.has_key = from.has_key;
  record.key.assign(outputs.bytes.data() + from.key_begin, from.key_size);
  record.has_value = from.has_value;
  record.value.assign(outputs.bytes.data() + from.value_begin, from.value_size);
  record.time_ns = from.time_ns;
  for (uint32_t i = 0; i < from.headers_size; ++i) {
    const OutputHeader& header = outputs.headers[from.headers_begin + i];
    record.headers.emplace_back(std::string(outputs.bytes.data() + header.name_begin, header.name_size),
                                std::string(outputs.bytes.data() + header.value_begin, header.value_size));
  }
  return record;
}

void MemoryBatch::Show(const MemoryRecord& record, int64_t offset) {
  std::vector<Header>& headers = headers_.emplace_back();
  for (auto& [name, value] : record.headers) headers.push_back(Header{View(name), View(value)});
  Message message;
  message.key = View(record.key);
  message.has_key = record.has_key;
  message.value = View(record.value);
  message.has_value = record.has_value;
  message.timestamp_ns = record.time_ns;
  message.offset = offset;
  message.next_offset = offset + 1;
  message.headers = Headers{headers.data(), static_cast<uint32_t>(headers.size())};
  list_.push_back(message);
  messages = list_.data();
  size = static_cast<uint32_t>(list_.size());
}

void MemoryBatch::Keep(const MemoryRecord& record, int64_t offset) { Show(kept_.emplace_back(record), offset); }

}  // namespace weir
