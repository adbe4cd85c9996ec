"""Unit tests of the local stack. Its processes are tested by starting it."""

import asyncio
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import tomllib
import unittest
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from unittest import mock

import asking
import gateway
import install
import origins
import processes
import settings
import supply
import template as templates
from progress import Event, Progress
from settings import ROOT, TEMPLATE, Invalid
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

import functions


class WebPages(unittest.TestCase):
    def test_pages_of_this_machine_and_listed_ones_may_use_the_stack(self) -> None:
        listed = origins.parse("https://app.example, http://dev.example:3000,")
        for origin in (
            None,
            "http://localhost",
            "http://localhost:5173",
            "https://127.0.0.1:8443",
            "http://[::1]:3000",
            *listed,
        ):
            self.assertTrue(origins.is_allowed(listed, origin), origin)
        for origin in (
            "",
            "null",
            "https://evil.example",
            "http://localhost.evil.example",
            "http://evil.example:8000",
            "https://app.example.evil.example",
            "http://app.example",
            "http://localhost:3000, https://evil.example",
            "file://localhost",
        ):
            self.assertFalse(origins.is_allowed(listed, origin), origin)
        self.assertTrue(origins.is_allowed(origins.parse("*"), "https://any.example"))

    def test_an_entry_that_is_no_origin_is_named(self) -> None:
        for given in ("app.example", "https://app.example/path", "null", "https://"):
            with self.assertRaisesRegex(Invalid, "BROWSER_ORIGINS"):
                settings.browser_origins({"BROWSER_ORIGINS": given})

    def test_the_gateway_permits_what_the_template_does(self) -> None:
        api = templates.read(TEMPLATE)["Resources"]["HttpApi"]["Properties"]
        cors = api["CorsConfiguration"]["Fn::If"][1]
        expected = {
            "access-control-allow-methods": ",".join(cors["AllowMethods"]),
            "access-control-allow-headers": ",".join(cors["AllowHeaders"]),
            "access-control-max-age": str(cors["MaxAge"]),
        }
        self.assertEqual(gateway.ALLOWED, expected)
        self.assertEqual(gateway.EXPOSED, {"access-control-expose-headers": ",".join(cors["ExposeHeaders"])})
        routes = [
            resource["Properties"]["RouteKey"].split()[0]
            for resource in templates.read(TEMPLATE)["Resources"].values()
            if resource["Type"] == "AWS::ApiGatewayV2::Route" and " " in resource["Properties"]["RouteKey"]
        ]
        self.assertEqual(set(cors["AllowMethods"]), set(routes))


class WhatIsMissing(unittest.TestCase):
    def commands(self, user: int, programs: set[str], statuses: list[int]) -> tuple[bool, list[str]]:
        """Whether a package was installed, and the commands that were run."""
        ran: list[str] = []

        def run(command: list[str], **_: object) -> mock.Mock:
            ran.append(" ".join(command))
            return mock.Mock(returncode=statuses[len(ran) - 1])

        with (
            mock.patch("os.geteuid", return_value=user),
            mock.patch("shutil.which", side_effect=lambda name: name if name in programs else None),
            mock.patch("subprocess.run", side_effect=run),
            mock.patch("install.say"),
        ):
            return install.installed_by_apt("tesseract-ocr"), ran

    def test_root_installs_it_also_where_lists_cannot_be_fetched(self) -> None:
        apt = "env DEBIAN_FRONTEND=noninteractive apt-get -qq"
        expected = [f"{apt} update", f"{apt} install -y --no-install-recommends tesseract-ocr"]
        self.assertEqual(self.commands(0, {"apt-get"}, [0, 0]), (True, expected))
        self.assertEqual(self.commands(0, {"apt-get"}, [100, 0]), (True, expected))

    def test_an_old_node_and_one_without_npm_are_none(self) -> None:
        for version, programs, serves in (
            ("v20.0.0", {"node", "npm"}, True),
            ("v26.1.0", {"node", "npm"}, True),
            ("v18.20.0", {"node", "npm"}, False),
            ("v20.0.0", {"node"}, False),
        ):
            with (
                mock.patch("shutil.which", side_effect=lambda name, has=programs: name if name in has else None),
                mock.patch("subprocess.run", return_value=mock.Mock(stdout=f"{version}\n")),
            ):
                self.assertEqual(install.has_node(), serves, version)

    def test_nobody_is_asked_for_a_password(self) -> None:
        done, ran = self.commands(1000, {"apt-get", "sudo"}, [1, 1])
        self.assertFalse(done)
        self.assertTrue(all(command.startswith("sudo -n ") for command in ran))
        self.assertEqual(self.commands(1000, {"apt-get"}, []), (False, []))
        self.assertEqual(self.commands(0, {"dnf"}, []), (False, []))


