#!/usr/bin/env python3
"""A whole pipeline whose brokers are changed under it: rights withdrawn, quotas, topics made anew, logs that lost their
ends, another version of transactions. It goes on, or it ends with a message that says what to do; nothing is lost or there
twice."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import passed_cases  # noqa: E402
from harness import now, until  # noqa: E402
from kafka_broker import KafkaBroker  # noqa: E402
from process import free_port  # noqa: E402
from under_way import UnderWay  # noqa: E402

SESSION = ("--kafka.session.timeout.ms=6000", "--kafka.heartbeat.interval.ms=500")
ACLS = "org.apache.kafka.tools.AclCommand"
LOST = "has lost records that were read already"
REFUSED_S = 10  # who is refused for longer ends
MADE_ANEW = "was deleted and made anew"

# Where something is declared: "sink none_out".
with open(os.path.join(HERE, "crash.weir")) as source:
    LINES = {" ".join(line.replace(":", " ").split()[:2]): number for number, line in enumerate(source, 1)}


class BrokerFaults(UnderWay):
    def operate(self, pipeline, *command):
        """One of the operator's commands, with the settings of a pipeline that was stopped."""
        result = subprocess.run([pipeline.binary, *command, "--state-dir", os.path.join(pipeline.directory, "state"),
                                 *(a for a in pipeline.arguments if a != "--leave")], env=pipeline.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stdout)


class TopicMadeAnew(BrokerFaults):
    def make_anew(self, count):
        """The topic of the orders is deleted and made anew, and gets so many others than it had."""
        self.kafka.delete("orders")
        self.kafka.create("orders", 1)
        self.write(count)

    def refused_and_begun_again(self, pipeline, anew):
        pipeline.start(wait_ready=False)
        self.ends_with(pipeline, 3, MADE_ANEW, "reset --to earliest --keep-state")
        self.operate(pipeline, "reset", "--to", "earliest", "--keep-state", "--yes")
        pipeline.start()
        self.until_read(anew)
        self.stops(pipeline)
        self.all_came_out_once()
        pipeline.start()  # its own offsets are no reason
        self.stops(pipeline)

    def test_a_topic_made_anew_is_not_read_on_as_the_old_one(self):
        self.prepare(KafkaBroker().start(), 1500)
        pipeline = self.copy("--leave").start()
        self.write(500)
        self.until_read()
        self.stops(pipeline)
        self.make_anew(1000)
        self.refused_and_begun_again(pipeline, 1000)


class LostByTheBroker(BrokerFaults):
    """What a broker acknowledged is gone: as after an unclean election."""

    def read_and_lost(self, topic, share):
        """A pipeline that has read all and was stopped, on a broker that has lost the rest of a topic; and where it ends."""
        self.prepare(KafkaBroker().start(), 2000)
        pipeline = self.copy("--leave").start()
        for _ in range(5):
            self.write(100)
            self.until_read()
        self.stops(pipeline)
        return pipeline, self.lose(topic, share)

    def lose(self, topic, share):
        (ends,) = self.kafka.ends(topic)
        self.broker.kill()
        end = self.broker.cut_log(topic, 0, int(ends["written"] * share))
        self.assertTrue(0 < end < ends["written"])
        self.broker.start()
        return end

    def go_on(self, pipeline, lost_from):
        """With what is there now. What was lost had come out before, and what took its place had not."""
        self.operate(pipeline, "reset", "--to", f"orders/0@{lost_from}", "--keep-state", "--yes")
        pipeline.start()
        self.until_read(lost_from + self.written - 500)
        self.stops(pipeline)
        self.all_came_out_once()

    def test_a_topic_that_lost_what_was_read_and_has_other_records_is_not_read_on(self):
        pipeline, end = self.read_and_lost("orders", 0.7)
        self.write(600)  # more than were lost
        pipeline.start(wait_ready=False)
        self.ends_with(pipeline, 7, LOST, "orders")
        self.go_on(pipeline, end)

    def test_a_reset_to_where_it_stands_goes_on_with_what_is_there(self):
        pipeline, end = self.read_and_lost("orders", 0.7)
        self.write(600)
        pipeline.start(wait_ready=False)
        self.ends_with(pipeline, 7, LOST, "orders")
        self.operate(pipeline, "reset", "--to", "orders/0@500", "--keep-state", "--yes")
        pipeline.start()
        self.until_read(end + 600)
        self.stops(pipeline)

    def test_the_same_while_it_runs(self):
        self.prepare(KafkaBroker().start(), 2000)
        pipeline = self.copy(*SESSION).start()
        for _ in range(5):
            self.write(100)
            self.until_read()
        pipeline.process.send_signal(signal.SIGSTOP)
        end = self.lose("orders", 0.7)
        self.write(600)
        pipeline.process.send_signal(signal.SIGCONT)
        self.ends_with(pipeline, 7, LOST, "orders")
        self.go_on(pipeline, end)

    def test_a_changelog_that_lost_its_end_is_not_believed(self):
        pipeline, _ = self.read_and_lost("crash.orders.changelog", 0.7)
        pipeline.start(wait_ready=False)
        self.ends_with(pipeline, 3, "the state belongs to")


