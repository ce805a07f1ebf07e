// CRC-32C (Castagnoli): the checksum of Kafka's record batches and of our own files.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weir {

// Continues `crc`, the result for what came before (0 at the start). Uses the SSE 4.2 instruction where built for it.
uint32_t Crc32c(const void* data, size_t size, uint32_t crc = 0);

// The table-driven form, for machines without the instruction and as a second opinion in tests.
uint32_t Crc32cPortable(const void* data, size_t size, uint32_t crc = 0);

}  // namespace weir