class TheBrowser(unittest.TestCase):
    def test_a_package_with_other_bytes_than_pinned_is_not_installed(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        browser = Path(folder.name) / "browser"
        ran: list[str] = []

        def pack(command: list[str], **_: object) -> None:
            ran.append(command[0])
            (browser / "other.tgz").write_bytes(b"another package")

        with (
            mock.patch("install.BROWSER", browser),
            mock.patch("platform.machine", return_value="x86_64"),
            mock.patch("subprocess.run", side_effect=pack),
            mock.patch("install.say"),
            self.assertRaisesRegex(install.Missing, "pinned in infra/local/browser.json"),
        ):
            install.install_browser()
        self.assertEqual(ran, ["npm"])
        self.assertEqual([found.name for found in browser.iterdir()], ["other.tgz"])


class AnOpenDoor(unittest.IsolatedAsyncioTestCase):
    """API Gateway answers a frame that no function has handled with one of its own."""

    async def test_only_a_pong_is_ready(self) -> None:
        statuses = [HTTPStatus.FORBIDDEN]
        answers = [{"message": "Internal server error", "connectionId": "L0SM="}, {"event_type": "pong"}]

        def refuse(connection: ServerConnection, _request: Request) -> Response | None:
            return connection.respond(statuses.pop(), "") if statuses else None

        async def answer(connection: ServerConnection) -> None:
            self.assertEqual(json.loads(await connection.recv()), {"type": "ping"})
            await connection.send(json.dumps(answers.pop(0)))

        async with serve(answer, "127.0.0.1", 0, process_request=refuse) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            ready = [await asyncio.to_thread(functions.socket_answers, url) for _ in range(3)]
        self.assertEqual(ready, [False, False, True])
        self.assertFalse(await asyncio.to_thread(functions.socket_answers, url))


A_PLAN: Event = {
    "checkpoint_type": "during_planning",
    "message": "Shall it be followed?",
    "options": ["approve", "reject", "revise"],
    "context": {"plan": [{"sub_task": "Look.", "sub_task_agent": "researcher"}]},
}


class APerson(unittest.IsolatedAsyncioTestCase):
    async def answer(self, *lines: str | None) -> asking.Answer:
        """The answer of a person who types these lines; None types nothing in time."""
        person = asking.Person(Progress("run", io.StringIO()), {"during_planning": {"resolution": "reject"}})
        with mock.patch("asking.typed", mock.AsyncMock(side_effect=lines)):
            return await person.answer(A_PLAN)

    async def test_whoever_says_nothing_has_a_default(self) -> None:
        self.assertEqual(await self.answer(None), {"resolution": "reject"})
        self.assertEqual(await self.answer(""), {"resolution": "reject"})

    async def test_an_option_is_meant_by_its_beginning_and_only_by_one(self) -> None:
        self.assertEqual(await self.answer("app"), {"resolution": "approve"})
        self.assertEqual(await self.answer("re", "dance", "approve"), {"resolution": "approve"})

    async def test_an_option_that_needs_words_gets_them_or_is_not_chosen(self) -> None:
        revised = {"resolution": "revise", "feedback": "Fewer steps."}
        self.assertEqual(await self.answer("rev", "Fewer steps."), revised)
        self.assertEqual(await self.answer("rev", None), {"resolution": "reject"})

    async def test_a_terminal_is_waited_for_and_no_terminal_is_not(self) -> None:
        keyboard, terminal = os.openpty()
        with os.fdopen(terminal) as stdin, mock.patch("sys.stdin", stdin), mock.patch("sys.stdout", io.StringIO()):
            self.assertIsNone(await asking.typed("?", 0.01))
            typing = asyncio.get_running_loop().call_later(0.05, os.write, keyboard, b"approve\n")
            self.assertEqual(await asking.typed("?", 10), "approve")
            typing.cancel()
        os.close(keyboard)
        with mock.patch("sys.stdin", io.StringIO("approve\n")):
            self.assertIsNone(await asking.typed("?", 10))


class Environment(unittest.TestCase):
    def test_a_parameter_is_set_by_its_name_in_upper_snake_case(self) -> None:
        made = settings.from_environment(["ModelTimeoutSeconds"], {"MODEL_TIMEOUT_SECONDS": "5"}, quick=True)
        self.assertEqual(made.parameters["ModelTimeoutSeconds"], "5")
        self.assertEqual(made.parameters["RequeueSeconds"], settings.QUICK["RequeueSeconds"])

    def test_a_bad_port_or_executor_is_named(self) -> None:
        for environment in ({"HTTP_PORT": "http"}, {"AWS_PORT": "70000"}, {"EXECUTOR": "docker"}):
            with self.assertRaises(Invalid) as raised:
                settings.from_environment([], environment)
            self.assertIn(next(iter(environment)), str(raised.exception))


class HotReload(unittest.TestCase):
    def test_only_what_functions_are_built_from_is_watched(self) -> None:
        lines = (ROOT / ".cargolambdaignore").read_text().splitlines()
        self.assertIn("/*", lines)
        watched = [ROOT / line.removeprefix("!/") for line in lines if line.startswith("!/")]
        self.assertEqual([path for path in watched if not path.exists()], [])
        members = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]
        built = {ROOT / member.split("/")[0] for member in members} - {ROOT / "tests"}
        self.assertLessEqual(built, set(watched))


