#!/usr/bin/env python3
"""How a pipeline starts on a real broker: the topics that it has for itself, what topics hold, brokers that are too old, fewer
workers than before, and a version of it without what an earlier one had."""

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

import passed_cases
from harness import HERE, Kafka, Peer, Pipeline, build, changed, until
from kafka_broker import KafkaBroker
from late_broker import LateBroker

START_MS = 1_767_344_400_000  # 2026-01-02T09:00:00Z
PARTITIONS = 6
CREATE = re.compile(r"kafka-topics\.sh --bootstrap-server (\S+) --create --topic (\S+) --partitions (\d+)"
                    r"((?: --config [^\s\"]+)*)")
ACLS = "org.apache.kafka.tools.AclCommand"
REKEY = "rekeyed_counts.counts.window.rekey.rekey"
OWN = {"rekeyed_counts.trades.changelog", REKEY, "rekeyed_counts.counts.window.rekey.changelog"}

# Of rekeyed_counts.weir.
WITHOUT_WINDOWS = ("""  | window tumbling 1s by account { on late drop }
  | aggregate { account, start: window.start, n: count() }
""", "  | select { account, id }\n")

scratch = None
binary = None
offsets_binary = None  # the same pipeline without windows, at least once


def setUpModule():
    global scratch, binary, offsets_binary
    scratch = tempfile.mkdtemp(prefix="weir-starts-")
    source = os.path.join(HERE, "rekeyed_counts.weir")
    binary = build(source, scratch)
    plain = changed(source, os.path.join(scratch, "plain.weir"), WITHOUT_WINDOWS,
                    ("version 1\n", "version 1 {\n  deliver: at_least_once\n}\n"))
    offsets_binary = build(plain, scratch)


def tearDownModule():
    shutil.rmtree(scratch, ignore_errors=True)


class TestCase(unittest.TestCase):
    def setUp(self):
        self.binary = binary
        self.directory = tempfile.mkdtemp(dir=scratch)
        self.broker = self.make_broker()
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.kafka = Kafka(self.broker)
        self.kafka.create("trades", PARTITIONS)
        self.kafka.create("counts", PARTITIONS)

    def make_broker(self):
        return KafkaBroker()

    def start(self, *arguments, session_ms=6000, **how):
        pipeline = Pipeline(self.binary, self.directory, "--set", f"brokers={self.broker.bootstrap}",
                            f"--kafka.session.timeout.ms={session_ms}", *arguments)
        self.addCleanup(pipeline.kill)
        return pipeline.start(**how)

    def refused(self, code, *arguments):
        """What a start says that must end with this exit code."""
        pipeline = self.start(*arguments, wait_ready=False)
        self.assertEqual(pipeline.process.wait(60), code, pipeline.log()[-3000:])
        return "\n".join(json.loads(line)["msg"] for line in pipeline.log().splitlines())

    def check(self, *arguments, code=0):
        result = subprocess.run([self.binary, "check", "--set", f"brokers={self.broker.bootstrap}", *arguments],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=60)
        self.assertEqual(result.returncode, code, result.stdout)
        return result.stdout

    def trades(self, first, count):
        self.kafka.write({"topic": "trades", "key": f"S{i}", "value": json.dumps(
            {"id": i, "symbol": f"S{i}", "account": f"a{i % 7}", "ts": START_MS + i * 100})}
            for i in range(first, first + count))

    def finish(self):
        """Runs until everything that is there is read and written."""
        pipeline = self.start("--stop-at-end", "--leave", wait_ready=False)
        self.assertEqual(pipeline.process.wait(90), 0, pipeline.log()[-3000:])
        return pipeline

    def warnings(self, pipeline):
        lines = [json.loads(line) for line in pipeline.log().splitlines()]
        return [line["msg"] for line in lines if line["level"] == "warning"]


