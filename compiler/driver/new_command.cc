// weir new: a small pipeline that works at once, as a start for one's own.
#include <sys/stat.h>

#include "compiler/driver/commands.h"
#include "compiler/driver/files.h"

namespace weirc {
namespace {

constexpr char kPipeline[] = R"(// Orders come in as JSON lines, the large ones go out; what cannot be read is kept aside.
pipeline $NAME version 1

param threshold: decimal(12, 2) = 100  // weir run pipeline.weir --set threshold=500

record Order {
  id:       int64
  customer: string
  amount:   decimal(12, 2)
  note:     string?  // may be absent or null
}

deadletter dead

source orders: Order = ndjson("input/orders.ndjson") {
  format: json
  on bad send dead
}

stream large = orders
  | where amount >= threshold
  | select { id, customer, amount, note: note ?? "" }

sink large_out from large = stdout { format: json }
sink dead_out  from dead  = ndjson("output/dead.ndjson")

test "small orders are left out" {
  orders <- [
    { id: 1, customer: "Ada", amount: 250.50 },
    { id: 2, customer: "Bob", amount: 9.99 },
  ]
  expect large exactly [{ id: 1, customer: "Ada", amount: 250.50, note: "" }]
}
)";

constexpr char kInput[] = R"({"id": 1, "customer": "Ada", "amount": 250.50, "note": "gift"}
{"id": 2, "customer": "Bob", "amount": 9.99}
{"id": 3, "customer": "Cy", "amount": "a lot"}
{"id": 4, "customer": "Di", "amount": 100.00}
)";

constexpr char kReadme[] = R"(# $NAME

    weir check pipeline.weir     # is it right?
    weir test pipeline.weir      # its tests
    weir run pipeline.weir       # reads input/orders.ndjson, writes to the terminal
    weir build pipeline.weir     # makes ./$NAME, one static executable

Paths in the pipeline are relative to the folder it is run in. Records that cannot be read are in
`output/dead.ndjson`, with the reason.
)";

std::string Fill(std::string text, const std::string& name) {
  for (size_t at; (at = text.find("$NAME")) != std::string::npos;) text.replace(at, 5, name);
  return text;
}

bool IsName(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

}  // namespace

int NewCommand(const Weir& weir, const std::string& name) {
  if (!IsName(name)) {
    weir.talk.Error("a pipeline is named with small letters, digits and _, like `trade_enrichment`, not `" +
                    name + "`");
    return kExitFailed;
  }
  struct stat status;
  if (lstat(name.c_str(), &status) == 0) {
    weir.talk.Error(name + " is there already");
    return kExitFailed;
  }
  std::string error;
  bool ok = MakeFolders(name + "/input", &error) && MakeFolders(name + "/output", &error) &&
            WriteFile(name + "/pipeline.weir", Fill(kPipeline, name), &error) &&
            WriteFile(name + "/input/orders.ndjson", kInput, &error) &&
            WriteFile(name + "/README.md", Fill(kReadme, name), &error);
  if (!ok) {
    weir.talk.Error(error);
    return kExitFailed;
  }
  weir.talk.Note("made " + name + "/\n  cd " + name + "\n  weir run pipeline.weir");
  return kExitClean;
}

}  // namespace weirc