class TheTemplate(unittest.TestCase):
    def setUp(self) -> None:
        self.template = templates.read(TEMPLATE)

    def test_only_the_place_of_the_code_is_packaged(self) -> None:
        packaged = templates.packaged(self.template, "bucket", lambda name: f"{name}.zip", {})
        self.assertEqual(
            packaged["Resources"]["Health"]["Properties"].pop("CodeUri"), {"Bucket": "bucket", "Key": "health.zip"}
        )
        kept = self.template["Resources"]["Health"]["Properties"]
        self.assertEqual(
            packaged["Resources"]["Health"]["Properties"], {k: v for k, v in kept.items() if k != "CodeUri"}
        )

    def test_ministack_gets_all_but_the_alarms_over_several_metrics(self) -> None:
        known = templates.for_ministack(self.template)
        left_out = self.template["Resources"].keys() - known["Resources"].keys()
        self.assertEqual(left_out, {"TableReadThrottlesAlarm", "TableWriteThrottlesAlarm"})

    def test_the_sample_messages_have_their_digests(self) -> None:
        for name in ("executor", "dead-letters"):
            for record in json.loads((settings.ROOT / "events" / f"{name}.json").read_text())["Records"]:
                digest = hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()
                self.assertEqual(record["md5OfBody"], digest)

    def test_a_packaged_mapping_has_the_number_of_its_parameter(self) -> None:
        for values, number in (({}, 50), ({"ExecutorConcurrency": "7"}, 7)):
            packaged = templates.packaged(self.template, "bucket", str, values)
            scaling = packaged["Resources"]["ExecutorWork"]["Properties"]["ScalingConfig"]
            self.assertEqual(scaling, {"MaximumConcurrency": number})

    def test_every_quick_time_and_every_variable_is_a_parameter(self) -> None:
        names = templates.parameter_names(self.template)
        self.assertLessEqual(set(settings.QUICK), set(names))
        self.assertLessEqual(set(settings.SCRIPTED_MODEL), {settings.variable_of(name) for name in names})

    def test_a_step_fits_into_the_quick_times_too(self) -> None:
        defaults = {name: parameter.get("Default") for name, parameter in self.template["Parameters"].items()}
        for times in (defaults, defaults | settings.QUICK):
            step = int(times["ModelTimeoutSeconds"]) + int(times["StepMarginSeconds"])
            self.assertLess(step, int(times["FunctionTimeoutSeconds"]))
            self.assertLess(int(times["FunctionTimeoutSeconds"]), int(times["VisibilityTimeoutSeconds"]))

    def test_the_dashboard_is_json_and_shows_runs_steps_costs_and_waiting(self) -> None:
        body = self.template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        shown = json.dumps(json.loads(body))
        for name in ("Runs", "StepTime", "CostUsd", "QueueTime"):
            self.assertIn(name, shown)

    def test_the_table_is_the_templates(self) -> None:
        definition = templates.table_definition(self.template, "name")
        self.assertEqual(
            [index["IndexName"] for index in definition["GlobalSecondaryIndexes"]],
            ["by-owner-status", "by-owner-mode", "by-due"],
        )