class OwnTopics(TestCase):
    def test_with_no_create_a_missing_topic_is_an_error_that_holds_every_command(self):
        message = self.refused(4, "--no-create")
        commands = {m[2]: m for m in CREATE.finditer(message)}
        self.assertEqual(set(commands), OWN)
        self.assertEqual(self.kafka.topics(), {"trades", "counts"})
        # The administrator's look beforehand: the same commands; without the flag they are no error. Nothing is made.
        text = self.check("--no-create", code=4)
        self.assertEqual({m[0] for m in CREATE.finditer(text)}, {m[0] for m in commands.values()})
        text = self.check()
        for topic in OWN:
            self.assertRegex(text, f"ok +topic `{topic}`: which .*, {PARTITIONS} partitions, which the start makes")
        self.assertEqual(self.kafka.topics(), {"trades", "counts"})

        for _, topic, partitions, configs in (commands[t].groups() for t in OWN):
            self.assertEqual(int(partitions), PARTITIONS)
            self.kafka._tool("create", topic, partitions, *configs.split()[1::2])
        self.trades(0, 100)
        pipeline = self.start("--no-create", "--stop-at-end", "--leave", wait_ready=False)
        self.assertEqual(pipeline.process.wait(90), 0, pipeline.log()[-3000:])
        self.assertEqual([w for w in self.warnings(pipeline) if "instead of" in w], [])
        self.assertNotIn("which the start makes", self.check("--no-create"))

    def test_with_no_create_partitions_that_are_lacking_are_told_with_the_command(self):
        self.trades(0, 50)
        self.finish()
        self.kafka.grow("trades", PARTITIONS + 2)
        message = self.refused(4, "--no-create")
        command = f"--alter --topic rekeyed_counts.trades.changelog --partitions {PARTITIONS + 2}"
        self.assertIn(command, message)
        self.assertIn(command, self.check("--no-create", code=4))
        self.assertNotIn("--create", message)
        self.kafka.grow("rekeyed_counts.trades.changelog", PARTITIONS + 2)
        self.start("--no-create").kill()

    def test_settings_that_cost_something_are_a_warning(self):
        self.kafka.create("rekeyed_counts.trades.changelog", PARTITIONS, cleanup_policy="compact", segment_ms="86400000")
        pipeline = self.start("--workers", "2")
        said = [w for w in self.warnings(pipeline) if "instead of" in w]
        self.assertEqual(len(said), 1, said)  # once, whatever the number of workers
        self.assertIn("`rekeyed_counts.trades.changelog`", said[0])
        self.assertIn("segment.ms=86400000 instead of 600000", said[0])
        self.assertIn("kafka-configs.sh", said[0])
        self.assertEqual(pipeline.stop(), 0)
        self.assertIn("segment.ms=86400000", self.check())

    def test_rows_that_would_go_by_their_age_are_refused(self):
        self.kafka.create(REKEY, PARTITIONS, retention_ms="3600000")
        message = self.refused(4)
        self.assertIn("retention.ms=3600000 instead of -1", message)
        self.assertIn(f"--entity-name {REKEY} --add-config retention.ms=-1", message)
        self.assertIn("retention.ms=3600000", self.check(code=4))


class NoOffsets(TestCase):
    """Without state a first start cannot be told from one behind offsets that have expired: the log says where it begins."""

    def said(self, *arguments):
        pipeline = self.start("--leave", "--workers", "1", *arguments)
        until(lambda: self.kafka.committed("rekeyed_counts", "trades", PARTITIONS).count(-1) == 0, 60, "every partition has an offset")
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])
        said = re.findall(r"the group has no offset for [^\"]*", pipeline.log())
        os.unlink(pipeline.log_path)
        return said

    def begins_and_tells(self, of, start_and_begin):
        for start, begin in start_and_begin:
            self.assertEqual(self.said("--start", start), [
                f"the group has no offset for {PARTITIONS} of the {PARTITIONS} partitions of {of} that are read here: "
                f"as at a first start they begin at {begin}"])
            self.assertEqual(self.said(), [])
            subprocess.run([self.binary, "reset", "--yes", "--set", f"brokers={self.broker.bootstrap}"], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=self.directory, timeout=120)

    def test_where_offsets_alone_are_committed(self):
        self.binary = offsets_binary
        self.trades(0, 200)
        self.begins_and_tells("topic `trades`", (("earliest", "their earliest records"), ("latest", "their ends"),
                                                 ("2020-01-01", "the first records that are not before the time of `start`")))

    def test_with_transactions_and_no_state(self):
        source = os.path.join(HERE, "rekeyed_counts.weir")
        self.binary = build(changed(source, os.path.join(self.directory, "rekeyed_counts.weir"), WITHOUT_WINDOWS), self.directory)
        at = lambda offsets: ", ".join(f"{offset} (partition {p})" for p, offset in enumerate(offsets))
        self.trades(0, 200)
        ends = sorted((end["partition"], end["stable"]) for end in self.kafka.ends("trades"))
        self.begins_and_tells("source `trades`", (("earliest", at([0] * PARTITIONS)), ("latest", at(end for _, end in ends))))


