"""The hooks work in a real pre-commit run, in an environment that pre-commit itself installs.

The hooks' repository is made from this working tree, so that what is tested is what stands here.
The first run installs drainlint, for which pip needs the package index.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import GIT, git, repository, working_tree

HAS_PRE_COMMIT = (
    subprocess.run(
        [sys.executable, "-m", "pre_commit", "--version"], check=False, capture_output=True
    ).returncode
    == 0
)

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(GIT is None, reason="git is not installed"),
    pytest.mark.skipif(not HAS_PRE_COMMIT, reason="pre-commit is not installed"),
]

HANGS = """\
import threading


class Service:
    def __init__(self):
        self.worker = threading.Thread(target=self.work)
        self.worker.start()

    def work(self):
        print("working")

    def stop(self):
        self.worker.join()
"""
DRAINS = HANGS.replace("join()", "join(timeout=5)\n        return not self.worker.is_alive()")

CONFIG = """\
repos:
- repo: {repo}
  rev: {rev}
  hooks:
  - id: {hook}
"""


@dataclass(frozen=True, slots=True)
class Hooks:
    """This project as a repository of hooks, and where pre-commit keeps its environments."""

    repo: Path
    home: Path

    def config(self, hook: str) -> str:
        """The configuration of a repository that uses this hook."""
        rev = git(self.repo, "rev-parse", "HEAD").strip()
        return CONFIG.format(repo=self.repo, rev=rev, hook=hook)

    def run(
        self, folder: Path, *arguments: str, timeout: int = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run pre-commit in a folder; both streams in one, as it prints them."""
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("GIT_")
        }
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", *arguments, "--color", "never"],
            cwd=folder,
            env=environment | {"PRE_COMMIT_HOME": str(self.home)},
            timeout=timeout,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def check(
        self, folder: Path, files: Mapping[str, str], hook: str = "drainlint"
    ) -> tuple[int, str]:
        """Let a hook check all files of a new repository: the exit code and what was printed."""
        config = {".pre-commit-config.yaml": self.config(hook)}
        done = self.run(repository(folder, {**files, **config}), "run", "--all-files")
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Hooks:
    """The hooks of the working tree, already installed."""
    folder = tmp_path_factory.mktemp("hooks")
    hooks = Hooks(working_tree(folder / "drainlint"), folder / "home")
    config = hooks.config("drainlint") + "  - id: drainlint-repo\n"
    consumer = repository(folder / "consumer", {".pre-commit-config.yaml": config})
    for _ in range(2):  # the index may fail once
        installed = hooks.run(consumer, "install-hooks")
        if installed.returncode == 0:
            return hooks
    pytest.fail(f"pre-commit could not install the hooks:\n{installed.stdout}", pytrace=False)


def test_a_finding_fails_the_commit_and_is_shown(hooks: Hooks, tmp_path: Path) -> None:
    code, shown = hooks.check(tmp_path / "repo", {"service.py": HANGS})

    assert code == 1
    assert "unbounded-join" in shown
    assert "service.py:13:9" in shown
    assert "1 error" in shown


def test_a_file_that_drains_passes(hooks: Hooks, tmp_path: Path) -> None:
    code, shown = hooks.check(tmp_path / "repo", {"service.py": DRAINS})

    assert code == 0
    assert "Passed" in shown


def test_a_script_without_an_ending_is_checked(hooks: Hooks, tmp_path: Path) -> None:
    folder = tmp_path / "repo"
    hooks.check(folder, {"bin/serve": "#!/usr/bin/env python3\n" + HANGS})
    folder.joinpath("bin", "serve").chmod(0o755)  # or pre-commit does not look at its first line
    git(folder, "add", "--all")

    done = hooks.run(folder, "run", "--all-files")

    assert done.returncode == 1
    assert "bin/serve:14:9" in done.stdout


def test_stubs_and_notebooks_are_left_alone(hooks: Hooks, tmp_path: Path) -> None:
    code, shown = hooks.check(
        tmp_path / "repo", {"service.pyi": HANGS, "service.ipynb": '{"cells": []}\n'}
    )

    assert code == 0
    assert "no files to check" in shown


def test_an_excluded_file_is_left_alone_though_pre_commit_names_it(
    hooks: Hooks, tmp_path: Path
) -> None:
    files = {"legacy/service.py": HANGS, "drainlint.toml": 'exclude = ["legacy"]\n'}

    assert hooks.check(tmp_path / "repo", files)[0] == 0


def test_a_broken_file_fails_the_commit_and_the_rest_is_checked(
    hooks: Hooks, tmp_path: Path
) -> None:
    code, shown = hooks.check(tmp_path / "repo", {"a.py": "def stop(:\n", "b.py": HANGS})

    assert code == 1
    assert "cannot-parse" in shown
    assert "unbounded-join" in shown


def test_the_whole_repository_is_checked_by_its_own_hook(hooks: Hooks, tmp_path: Path) -> None:
    files = {"src/service.py": HANGS, "src/worker.py": DRAINS, "README.md": "text\n"}

    code, shown = hooks.check(tmp_path / "repo", files, hook="drainlint-repo")

    assert code == 1
    assert "src/service.py:13:9" in shown
    assert "src/worker.py" not in shown


def test_the_whole_repository_is_checked_when_one_file_changes(
    hooks: Hooks, tmp_path: Path
) -> None:
    files = {"service.py": HANGS, "other.py": DRAINS}
    folder = tmp_path / "repo"
    hooks.check(folder, files, hook="drainlint-repo")

    done = hooks.run(folder, "run", "--files", "other.py")

    assert done.returncode == 1
    assert "service.py:13:9" in done.stdout