class Licences(unittest.TestCase):
    def test_an_expression_is_met_by_one_of_its_ors_and_all_of_its_ands(self) -> None:
        allowed = {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}
        for met in ("MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "ISC AND (A OR MIT)", "Apache-2.0 WITH LLVM-exception"):
            self.assertTrue(supply.permits(met, allowed), met)
        for not_met in ("GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0", "none"):
            self.assertFalse(supply.permits(not_met, allowed), not_met)

    def test_a_crate_from_elsewhere_or_without_a_licence_is_named(self) -> None:
        crate: supply.Crate = {
            "name": "c",
            "version": "1",
            "source": "git+https://example.com",
            "license": None,
            "dependencies": [],
        }
        told = list(supply.complaints(crate, {"MIT"}))
        self.assertEqual(told, ["c 1 comes from git+https://example.com", "c 1 has the licence None"])


class Drawing(unittest.TestCase):
    def test_without_a_terminal_each_event_worth_it_is_a_line(self) -> None:
        out = io.StringIO()
        progress = Progress("run", out)
        progress.show({"seq": 1, "event_type": "phase_change", "data": {"phase": "control", "step_number": 2}})
        progress.show({"seq": 2, "event_type": "cost_update", "data": {"tokens": 7}})
        self.assertEqual(out.getvalue(), "     1  phase control, step 2\n")
        self.assertEqual(progress.tokens, 7)


class Processes(unittest.TestCase):
    def test_a_running_process_is_found_by_its_program(self) -> None:
        if not Path("/proc").exists():
            self.skipTest("needs /proc")
        program = shutil.which("sleep") or ""
        with subprocess.Popen([program, "60"]) as sleeper:
            # A process has no command line for a moment after its start.
            deadline = time.monotonic() + 10
            while sleeper.pid not in processes.running_from(Path(program)) and time.monotonic() < deadline:
                time.sleep(0.01)
            found = processes.running_from(Path(program))
            sleeper.kill()
        self.assertIn(sleeper.pid, found)
        self.assertNotIn(sleeper.pid, processes.running_from(Path(program)))


class Functions(unittest.TestCase):
    """cargo-run.sh with scripts in place of cargo and of a function."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.script("cargo", 'echo "$@" >> asked')
        (self.folder / "functions").mkdir()
        (self.folder / "shared").mkdir()
        for file in ("Cargo.toml", "Cargo.lock"):
            (self.folder / file).touch()

    def script(self, name: str, text: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.folder / name).chmod(0o755)

    def start(self, *arguments: str, hot_reload: bool = False) -> subprocess.Popen[bytes]:
        local = replace(settings.from_environment([]), state=self.folder, hot_reload=hot_reload)
        local.logs.mkdir(exist_ok=True)
        environment = {**os.environ, **functions.instead_of_cargo(local), "BINARIES": str(self.folder)}
        environment["PATH"] = f"{self.folder}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            [environment["CARGO"], *arguments], cwd=self.folder, env=environment, stdout=subprocess.DEVNULL
        )

    def read(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def until(self, name: str, count: int) -> list[str]:
        """The lines of a file when there are so many."""
        deadline = time.monotonic() + 30
        while len(self.read(name)) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.read(name)

    def test_a_function_that_dies_is_started_again_and_named(self) -> None:
        self.script("executor", "echo $$ >> started; exec sleep 60")
        with self.start("run", "--bin", "executor") as shim:
            os.kill(int(self.until("started", 1)[0]), signal.SIGKILL)
            started = self.until("started", 2)
            self.assertEqual(len(started), 2)
            named = self.read("logs/deaths.log")
            self.assertEqual(len(named), 1)
            self.assertIn("function executor ended with code 137 and is started again", named[0])
            shim.terminate()
        self.assertEqual(shim.wait(), 143)
        self.assertNotIn(int(started[1]), [pid for pid, _ in processes.parents()])
        self.assertEqual(self.read("asked"), [], "a built function needs no cargo")

    def test_cargo_builds_what_is_missing_or_older_than_its_source(self) -> None:
        self.start("metadata", "--no-deps").wait()
        self.script("cargo", 'echo "$@" >> asked; printf "#!/bin/sh\\n" > health; chmod +x health')
        self.start("run", "--bin", "health").wait()
        self.start("run", "--bin", "health", hot_reload=True).wait()
        (self.folder / "shared" / "lib.rs").touch()
        later = time.time() + 5
        os.utime(self.folder / "shared" / "lib.rs", (later, later))
        self.start("run", "--bin", "health").wait()
        self.assertEqual(self.read("asked"), ["metadata --no-deps", "build --bin health"])
        self.start("run", "--bin", "health", hot_reload=True).wait()
        self.assertEqual(self.read("asked")[2:], ["build --bin health"])


if __name__ == "__main__":
    unittest.main()
