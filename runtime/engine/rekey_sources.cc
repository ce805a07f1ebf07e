#include "runtime/engine/rekey_sources.h"

#include <utility>

#include "runtime/engine/topic_names.h"

namespace weir {

void AddRekeySources(Program* program) {
  if (!program->transactional) return;
  for (size_t i = 0; i < program->exchanges.size(); ++i) {
    const ExchangeSpec& exchange = program->exchanges[i];
    SourceSpec source;
    source.name = program->steps[exchange.step].name;
    source.connection = program->sources.front().connection;
    source.operation = "topic";
    source.address = RekeyTopic(*program, static_cast<int>(i));
    source.properties = {{"start", "earliest"}};
    source.stage = exchange.to_stage;
    source.step = exchange.step;
    source.exchange = static_cast<int>(i);
    program->stages[exchange.to_stage].source = static_cast<int>(program->sources.size());
    program->sources.push_back(std::move(source));
  }
}

}  // namespace weir
