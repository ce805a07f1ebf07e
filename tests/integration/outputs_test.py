"""The checker of outputs notices every loss, duplicate, swap and invention that is seeded."""

import random
import unittest

import passed_cases
from outputs import differences


def records(seed, n=200, keys=5):
    choose = random.Random(seed)
    return [(f"k{choose.randrange(keys)}", i) for i in range(n)]


def interleaved(rows, seed):
    """The same records with keys mixed in another way."""
    choose = random.Random(seed)
    queues = {}
    for row in rows:
        queues.setdefault(row[0], []).append(row)
    out = []
    while queues:
        key = choose.choice(sorted(queues))
        out.append(queues[key].pop(0))
        if not queues[key]:
            del queues[key]
    return out


class OutputsTest(unittest.TestCase):
    def test_equal(self):
        for seed in range(20):
            rows = records(seed)
            self.assertEqual(differences(rows, interleaved(rows, seed)), [])
            self.assertEqual(differences([], []), [])

    def test_loss(self):
        for seed in range(20):
            rows = records(seed)
            damaged = list(rows)
            lost = damaged.pop(random.Random(seed).randrange(len(damaged)))
            self.assertIn("lost", differences(rows, damaged)[0])
            self.assertIn(repr(lost), differences(rows, damaged, order="none", duplicates=True)[0])

    def test_duplicate(self):
        for seed in range(20):
            rows = records(seed)
            at = random.Random(seed).randrange(len(rows))
            damaged = rows[:at] + [rows[at]] + rows[at:]
            self.assertIn("doubled", differences(rows, damaged)[0])
            self.assertIn("doubled", differences(rows, damaged, order="none")[0])
            self.assertEqual(differences(rows, damaged, duplicates=True), [])

    def test_swap(self):
        for seed in range(20):
            rows = records(seed)
            choose = random.Random(seed)
            first = choose.randrange(len(rows))
            same = [i for i, row in enumerate(rows) if row[0] == rows[first][0] and i != first]
            second = choose.choice(same)
            damaged = list(rows)
            damaged[first], damaged[second] = damaged[second], damaged[first]
            self.assertIn("swapped", differences(rows, damaged)[0])
            self.assertIn("swapped", differences(rows, damaged, duplicates=True)[0])
            self.assertEqual(differences(rows, damaged, order="none"), [])

    def test_invention(self):
        rows = records(1)
        self.assertIn("made up", differences(rows, rows + [("k0", "x")])[0])
        self.assertIn("made up", differences(rows, rows + [("new", 1)], order="none", duplicates=True)[0])

    def test_replay(self):
        """At least once: a stretch that comes again, as after a crash, is in order."""
        rows = records(3)
        self.assertEqual(differences(rows, rows[:100] + rows[60:], duplicates=True), [])
        self.assertIn("lost", differences(rows, rows[:60] + rows[70:], duplicates=True)[0])

    def test_equal_records_count(self):
        rows = [("a", 1), ("a", 1), ("a", 2)]
        self.assertEqual(differences(rows, rows), [])
        self.assertIn("lost", differences(rows, rows[1:])[0])


if __name__ == "__main__":
    passed_cases.main()