class DamagedChangelog(TestCase):
    def test_a_damaged_change_is_refused_and_a_reset_begins_without_it(self):
        self.trades(0, 50)
        self.finish()
        before = self.kafka.count("counts")
        changes = [r for r in self.kafka.read("rekeyed_counts.counts.window.rekey.changelog") if "value64" in r]
        change = changes[-1]
        value = bytearray(base64.b64decode(change["value64"]))
        value[len(value) // 2] ^= 1
        damaged = {name: change[name] for name in ("topic", "partition", "key", "key64") if name in change}
        self.kafka.write([{**damaged, "value64": base64.b64encode(value).decode()}])
        message = self.refused(3)
        self.assertIn(change["topic"], message)
        self.assertIn("damaged", message)
        self.assertIn("`reset`", message)
        self.assertEqual(self.kafka.count("counts"), before)
        subprocess.run([self.binary, "reset", "--yes", "--set", f"brokers={self.broker.bootstrap}", "--state-dir",
                        os.path.join(self.directory, "state")], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       timeout=120)
        self.finish()


class CompactedInput(TestCase):
    """Most of what was written is gone, as the broker thins it out."""

    def make_broker(self):
        return KafkaBroker(properties={"log.cleaner.backoff.ms": "200"})

    def ids(self, topic):
        return [json.loads(r["value"])["id"] for r in self.kafka.read(topic) if "value" in r]

    def rewrite(self, first, count):
        """The same ten keys, again and again."""
        self.kafka.write({"topic": "trades", "key": f"S{i % 10}", "value": json.dumps(
            {"id": i, "symbol": f"S{i % 10}", "account": "a", "ts": START_MS + i})} for i in range(first, first + count))

    def until_compacted(self, first):
        """Writes from this one on until it is gone; the next."""
        at = first

        def gone():
            nonlocal at
            self.rewrite(at, 20)
            at += 20
            return first not in self.ids("trades")

        until(gone, 60, f"record {first} is gone")
        return at

    def test_a_compacted_input_is_read_as_it_is(self):
        self.kafka.delete("trades")
        self.kafka.create("trades", 1, cleanup_policy="compact", segment_ms=200, min_cleanable_dirty_ratio="0.01",
                          delete_retention_ms=0)
        source = os.path.join(HERE, "rekeyed_counts.weir")
        self.binary = build(changed(source, os.path.join(scratch, "unwindowed.weir"), WITHOUT_WINDOWS), scratch)
        at = self.until_compacted(0)
        self.kafka.write([{"topic": "trades", "key": "S3"}])  # S3 is to be forgotten
        self.finish()
        came = self.ids("counts")
        self.assertEqual(came, sorted(set(came)))
        self.assertLess(len(came), at)
        self.assertTrue(set(self.ids("trades")) <= set(came), "what is still there did not come out")
        # It goes on where it stood, and there is nothing any more.
        self.until_compacted(at)
        self.finish()
        now = self.ids("counts")
        self.assertEqual(now, sorted(set(now)))
        self.assertEqual(now[:len(came)], came)
        self.assertNotIn(at, now)
        self.assertTrue(set(self.ids("trades")) <= set(now), "what is still there did not come out")


class OldBroker(TestCase):
    """What Kafka 3.6 says of itself."""

    def make_broker(self):
        return LateBroker(newest={0: 9, 1: 15})

    def test_a_broker_that_is_too_old_for_exactly_once_is_refused(self):
        for message in (self.refused(4), self.check(code=4)):
            self.assertIn(self.broker.bootstrap, message)
            self.assertIn("3.5 or 3.6", message)
            self.assertIn("need Kafka 3.7", message)
            self.assertNotIn("deliver", message)  # its windows are in Kafka at least once too
        self.assertEqual(self.kafka.topics(), {"trades", "counts"})

    def test_and_serves_a_pipeline_that_is_at_least_once(self):
        self.binary = offsets_binary
        self.trades(0, 20)
        self.finish()
        self.assertEqual(self.kafka.count("counts"), 20)


class OneStateDirectory(TestCase):
    def test_a_version_that_keeps_its_state_in_kafka_does_not_begin_beside_a_state(self):
        source = changed(os.path.join(HERE, "rekeyed_counts.weir"), os.path.join(self.directory, "rekeyed_counts.weir"),
                         more=f'\nsink counts_file from counts = ndjson("{self.directory}/counts.ndjson")\n')
        self.binary = build(source, self.directory)
        self.trades(0, 20)
        self.assertEqual(self.start().stop(), 0)
        self.binary = binary
        state = os.path.join(self.directory, "state")
        for message in (self.refused(3), self.check("--state-dir", state, code=4)):
            self.assertIn(state, message)
            self.assertIn("another directory with --state-dir", message)
        self.assertEqual(self.kafka.topics(), {"trades", "counts"})
        self.assertEqual(self.start("--state-dir", os.path.join(self.directory, "other")).stop(), 0)

    def test_a_second_copy_on_a_given_directory_is_refused(self):
        first = self.start()
        message = self.refused(7)
        self.assertIn(f"another process uses the state directory {first.state_dir}", message)
        self.assertIn("--state-dir", message)
        self.assertEqual(first.get("readyz")[0], 200)
        self.assertEqual(first.stop(), 0)

    def test_a_second_copy_where_the_first_has_its_default_directory_does_without(self):
        def copy(name):
            pipeline = Pipeline(self.binary, self.directory, "--set", f"brokers={self.broker.bootstrap}",
                                "--kafka.session.timeout.ms=6000")
            pipeline.state_dir = None
            pipeline.log_path = os.path.join(self.directory, name)
            self.addCleanup(pipeline.kill)
            return pipeline.start()

        first = copy("first.log")
        default = os.path.join(self.directory, "rekeyed_counts.state")
        self.assertTrue(os.path.exists(os.path.join(default, "instance")))
        second = copy("second.log")
        self.assertIn("this copy keeps no place in the group over a restart", second.log())
        self.assertNotIn("keeps no place", first.log())
        holds = lambda pipeline: pipeline.get("metrics")[1].count("weir_source_lag_records{")
        until(lambda: holds(first) and holds(second), 60, "both have partitions")
        self.assertEqual(first.stop(), 0)
        self.assertEqual(second.stop(), 0)
        self.assertEqual([name for name in os.listdir(self.directory) if name.endswith(".state")], ["rekeyed_counts.state"])


class FormerStages(TestCase):
    """A version of the pipeline that has a source, or a re-keying, no more. Of the topics that an earlier one had for it, what
    waits there is not lost in silence."""

    # What the earlier version has besides: a source whose requests wait in a changelog.
    ORDERS = """
param url: string

connection refs = http { url: url, connections: 192 }

record Order   { id: int64 }
record Account { id: string, tier: string }

source orders: Order = main.topic("orders") { format: json, on bad drop }

lookup account(id: int64) -> Account = refs.get("/orders/{id}") { in_flight: 400, timeout: 60s }

stream answered = orders
  | lookup account(id) as a { order none, on missing drop, on failed drop }
  | select { id, tier: a.tier }

sink answered_out from answered = main.topic("answered") { format: json }
"""
    # And one that asks nobody.
    PLAIN = """
record Order { id: int64 }

source orders: Order = main.topic("orders") { format: json, on bad drop }

stream answered = orders
  | select { id }

sink answered_out from answered = main.topic("answered") { format: json }
"""
    CHANGELOG = "rekeyed_counts.orders.changelog"
    READERS = "rekeyed_counts.counts.window.rekey.changelog"  # whoever reads the rows of REKEY

    def make_broker(self):
        return KafkaBroker(properties={"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                                       "allow.everyone.if.no.acl.found": "true"})

    def setUp(self):
        super().setUp()
        self.peer = Peer()
        self.addCleanup(self.peer.close)
        self.url = ("--set", f"url={self.peer.url}", "--grace", "200ms")

    def version(self, *changes, name="version", more=""):
        path = os.path.join(self.directory, name, "rekeyed_counts.weir")
        return build(changed(os.path.join(HERE, "rekeyed_counts.weir"), path, *changes, more=more), os.path.dirname(path))

    def with_orders(self, *changes, name="orders"):
        if "orders" not in self.kafka.topics():
            self.kafka.create("orders", PARTITIONS)
            self.kafka.create("answered", PARTITIONS)
        return self.version(*changes, name=name, more=self.ORDERS)

    @staticmethod
    def stream_of_trades():
        """Everything from the source on, to be replaced by nothing."""
        with open(os.path.join(HERE, "rekeyed_counts.weir"), encoding="utf-8") as file:
            text = file.read()
        return text[text.index("record Trade"):], ""

    def leave_waiting(self, group="rekeyed_counts", count=50):
        """The version at hand has read the orders, and ended while their requests wait."""
        self.peer.tell("set?order=hold")
        earlier = self.start(*self.url, "--leave")
        self.kafka.write({"topic": "orders", "key": str(i), "value": json.dumps({"id": i})} for i in range(count))
        until(lambda: sum(self.kafka.committed(group, "orders", PARTITIONS)) == count, 60, "offsets pass what waits")
        self.assertEqual(earlier.stop(), 0)

    def start(self, *arguments, **how):
        """With a log of its own."""
        log = os.path.join(self.directory, "rekeyed_counts.log")
        if os.path.exists(log):
            os.unlink(log)
        return super().start(*arguments, **how)

    def operate(self, *arguments):
        return subprocess.run([self.binary, *arguments, "--set", f"brokers={self.broker.bootstrap}", "--state-dir",
                               os.path.join(self.directory, "state")], check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, timeout=120).stdout

    def starts(self, *arguments):
        """What a start of the version at hand warns of, about topics of earlier ones."""
        pipeline = self.start("--leave", *arguments)
        said = [w for w in self.warnings(pipeline) if "earlier version" in w]
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])
        return said

    def gone(self, *topics):
        try:
            return not self.kafka.topics() & set(topics)
        except RuntimeError:  # one is half gone
            return False

    def deny(self, operation, topic):
        self.broker.tool(ACLS, "--add", "--deny-principal", "User:ANONYMOUS", "--operation", operation, "--topic", topic)

    def test_a_version_without_a_source_forgets_none_of_its_requests(self):
        earlier = self.binary = self.with_orders()
        self.leave_waiting()
        self.binary = binary
        refused = self.refused(3)
        with open(os.path.join(self.directory, "rekeyed_counts.log"), encoding="utf-8") as log:
            self.assertIn('"at":"rekeyed_counts.weir:6"', log.read())  # the connection
        for message in (refused, self.check(code=4)):
            for part in (self.CHANGELOG, "`orders`", "holds 50 pending requests of `answered.a`", "(version 1)", "`state list`",
                         f"--bootstrap-server {self.broker.bootstrap} --delete --topic {self.CHANGELOG}", "`reset`"):
                self.assertIn(part, message)
        self.assertIn(f"deletes topic {self.CHANGELOG}, which held the state of `orders` in an earlier version: 50 pending "
                      "requests of `answered.a`\n", self.operate("reset", "--dry-run"))

        # The version that asked them ends them.
        self.binary = earlier
        self.peer.tell("set?order=each")
        pipeline = self.start(*self.url, "--leave")
        until(lambda: self.kafka.count("answered") == 50, 60, "all answers")
        self.assertEqual(pipeline.stop(), 0)
        self.binary = binary
        said = self.starts("--workers", "2")
        self.assertEqual(len(said), 1, said)  # once, whatever the number of workers
        self.assertIn(f"`{self.CHANGELOG}`", said[0])
        self.assertIn("nothing waits in it", said[0])
        self.assertIn(f"--delete --topic {self.CHANGELOG}", said[0])
        self.assertIn(said[0], self.check())
        self.assertIn(f"deletes topic {self.CHANGELOG}, which held", self.operate("reset", "--yes"))
        self.assertNotIn(self.CHANGELOG, self.kafka.topics())
        self.assertEqual(self.starts(), [])

    def test_a_version_without_a_rekeying_forgets_none_of_its_rows(self):
        self.trades(0, 20)
        self.finish()
        # What is read from now on is written with the last commit, and nobody reads it.
        pipeline = self.start("--leave", "--commit-interval", "5m")
        self.trades(20, 100)
        until(lambda: re.search(r'weir_records_read_total\{[^}]*step="trades"\} 100\b', pipeline.get("metrics")[1]), 60, "all are read")
        self.assertEqual(pipeline.stop(), 0)
        self.binary = self.version(WITHOUT_WINDOWS)
        for message in (self.refused(3), self.check(code=4)):
            self.assertRegex(message, r"holds [1-9]\d* rows that nobody has read")  # all, unless it had to commit before
            for part in (f"`{REKEY}`", "--stop-at-end", f"--delete --topic {REKEY}", f"`{self.READERS}`", "of `counts.window`"):
                self.assertIn(part, message)
        self.binary = binary
        self.finish()
        self.binary = self.version(WITHOUT_WINDOWS)
        message = self.refused(3)
        self.assertNotIn("rows that nobody has read", message)
        # Its windows would wait for ever: they are given up as the message says.
        self.assertIn(f"--delete --topic {self.READERS}\n", message)
        self.assertIn(f"--delete --topic {REKEY}\n", message)
        for topic in (self.READERS, REKEY):
            self.kafka.delete(topic)
        until(lambda: self.gone(self.READERS, REKEY), 60, "they are gone")
        self.assertEqual(self.starts(), [])

    def test_one_that_has_no_state_at_all_does_not_forget_it_either(self):
        at_least_once = ("pipeline rekeyed_counts version 1", "pipeline rekeyed_counts version 1 { deliver: at_least_once }")
        windows = self.stream_of_trades()
        self.binary = self.version(at_least_once, name="both", more=self.PLAIN)
        self.kafka.create("orders", PARTITIONS)
        self.kafka.create("answered", PARTITIONS)
        self.trades(0, 20)
        self.finish()
        self.binary = self.version(at_least_once, windows, name="plain", more=self.PLAIN)
        for message in (self.refused(3), self.check(code=4)):
            self.assertIn(self.READERS, message)
            self.assertRegex(message, "holds [0-9]+ open windows? of `counts.window`")
        self.assertIn(f"deletes topic {self.READERS}, which held", self.operate("reset", "--yes"))
        self.assertEqual(self.kafka.topics(), {"trades", "counts", "orders", "answered"})
        self.assertEqual(self.starts(), [])

    def test_topics_of_a_pipeline_whose_name_begins_alike_are_its_own(self):
        self.binary = self.with_orders(("pipeline rekeyed_counts", "pipeline `rekeyed_counts.b`"))
        self.leave_waiting("rekeyed_counts.b")
        self.binary = binary
        self.assertEqual(self.starts(), [])
        self.assertNotIn("rekeyed_counts.b", self.check())
        theirs = {topic for topic in self.kafka.topics() if topic.startswith("rekeyed_counts.b.")}
        self.assertIn("rekeyed_counts.b.orders.changelog", theirs)
        self.assertNotIn("rekeyed_counts.b", self.operate("reset", "--yes"))
        self.assertLessEqual(theirs, self.kafka.topics())

    def test_without_rights_on_them_it_says_what_it_cannot_tell(self):
        self.binary = self.with_orders()
        self.leave_waiting()
        self.binary = binary
        self.deny("Read", self.CHANGELOG)
        self.broker.tool(ACLS, "--add", "--allow-principal", "User:*", "--operation", "All", "--topic", self.CHANGELOG)
        said = self.starts()
        self.assertEqual(len(said), 1, said)
        self.assertIn(f"topic `{self.CHANGELOG}` cannot be read", said[0])
        self.assertIn("leaves  topic `" + self.CHANGELOG, self.operate("reset", "--dry-run"))
        self.deny("Describe", self.CHANGELOG)
        self.assertEqual(self.starts(), [])


class TwoConnections(TestCase):
    """Both lead to one cluster, so that all members are in one group."""

    def setUp(self):
        super().setUp()
        self.kafka.create("orders", PARTITIONS)

    def build(self, *changes):
        path = os.path.join(self.directory, "two_connections.weir")
        self.binary = build(changed(os.path.join(HERE, "two_connections.weir"), path, *changes), self.directory)

    def write(self, topic, first, last):
        self.kafka.write({"topic": topic, "key": str(i), "value": json.dumps({"id": i})} for i in range(first, last))

    def outputs(self):
        return sorted(json.loads(record["value"])["id"] for record in self.kafka.read("counts"))

    def places(self):
        return sorted(m["instance"][32:] for m in self.kafka.members("two_connections"))

    def test_their_members_have_places_of_their_own(self):
        self.build()
        self.write("trades", 0, 200)
        self.write("orders", 200, 400)
        pipeline = self.start("--workers", "2", session_ms=60_000)
        until(lambda: self.outputs() == list(range(400)), 60, "the records of both")
        self.assertEqual(self.places(), ["-0", "-1", "-two-0", "-two-1"])
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])
        # All four are kept for a restart, and those that it does not take are left.
        self.assertEqual(self.places(), ["-0", "-1", "-two-0", "-two-1"])
        again = self.start("--workers", "1", session_ms=60_000)
        self.write("trades", 400, 500)
        self.write("orders", 500, 600)
        until(lambda: self.outputs() == list(range(600)), 60, "the records of both")
        self.assertEqual(self.places(), ["-0", "-two-0"])
        self.assertEqual(again.stop(), 0, again.log()[-3000:])

    def test_a_topic_that_both_read_in_one_group_is_refused(self):
        both = ('two.topic("orders")', 'two.topic("trades")')
        self.build(both)
        self.check(code=4)
        for text in (self.refused(4), self.check(code=4)):
            for part in ("`orders`", "source `trades` (line 13)", "`one`", "`two`", "in the same group, `two_connections`"):
                self.assertIn(part, text)
        self.assertEqual(self.places(), [])
        self.build(both, ("two = kafka { brokers: brokers }", 'two = kafka { brokers: brokers, group: "beside" }'))
        self.assertNotIn("same cluster", self.check())
        self.write("trades", 0, 200)
        self.start()
        until(lambda: self.outputs() == sorted(2 * list(range(200))), 60, "each record from both")


