// Reads all tables into memory and keeps them current; lives on worker 0.
#pragma once

#include <memory>
#include <vector>

#include "runtime/engine/source.h"
#include "runtime/state/table_store.h"

namespace weir {

class Worker;

class TableLoader {
 public:
  // `stores` by table; outlive the loader.
  TableLoader(Worker& worker, const std::vector<TableStore*>& stores);
  ~TableLoader();

  // Makes the readers, asks for the ends that must be reached, starts reading.
  Status Open();
  // Reads and applies what there is. True: something was done.
  bool Turn();
  // Every table stands at the end that was asked for when reading began.
  bool loaded() const { return loaded_; }
  void Close();

 private:
  struct Table;

  void Bad(Table& table, const Message& message, int32_t partition, const std::string& error);
  bool AtEnd(Table& table);

  Worker& worker_;
  std::vector<std::unique_ptr<Table>> tables_;
  bool loaded_ = false;
};

}  // namespace weir
