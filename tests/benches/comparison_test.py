"""Unit tests of the comparison: its arithmetic and its reading, without any of the systems."""

import json
import unittest

import comparison
from comparison import ROWS, WORKER, BadLine, System, Times, percentile
from measure import HISTORIES, MEASURED_STEPS, STEPS, between, runs_of


def output(system: str, step_ms: float, seconds: float, **costs: float) -> str:
    """What a system prints whose steps all take as long; each row in two lines."""
    lines: list[dict[str, object]] = []
    for history, at_once, steps in ROWS:
        row = {"kind": "times", "system": system, "history": history, "at_once": at_once, "steps": steps}
        lines += 2 * [{**row, "wall_s": seconds, "own_cpu_s": 0.5, "storage_cpu_s": None, "step_ms": [step_ms] * steps}]
    for history in HISTORIES:
        for steps in STEPS:
            lines.append({"kind": "cost", "system": system, "history": history, "steps": steps, **costs})
    return "".join(f"{json.dumps(line)}\n" for line in lines)


class Arithmetic(unittest.TestCase):
    def test_a_percentile_is_a_value_that_was_measured(self) -> None:
        values = [float(value) for value in range(100, 0, -1)]
        self.assertEqual((percentile(values, 0.5), percentile(values, 0.99)), (50.0, 99.0))
        self.assertEqual((percentile([7.0], 0.5), percentile([7.0], 0.99)), (7.0, 7.0))
        self.assertEqual(percentile([1.0, 2.0, 3.0, 10.0], 0.99), 10.0)

    def test_steps_a_second_count_all_lines_of_a_row(self) -> None:
        times = Times()
        for seconds in (1.0, 3.0):
            line = {"wall_s": seconds, "run_s": seconds + 0.1, "own_cpu_s": 0.1, "storage_cpu_s": 0.2}
            times.add({**line, "steps": 1, "step_ms": [1.0, 2.0]})
        self.assertEqual((times.steps_a_second, times.storage_cpu), (1.0, 0.4))
        self.assertEqual(comparison.beside_cell(times), "50")

    def test_enough_steps_are_measured_in_whole_groups(self) -> None:
        for steps in STEPS:
            for at_once in (1, 50):
                runs = runs_of(steps, at_once)
                self.assertGreaterEqual(runs * steps, MEASURED_STEPS)
                self.assertEqual(runs % at_once, 0)

    def test_times_lie_between_moments(self) -> None:
        self.assertEqual(between([1.0, 1.5, 3.0]), [0.5, 1.5])


class Reading(unittest.TestCase):
    def test_other_lines_are_passed_over(self) -> None:
        systems = comparison.read(f"   Compiling tests\n{output(WORKER, 2.0, 1.0, requests=2.0)}warning: {{}}\n")
        self.assertEqual(list(systems), [WORKER])
        self.assertEqual(systems[WORKER].costs[0, 3]["requests"], 2.0)
        self.assertIsNone(systems[WORKER].costs[0, 3]["bytes"])

    def test_what_is_no_measurement_is_named(self) -> None:
        whole = output(WORKER, 2.0, 1.0)
        first = whole.splitlines()[0]
        for bad in (
            '{"kind": "times"}',
            first.replace('"wall_s": 1.0', '"wall_s": "1"'),
            first.replace("[2.0, 2.0, 2.0]", "[]"),
            first.replace(f'"{WORKER}"', '"unknown"'),
            whole[:-60],
            first,
        ):
            with self.assertRaises(BadLine, msg=bad[:60]):
                comparison.read(bad)


class Tables(unittest.TestCase):
    def setUp(self) -> None:
        self.systems: dict[str, System] = comparison.read(
            output(WORKER, 2.0, 1.0, requests=2.0, write_units=10.0, bytes=3_000.0)
            + output("langgraph", 8.0, 2.0, requests=6.0, write_units=6.0, bytes=2_833.0)
            + output("restate", 1.0, 0.5, requests=1.0, bytes=7_000.0)
        )

    def test_each_system_has_its_row_in_each_table(self) -> None:
        text = "\n".join(comparison.tables(self.systems))
        self.assertEqual(text.count("\nthis worker "), 8)
        self.assertIn("2.0, 2.0; 50", text)
        self.assertIn("7,000", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 120)

    def test_a_figure_that_is_not_ahead_is_named(self) -> None:
        verdicts = list(comparison.verdicts(self.systems))
        rows = len(ROWS)
        costs = len(STEPS) * len(HISTORIES)
        self.assertEqual(
            verdicts[0], f"Ahead of LangGraph, sync in {3 * rows + costs} of {3 * (rows + costs)} figures."
        )
        self.assertIn("  behind: write units, 3 steps: 1.67 times theirs, in 2 of 2", verdicts)
        self.assertIn(f"Ahead of Restate in 0 of {3 * rows} figures.", verdicts)
        self.assertIn("  behind: p50, 1 at once: 2.00 times theirs, in 6 of 6", verdicts)

    def test_steps_that_begin_before_the_one_before_is_stored_have_no_times_to_compare(self) -> None:
        self.systems |= comparison.read(output("langgraph-async", 0.1, 2.0))
        self.assertIn("Ahead of LangGraph, async in 12 of 12 figures.", comparison.verdicts(self.systems))


if __name__ == "__main__":
    unittest.main()
