"""Outputs that leave at once may come again, but only those that no commit covers.

What can be said of it from outside: an order was written, and its price came out, while one and the same task had its
partition; then that partition's committed offset passed all that had been there when the price was. The commit that moved it
began behind the price, so it waited for its acknowledgement, and took what was kept of its order out of the state: no later
copy has it from anywhere.

Results of windows are left out: whether the task that has them now fired them, or one before it, cannot be seen from outside.
"""

import bisect
import re
from collections import defaultdict

PRICED = ("priced.input", "priced.key", "priced.none")
LIMIT = 5


class Covered:
    def __init__(self):
        # By partition of the orders, one behind the other: where the orders ended; and where outputs ended when the commit
        # that covers them was waited for, and when it was there.
        self._from, self._ends = defaultdict(list), defaultdict(list)
        self.outputs = 0  # that a commit was seen to cover

    def add(self, orders, before, after):
        """Ends: of the orders {partition: offset}, of outputs {(topic, partition): offset}."""
        for partition, offset in orders.items():
            self._from[partition].append(offset)
            self._ends[partition].append((before, after))

    def problems(self, topic, records, read_at):
        """Outputs of a topic that came again and may not, in words. `read_at`: of each order, its partition and offset."""
        places = defaultdict(list)
        for record in records:
            order = int(re.match(r'{"id":\s*(\d+)', record["value"])[1])
            places[order].append((record["partition"], record["offset"]))
        problems = []
        for order, there in places.items():
            partition, offset = read_at[order]
            last = bisect.bisect_right(self._from[partition], offset) - 1
            if last < 0:
                continue
            before, after = self._ends[partition][last]
            if all(at >= before[topic, p] for p, at in there):
                continue
            self.outputs += 1
            problems += [f"covered, and there again: order {order} is at {there}, partition and offset; a commit that covers the "
                         f"first was there when partition {p} ended at {after[topic, p]}"
                         for p, at in there if at >= after[topic, p]]
        return problems[:LIMIT] + ([f"… {len(problems) - LIMIT} more"] if len(problems) > LIMIT else [])
