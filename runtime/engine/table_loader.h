// Reads all tables into memory and keeps them current; lives on worker 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
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

  // Transactions: a table is not read again before the next start, so dead letters of its rows are kept until the epoch
  // that has them is committed, and told again when it came to nothing.
  void EpochEnds();
  void EpochCommitted();
  void EpochForgotten();

  void Close();

 private:
  struct Table;
  struct Letter;

  void Bad(Table& table, const Message& message, int32_t partition, const std::string& error);
  void Tell(const Letter& letter);
  bool AtEnd(Table& table);

  Worker& worker_;
  std::vector<std::unique_ptr<Table>> tables_;
  std::vector<Letter> letters_;  // told, and not known to be committed
  size_t in_epoch_ = 0;         // how many of them are in the epoch that is being committed
  bool tell_again_ = false;
  bool loaded_ = false;
};

}  // namespace weir