class Members(TestCase):
    SESSION_MS = 290_000  # nothing that is seen here waited for it

    def members(self):
        return self.kafka.members("rekeyed_counts")

    @staticmethod
    def partitions_of(members):
        """By member, of the source."""
        mine = {m["instance"] or m["member"]: [p for t, p in m["partitions"] if t == "trades"] for m in members}
        return {name: sorted(partitions) for name, partitions in mine.items() if partitions}

    def reads_everything(self, name):
        return self.partitions_of(self.members()) == {name: list(range(PARTITIONS))}

    def beside(self, *arguments):
        """Another copy, with a state directory of its own."""
        pipeline = Pipeline(self.binary, tempfile.mkdtemp(dir=scratch), "--set", f"brokers={self.broker.bootstrap}",
                            f"--kafka.session.timeout.ms={self.SESSION_MS}", *arguments)
        self.addCleanup(pipeline.kill)
        return pipeline.start(wait_ready=False)


class Leaving(Members):
    """A copy that is to leave ends while the group waits for another one, so that no request of its own is heard."""

    def setUp(self):
        super().setUp()
        self.first = self.start(session_ms=self.SESSION_MS)
        until(lambda: len(self.partitions_of(self.members())) == 1, 60, "the first copy has partitions")
        self.name = self.members()[0]["instance"]

    def pause(self):
        os.kill(self.first.process.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.first.process.pid, signal.SIGCONT)

    def goes_on(self, others=0):
        """Alone with its partitions, long before any session has ended."""
        os.kill(self.first.process.pid, signal.SIGCONT)
        until(lambda: len(self.members()) == 1 + others, 40, "the copy that left has no place")
        shared = lambda: self.partitions_of(self.members())
        until(lambda: len(shared()) == 1 + others and sum(map(len, shared().values())) == PARTITIONS and self.name in shared(),
              40, "whoever is left has all partitions")

    def test_before_it_was_given_anything(self):
        self.pause()
        leaving = self.beside("--leave")
        until(lambda: len(self.members()) == 2, 60, "the group knows it")
        self.assertEqual(leaving.stop(), 0, leaving.log()[-3000:])
        self.assertIn("when the group's members have joined again", leaving.log())
        self.goes_on()

    def test_while_a_third_one_joins(self):
        leaving = self.beside("--leave")
        until(lambda: len(self.partitions_of(self.members())) == 2, 60, "both have partitions")
        self.pause()
        self.beside()
        until(lambda: len(self.members()) == 3, 60, "the group knows it")
        until(lambda: "weir_source_lag_records{" not in leaving.get("metrics")[1], 60, "the group asks it to join again")
        # It is heard if it is quicker than its own request to join, and else leaves by its name.
        self.assertEqual(leaving.stop(), 0, leaving.log()[-3000:])
        self.goes_on(others=1)


