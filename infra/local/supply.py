"""The dependencies of the functions: checks every crate against deny.toml's licences and sources,
and writes an SBOM.

`cargo deny check` does this and checks advisories (`make audit`), but it has no current prebuilt
package and takes longer to compile than the project. This program reads the same deny.toml and
cargo's metadata: licences, sources and wildcards, without advisories. The SBOM (CycloneDX 1.6)
lists the crates that are linked into a function, not those of tests only. The same Cargo.lock gives
the same file.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from settings import ROOT

SBOM = ROOT / "target" / "sbom.cdx.json"
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
# Lambda's platforms.
PLATFORMS = ("aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu")
TOKEN = re.compile(r"[()]|[^\s()]+(?: WITH [^\s()]+)?")

Crate = dict[str, Any]


def main() -> int:
    """Returns 1 and prints every crate that is not allowed. `--sbom` also writes the SBOM."""
    packages = told_by_cargo()["packages"]
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    if trouble := [line for crate in packages for line in complaints(crate, allowed)]:
        print("\n".join(trouble), file=sys.stderr)
        return 1
    foreign = sum(1 for crate in packages if crate["source"])
    print(f"  {foreign} crates, all from crates.io, under licences that deny.toml allows")
    if "--sbom" in sys.argv:
        made = bill(told_by_cargo(*PLATFORMS), ROOT / "Cargo.lock")
        SBOM.parent.mkdir(exist_ok=True)
        SBOM.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
        print(f"  {SBOM.relative_to(ROOT)}")
    return 0


def told_by_cargo(*platforms: str) -> dict[str, Any]:
    """Every crate of Cargo.lock, or those that are compiled for these platforms."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    command += [argument for platform in platforms for argument in ("--filter-platform", platform)]
    told: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return told


def complaints(crate: Crate, allowed: set[str]) -> Iterator[str]:
    """The violations of deny.toml by a crate. The workspace's own crates have its licence."""
    name = f"{crate['name']} {crate['version']}"
    if any(d["req"] == "*" and not d.get("path") for d in crate["dependencies"] if not crate["source"]):
        yield f"{name} depends on any version of a crate"
    if crate["source"] not in (None, CRATES_IO):
        yield f"{name} comes from {crate['source']}"
    if crate["source"] and not permits(crate["license"] or "none", allowed):
        yield f"{name} has the licence {crate['license']}"


def permits(expression: str, allowed: set[str]) -> bool:
    """Whether the allowed licences satisfy an SPDX expression; `/` is an old form of OR."""
    tokens = TOKEN.findall(expression.replace("/", " OR "))
    position = 0

    def either() -> bool:
        nonlocal position
        met = both()
        while tokens[position : position + 1] == ["OR"]:
            position += 1
            met = both() or met
        return met

    def both() -> bool:
        nonlocal position
        met = one()
        while tokens[position : position + 1] == ["AND"]:
            position += 1
            met = one() and met
        return met

    def one() -> bool:
        nonlocal position
        token = tokens[position]
        position += 1
        if token != "(":
            return token in allowed
        met = either()
        position += 1
        return met

    return either()


def bill(metadata: dict[str, Any], lock: Path) -> dict[str, Any]:
    """The SBOM as CycloneDX 1.6 defines it."""
    crates = {crate["id"]: crate for crate in metadata["packages"]}
    functions = [i for i in metadata["workspace_members"] if "/functions/" in crates[i]["manifest_path"]]
    needs = {node["id"]: list(linked(node)) for node in metadata["resolve"]["nodes"]}
    inside = sorted(reachable(functions, needs))
    checksums = {(p["name"], p["version"]): p.get("checksum") for p in tomllib.loads(lock.read_text())["package"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "serialNumber": f"urn:uuid:{uuid.UUID(hashlib.sha256(lock.read_bytes()).hexdigest()[:32], version=4)}",
        "metadata": {"component": {"type": "application", "name": "intermission", "bom-ref": "intermission"}},
        "components": [component(crates[i], checksums) for i in inside],
        "dependencies": [
            {"ref": "intermission", "dependsOn": sorted(purl(crates[i]) for i in functions)},
            *({"ref": purl(crates[i]), "dependsOn": sorted(purl(crates[n]) for n in needs[i])} for i in inside),
        ],
    }


def linked(node: dict[str, Any]) -> Iterator[str]:
    """The build dependencies of a crate, without those of its tests."""
    return (d["pkg"] for d in node["deps"] if any(kind["kind"] != "dev" for kind in d["dep_kinds"]))


def reachable(roots: Iterable[str], needs: dict[str, list[str]]) -> set[str]:
    found: set[str] = set()
    pending = list(roots)
    while pending:
        if (crate := pending.pop()) not in found:
            found.add(crate)
            pending += needs[crate]
    return found


def component(crate: Crate, checksums: dict[tuple[str, str], str | None]) -> dict[str, Any]:
    described = {"type": "library", "name": crate["name"], "version": crate["version"]}
    described |= {"bom-ref": purl(crate), "purl": purl(crate)}
    if licence := crate["license"]:
        described["licenses"] = [{"expression": licence.replace(" / ", "/").replace("/", " OR ")}]
    if checksum := checksums.get((crate["name"], crate["version"])):
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return described


def purl(crate: Crate) -> str:
    """The package URL of a crate, which all SBOM tools understand."""
    return f"pkg:cargo/{crate['name']}@{crate['version']}"


if __name__ == "__main__":
    sys.exit(main())
