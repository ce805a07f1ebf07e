"""Shows some of what the example puts out: the first enriched trades, one bar per symbol, one dead letter of each reason.

Reads the lines of `weir run --embedded`: {"topic": …, "key": …, "headers": {…}, "value": …}.
"""

import json
import sys

ENRICHED = 5
enriched, bars, dead = [], {}, {}

for line in sys.stdin:
    record = json.loads(line)
    value = record["value"]
    if record["topic"] == "trades.enriched":
        if len(enriched) < ENRICHED:
            enriched.append(value)
    elif record["topic"] == "vwap.1s":
        bars.setdefault(value["symbol"], value)
    elif record["topic"] == "trades.dead":
        headers = record.get("headers", {})
        reason = next((text for name, text in headers.items() if name.endswith("reason")), "dead letter")
        dead.setdefault(reason, (value, headers))


def show(value):
    print("  " + (value if isinstance(value, str) else json.dumps(value, separators=(", ", ": "))))


print("\nenriched trades")
for value in enriched:
    show(value)
print("\none bar per symbol")
for symbol in sorted(bars):
    show(bars[symbol])
print("\ndead letters, one of each reason")
for reason in sorted(dead):
    value, headers = dead[reason]
    show(value)
    print("    " + ", ".join(f"{name}: {text}" for name, text in headers.items()))
