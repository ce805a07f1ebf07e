"""Shows some of what the example puts out: the first enriched trades, one bar per symbol, one dead letter of each kind.

Reads the lines of `weir run --embedded`: {"topic": …, "key": …, "value": …}.
"""

import json
import sys

ENRICHED = 5
shown = {"trades.enriched": 0}
symbols, reasons = set(), set()


def show(title, value):
    if title:
        print(f"\n{title}")
    print("  " + json.dumps(value, separators=(", ", ": ")), flush=True)


for line in sys.stdin:
    record = json.loads(line)
    topic, value = record["topic"], record["value"]
    if topic == "trades.enriched":
        if shown[topic] < ENRICHED:
            show("" if shown[topic] else "enriched trades", value)
        shown[topic] += 1
    elif topic == "vwap.1s":
        if value["symbol"] not in symbols:
            show("" if symbols else "one bar per symbol", value)
            symbols.add(value["symbol"])
    elif topic == "trades.dead":
        reason = value.get("reason") if isinstance(value, dict) else None
        if reason not in reasons:
            show("" if reasons else "dead letters, one of each reason", value)
            reasons.add(reason)
