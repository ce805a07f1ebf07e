// The one header that generated code includes; it is precompiled. Everything in it is lean: no streams, no
// std::function, no connectors.
#pragma once

#include "runtime/core/arena.h"
#include "runtime/core/buffer.h"
#include "runtime/core/decimal.h"
#include "runtime/core/int128.h"
#include "runtime/core/json_reader.h"
#include "runtime/core/json_writer.h"
#include "runtime/core/list.h"
#include "runtime/core/opt.h"
#include "runtime/core/row.h"
#include "runtime/core/str.h"
#include "runtime/core/time.h"
#include "runtime/engine/task.h"
#include "runtime/lookup/lookup_call.h"
#include "runtime/program/program.h"
#include "runtime/program/program_builder.h"
#include "runtime/program/values.h"
#include "runtime/program/window_meta.h"
#include "runtime/window/aggregate.h"
#include "runtime/window/window_instance.h"
#include "stdlib/all.h"
