"""The wheel, installed outside the checkout, does what README's first evening says."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from callserver.cli.free_ports import free_port

ROOT = Path(__file__).parents[1]
SOURCES = ("callserver", "webhooks", "config", "pyproject.toml", "README.md", "LICENSE")
PATIENCE_S = 240

pytestmark = pytest.mark.timeout(1200)


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel in it, and an empty folder."""

    bin: Path
    folder: Path

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel is built from a copy of the sources; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        path = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        if path.is_dir():
            shutil.copytree(path, source / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(path, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", folder / "dist", source],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if built.returncode:
        pytest.skip(f"pip cannot build a wheel here: {built.stderr.strip().splitlines()[-1]}")
    (wheel,) = (folder / "dist").glob("*.whl")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = str(venv / "bin" / "python")
    subprocess.run(
        [*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True
    )
    empty = folder / "empty"
    empty.mkdir()
    return Installed(venv / "bin", empty)


def first_evening() -> list[str]:
    """The commands of README's code block, `serve` left out."""
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## A first evening of your own")[2].partition("\n## ")[0]
    block: str
    (block,) = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    commands = block.splitlines()
    assert commands[0] == "callserver init evening"
    assert commands[-1] == "callserver serve"
    return commands[:-1]


@contextlib.contextmanager
def serving(installed: Installed, folder: Path) -> Iterator[str]:
    """`callserver serve` in a folder; ended by its own process id."""
    with subprocess.Popen(
        ["callserver", "serve"],
        executable=installed.bin / "callserver",
        cwd=folder,
        env={"PATH": f"{installed.bin}:/usr/bin:/bin", "CALLSERVER_PORT": str(free_port())},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            match = re.match(r"callserver is at (http://\S+); the network is simulated", said)
            assert match is not None, said
            yield match[1]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0


def test_the_readmes_first_evening_leads_to_a_first_call(installed: Installed) -> None:
    script = "set -e\n" + "\n".join(f"{line} || exit 9" for line in first_evening())
    said = installed.run("sh", "-c", script)
    passwords = dict(re.findall(r"^(\d+) (\S{4}-\S{4}-\S{4}-\S{4})$", said, re.MULTILINE))
    assert len(passwords) == 5  # every role has an account
    evening = installed.folder / "evening"
    with serving(installed, evening) as url:
        assert httpx.get(f"{url}/healthz", timeout=60).json()["status"] == "ok"
        first_call(url, "maja", passwords["5"])


def first_call(url: str, handle: str, password: str) -> None:
    """Sign in, start a shift and press Ready as the page does, until somebody answers."""
    with httpx.Client(base_url=f"{url}/api/v1", headers={"origin": url}, timeout=60) as page:

        def post(path: str, **body: str) -> dict[str, str]:
            reply = page.post(path, json=body)
            assert reply.is_success, reply.text
            return dict(json.loads(reply.text)) if reply.text else {}

        page.headers["x-csrf"] = post("/sign-in", handle=handle, password=password)["csrf"]
        post("/sign-in/password", old=password, new="a long and private phrase 7")
        user = page.get("/me").json()["id"]
        threading.Thread(
            target=telephone, args=(page.cookies, url, page.headers), daemon=True
        ).start()
        post("/shift", campaign="kanvas", line=f"client:phoner_{user}")
        await_state(page, "paused")
        post("/ready")
        await_state(page, "talking")


def telephone(cookies: httpx.Cookies, url: str, headers: httpx.Headers) -> None:
    """The page's simulated telephone, there for as long as the answer is read."""
    path = f"{url}/api/v1/softphone/played"
    with (
        contextlib.suppress(httpx.HTTPError),  # the server has ended
        httpx.Client(cookies=cookies, headers=headers, timeout=60) as page,
        page.stream("POST", path, json={}) as said,
    ):
        for _ in said.iter_lines():
            pass


def await_state(page: httpx.Client, state: str) -> None:
    until = time.monotonic() + 60
    while (seat := page.get("/seat").json())["state"] != state:
        assert time.monotonic() < until, seat
        time.sleep(0.1)


def test_the_demo_runs_outside_the_checkout(installed: Installed) -> None:
    words = ("--minutes", "0.1", "--headless", "--phoners", "2", "--contacts", "50")
    said = installed.run("callserver", "demo", *words)
    assert said.startswith("callserver demo: ")
    assert "one-time code now: " in said
    assert "nothing wrong" in said
    assert "callserver 0" in installed.run("callserver", "--version")
