"""`make clients`: builds both packages into target/clients/, and tries them as a user has them.

Nothing is published.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import install  # noqa: E402

OUT = ROOT / "target" / "clients"
TSC = HERE / "typescript" / "node_modules" / ".bin" / "tsc"
# What a page has to load.
MODULE_BYTES, PACKAGE_BYTES = 20_000, 40_000
# A program of a user, in strict TypeScript without the types of Node.js.
OPTIONS = {
    "strict": True,
    "noEmit": True,
    "module": "nodenext",
    "target": "es2022",
    "lib": ["es2022", "dom", "dom.asynciterable"],
    "types": [],
}
CONSUMER = """
import { Client, ConnectionLost, LiveText, NotFound, type Event } from "intermission";

const client = new Client({ httpUrl: "http://a", wsUrl: "ws://a", token: async () => "t" });
export async function watch(): Promise<string | undefined> {
  const live = new LiveText();
  for await (const event of client.run("Explain the tides.", { mode: "copilot", config: { conversational: true } })) {
    live.take(event);
    if (event.event_type === "approval_requested") {
      const options: string[] = event.data.options;
      await client.answer(event.session_id, event.data.approval_id, options[0] ?? "approve");
    }
    if (event.event_type === "agent_message_delta") return event.data.text;
  }
  for await (const session of client.list({ status: "active" })) return session.name;
  return undefined;
}
export const kinds = (events: Event[]): string[] => events.map((event) => event.event_type);
export const isGone = (error: unknown): boolean => error instanceof NotFound || error instanceof ConnectionLost;
// @ts-expect-error: no mode of that name.
void client.create("no-mode");
"""


def main() -> int:
    version = one_version()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    wheel, package = python(), typescript()
    try_python(wheel, version)
    try_typescript(package)
    for built in (wheel, package):
        print(f"  {built.relative_to(ROOT)}  {built.stat().st_size:,} bytes", flush=True)
    return 0


def one_version() -> str:
    """The version of the workspace, which both packages must have."""
    version: str = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    packages = {
        "pyproject.toml": tomllib.loads((HERE / "python" / "pyproject.toml").read_text())["project"]["version"],
        "package.json": json.loads((HERE / "typescript" / "package.json").read_text())["version"],
    }
    if wrong := [name for name, its in packages.items() if its != version]:
        raise SystemExit(f"the workspace has version {version}, but not {', '.join(wrong)}")
    return version


def python() -> Path:
    """The wheel."""
    builder = [str(install.CLIENTS / "bin" / "python"), "-m", "hatchling", "build", "-t", "wheel", "-d", str(OUT)]
    # Reproducible: the files have no times.
    run(builder, HERE / "python", {"SOURCE_DATE_EPOCH": "315532800"}, quiet=True)
    (wheel,) = OUT.glob("*.whl")
    return wheel


def typescript() -> Path:
    """The npm package: the sources as they are, and their declarations."""
    source, stage = HERE / "typescript", OUT / "package"
    modules = sorted((source / "src").glob("*.js"))
    sizes = {module.name: module.stat().st_size for module in modules}
    if sum(sizes.values()) > PACKAGE_BYTES or max(sizes.values()) > MODULE_BYTES:
        raise SystemExit(f"too large for a page: {sizes}")
    (stage / "src").mkdir(parents=True)
    for file in (*modules, source / "package.json", source / "README.md"):
        shutil.copy(file, stage / file.relative_to(source))
    run([str(TSC), "-p", "tsconfig.build.json", "--outDir", str(stage / "types")], source)
    shutil.copy(source / "src" / "types.d.ts", stage / "types")
    for licence in ROOT.glob("LICENSE-*"):
        shutil.copy(licence, stage)
    run(["npm", "pack", "--pack-destination", str(OUT), "--loglevel=error"], stage, quiet=True)
    shutil.rmtree(stage)
    (package,) = OUT.glob("*.tgz")
    return package


def try_python(wheel: Path, version: str) -> None:
    """Imports the wheel alone, with its types."""
    program = (
        "import intermission, importlib.metadata, importlib.resources as r;"
        "assert '.whl' in intermission.__file__, intermission.__file__;"
        f"assert importlib.metadata.version('intermission') == '{version}';"
        "assert (r.files('intermission') / 'py.typed').is_file();"
        "assert not [n for n in intermission.__all__ if not hasattr(intermission, n)]"
    )
    run([str(install.VENV / "bin" / "python"), "-c", program], OUT, {"PYTHONPATH": str(wheel)})


def try_typescript(package: Path) -> None:
    """Imports the unpacked package in Node.js, and compiles a program over its declarations."""
    place = OUT / "consumer"
    installed = place / "node_modules" / "intermission"
    with tarfile.open(package) as archive:
        archive.extractall(place, filter="data")
    installed.parent.mkdir()
    (place / "package").rename(installed)
    (place / "package.json").write_text('{"type": "module"}')
    (place / "consumer.ts").write_text(CONSUMER)
    names = ", ".join(re.findall(r"^  (\w+),$", (installed / "src" / "index.js").read_text(), re.MULTILINE))
    imports = f'import {{ Client, LiveText, {names} }} from "intermission"; if (!Client || !LiveText) process.exit(1);'
    run(["node", "--input-type=module", "-e", imports], place)
    (place / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS}))
    run([str(TSC), "-p", "."], place)
    shutil.rmtree(place)


def run(command: list[str], folder: Path, more: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Runs a command; its failure ends the build."""
    environment = {**os.environ, **(more or {})}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=quiet, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout or ''}{done.stderr or ''}failed: {' '.join(command)}")


if __name__ == "__main__":
    sys.exit(main())