class RightsWithdrawn(UnderWay):
    def test_rights_that_are_withdrawn_are_named_and_nothing_is_lost(self):
        self.prepare(KafkaBroker(properties={
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true"}).start(), 5000)
        # A resource that has an ACL is for nobody whom none allows.
        self.broker.tool(ACLS, "--add", "--allow-principal", "User:*", "--operation", "All", "--topic", "*", "--group", "*",
                         "--transactional-id", "*", "--cluster")
        pipeline = self.copy(*SESSION)
        for operation, resource, line, *words in (
                ("Read", ("--topic", "orders"), "source orders", "READ", "topic `orders`"),
                ("Write", ("--topic", "priced.none"), "sink none_out", "WRITE on the topic", "topic `priced.none`"),
                ("Write", ("--topic", "crash.orders.changelog"), "source orders", "WRITE on the topic",
                 "topic `crash.orders.changelog`"),
                ("Read", ("--group", "crash"), "connection main", "READ on", "group `crash`"),
                ("Write", ("--transactional-id", "weir-crash", "--resource-pattern-type", "prefixed"), "connection main",
                 "WRITE and DESCRIBE on transactional ids that begin with `weir-`")):
            with self.subTest(resource=resource):
                if os.path.exists(pipeline.log_path):
                    os.unlink(pipeline.log_path)
                acl = ("--deny-principal", "User:ANONYMOUS", "--operation", operation, *resource)
                pipeline.start()
                writer = self.write_slowly(800, 200)
                self.until_some_came_out(self.written - 700)
                self.broker.tool(ACLS, "--add", *acl)
                try:
                    self.ends_with(pipeline, 4)
                finally:
                    pipeline.kill()
                    self.broker.tool(ACLS, "--remove", "--force", *acl)
                (error,) = (e for e in map(json.loads, pipeline.log().splitlines()) if e["level"] == "error")
                for word in words:
                    self.assertIn(word, error["msg"])
                self.assertEqual(error["at"], f"crash.weir:{LINES[line]}")
                self.assertEqual(writer.wait(60), 0)
        pipeline.start()
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()


class Users(UnderWay):
    """Brokers that show a certificate, want a password, and end every connection that does not prove itself again in time."""
    LASTS_S = 2

    def prepare_for_users(self):
        self.prepare(KafkaBroker(users_port=free_port(),
                                 properties={"connections.max.reauth.ms": str(self.LASTS_S * 1000)}).start(), 5000)
        self.broker.set_password("weir", "first")

    def copy_of(self, password, *more, directory=None):
        return self.copy(*SESSION, "--set", f"brokers={self.broker.users_bootstrap}", "--kafka.security.protocol=SASL_SSL",
                         f"--kafka.ssl.ca.location={self.broker.ca}", "--kafka.sasl.mechanism=SCRAM-SHA-256",
                         "--kafka.sasl.username=weir", f"--kafka.sasl.password={password}", *more, directory=directory)

    def refused(self, pipeline, *words):
        """It ends, and names the connection and the source's line."""
        self.ends_with(pipeline, 4, *words)
        (error,) = (e for e in map(json.loads, pipeline.log().splitlines()) if e["level"] == "error")
        self.assertIn("connection `main`", error["msg"])
        self.assertEqual(error.get("at"), f"crash.weir:{LINES['source orders']}", error)
        self.assertNotIn("first", pipeline.log())

    def test_credentials_that_expire_are_renewed_and_others_are_refused(self):
        self.prepare_for_users()
        self.refused(self.copy_of("guess").start(wait_ready=False), "Authentication failed")
        # It shows a certificate that no authority of this machine has signed.
        self.refused(self.copy_of("first", "--kafka.ssl.ca.location=probe").start(wait_ready=False), "certificate verify failed")

        pipeline = self.copy_of("first").start()
        began = now()
        writer = self.write_slowly(1500, 200)
        self.until_read()
        self.assertGreater(now() - began, 3 * self.LASTS_S)
        self.assertEqual(writer.wait(60), 0)
        self.assertNotIn('"level":"error"', pipeline.log())

        self.broker.set_password("weir", "second")
        self.write(500)
        self.refused(pipeline, "Authentication failed")
        pipeline = self.copy_of("second", directory=pipeline.directory).start()
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()


    def test_an_outage_in_the_middle_of_a_handshake_is_no_refusal(self):
        """As with a balancer whose brokers are away: it takes connections and closes them."""
        self.prepare_for_users()
        pipeline = self.copy_of("first").start()
        self.write(300)
        self.until_read()
        self.broker.kill()
        with Closer(self.broker.users_bootstrap) as closer:
            until(lambda: closer.lasted_s > REFUSED_S + 4 or pipeline.process.poll() is not None, 60, "connections are closed")
        self.assertIsNone(pipeline.process.poll(), pipeline.log()[-3000:])
        self.broker.start()
        self.write(300)
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()


class Closer:
    """Takes connections at an address and closes each at once."""

    def __init__(self, address):
        host, port = address.split(":")
        self._listener = socket.create_server((host, int(port)))
        self._first = None
        self.lasted_s = 0  # from the first of them to the last
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.close()
            self._first = self._first or now()
            self.lasted_s = now() - self._first

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class Quotas(UnderWay):
    ORDERS = 1500

    def seconds_for_all(self):
        began = now()
        self.write(self.ORDERS)
        self.until_read()
        return now() - began

    def set_quotas(self, **rates):
        quota = ("--alter", "--entity-type", "clients", "--entity-default")
        rates = ",".join(f"{name}={rate}" if rate else name for name, rate in rates.items())
        self.broker.tool("kafka.admin.ConfigCommand", *quota, "--add-config" if "=" in rates else "--delete-config", rates)

    def test_below_what_an_epoch_needs_it_goes_on_in_smaller_ones(self):
        self.prepare(KafkaBroker(properties={"quota.window.num": "2", "transaction.abort.timed.out.transaction.cleanup.interval.ms":
                                             "500"}).start(), 40 * self.ORDERS)
        # A transaction has two seconds.
        pipeline = self.copy(*SESSION, "--commit-interval", "1s").start()
        self.write(self.ORDERS)
        self.until_read()
        self.assertEqual((self.metric(pipeline, "transactions_aborted_total"), self.limit(pipeline)), (0, 0))
        self.peer.tell("set?delay=6000")  # what is written before the quota holds comes out when it does
        self.write(self.ORDERS)
        self.set_quotas(producer_byte_rate=40_000)
        self.peer.tell("set?delay=0")
        until(lambda: self.limit(pipeline), 60, "commits are kept small")
        until(self.all_done, 300, "all of it goes on under the quota")
        slow = self.metric(pipeline, "transactions_aborted_total")
        print(f"{slow} transactions were aborted; then at most {self.limit(pipeline)} bytes were read for each")
        self.assertGreater(self.limit(pipeline), 0)
        self.assertLess(slow, 20)
        self.assertEqual(pipeline.log().count("keeps its commits small"), 1, pipeline.log()[-3000:])

        self.set_quotas(producer_byte_rate=None)
        for _ in range(19):
            self.write(2 * self.ORDERS)
            until(self.all_done, 60, "all of it goes on")
            if self.limit(pipeline) == 0:
                break
        self.assertEqual(self.limit(pipeline), 0)
        self.stops(pipeline)
        self.all_came_out_once()
        in_order = [json.loads(record["value"])["id"] for record in self.kafka.read("priced.input")]
        self.assertEqual(in_order, list(range(self.written)))

    def all_done(self):
        """Everything that was written is read and has its answer."""
        return self.kafka.count("priced.none") >= self.written

    def metric(self, pipeline, name):
        return int(float(re.search(rf"^weir_{name}\{{[^}}]*\}} (\S+)", pipeline.get("metrics")[1], re.MULTILINE)[1]))

    def limit(self, pipeline):
        return self.metric(pipeline, "commit_limit_bytes")

    def test_throttled_by_quotas_it_is_slow_and_nothing_else(self):
        # Quotas hold from the first second on: not over the last eleven.
        self.prepare(KafkaBroker(properties={"quota.window.num": "2"}).start(), 2 * self.ORDERS)
        pipeline = self.copy().start()
        fast = self.seconds_for_all()
        self.set_quotas(producer_byte_rate=120_000, consumer_byte_rate=80_000)
        slow = self.seconds_for_all()
        self.set_quotas(producer_byte_rate=None, consumer_byte_rate=None)
        print(f"{fast:.1f} s without quotas, {slow:.1f} s with them")
        self.assertGreater(slow, fast + 3)
        self.stops(pipeline)
        for trouble in ("starts anew", "takes an epoch back", "joins again", "session timed out"):
            self.assertNotIn(trouble, pipeline.log())
        self.all_came_out_once()


class TransactionVersion(UnderWay):
    def test_another_version_of_transactions_under_way_changes_nothing(self):
        self.prepare(KafkaBroker().start(), 6000)
        pipeline = self.copy(*SESSION).start()
        writer = self.write_slowly(6000, 400)
        for change, version in (("downgrade", 1), ("upgrade", 2), ("downgrade", 0), ("upgrade", 2)):
            before = self.kafka.count("priced.none")
            self.broker.tool("org.apache.kafka.tools.FeatureCommand", change, "--feature", f"transaction.version={version}")
            self.until_some_came_out(before + 400)
        self.assertIsNone(writer.poll())  # all changes were made under load
        self.assertEqual(writer.wait(60), 0)
        self.until_read()
        self.stops(pipeline)
        self.all_came_out_once()


if __name__ == "__main__":
    passed_cases.main()