class FewerWorkers(Members):
    def stopped_with(self, workers):
        """A run that has ended, and keeps its places."""
        pipeline = self.start("--workers", str(workers), session_ms=self.SESSION_MS)
        until(lambda: len(self.partitions_of(self.members())) == workers, 60, "all workers have partitions")
        self.assertEqual(pipeline.stop(), 0, pipeline.log()[-3000:])
        places = self.members()
        self.assertEqual(sorted(m["instance"][-2:] for m in places), [f"-{i}" for i in range(workers)])
        return places

    def test_a_start_with_fewer_workers_gives_the_others_places_up(self):
        places = self.stopped_with(3)
        first = next(m["instance"] for m in places if m["instance"].endswith("-0"))
        pipeline = self.start("--workers", "1", session_ms=self.SESSION_MS)
        until(lambda: self.reads_everything(first), 60, "the one worker has all partitions")
        self.assertEqual([m["instance"] for m in self.members()], [first])
        self.assertIn("left the places of 2 workers", pipeline.log())
        self.trades(0, 200)
        until(lambda: self.kafka.committed("rekeyed_counts", "trades", PARTITIONS) != [-1] * PARTITIONS and
              sum(max(n, 0) for n in self.kafka.committed("rekeyed_counts", "trades", PARTITIONS)) == 200, 60, "all is read")
        self.assertEqual(pipeline.stop(), 0)
        # And more of them again.
        self.start("--workers", "2", session_ms=self.SESSION_MS)
        until(lambda: len(self.partitions_of(self.members())) == 2, 60, "both workers have partitions")

    def test_a_copy_that_is_to_leave_takes_its_place_again_and_gives_it_up_at_its_end(self):
        first = next(m["instance"] for m in self.stopped_with(2) if m["instance"].endswith("-0"))
        pipeline = self.start("--workers", "1", "--leave", session_ms=self.SESSION_MS)
        until(lambda: self.reads_everything(first), 60, "it has all partitions")
        self.assertEqual([m["instance"] for m in self.members()], [first])
        self.assertIn("left the places of 1 worker", pipeline.log())
        self.assertEqual(pipeline.stop(), 0)
        self.assertEqual(self.members(), [])

    def test_a_group_that_waits_for_its_members_is_no_obstacle(self):
        """Another copy has joined since: the group waits for places that nobody takes before it goes on."""
        self.stopped_with(3)
        self.beside("--leave")
        until(lambda: len(self.members()) == 4, 60, "the other copy has joined")
        self.start("--workers", "1", session_ms=self.SESSION_MS, wait_ready=False)
        until(lambda: len(self.partitions_of(self.members())) == 2 and len(self.members()) == 2, 90,
              "two members share all partitions")


if __name__ == "__main__":
    passed_cases.main()
