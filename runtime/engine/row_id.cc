#include "runtime/engine/row_id.h"

#include "runtime/core/buffer.h"
#include "runtime/core/row.h"

namespace weir {

H128 RowId(const Program& program, uint32_t step, const Meta& meta) {
  static thread_local Buffer bytes;
  bytes.Clear();
  RowWriter out(&bytes);
  out.Str(Str(std::string_view(program.name)));
  out.Str(Str(std::string_view(program.steps[step].name)));
  if (meta.source & kFromWindow) {
    const WindowSpec& window = program.windows[meta.source & ~kFromWindow];
    out.Str(Str(std::string_view(program.steps[window.step].name)));
    out.Str(meta.key);
  } else {
    out.Str(Str(std::string_view(program.sources[meta.source].address)));
    out.I32(meta.partition);
  }
  out.I64(meta.offset);
  out.U64(meta.ordinal);
  return Hash128(bytes.str());
}

}  // namespace weir
