"""The workspace: the folder through which stages, report, review and people talk to each other."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isocenter.base.digests import digest_of
from isocenter.base.errors import ConfigError, RunError, StaleArtefact
from isocenter.base.files import read_json, write_atomically, write_json
from isocenter.base.log import Log
from isocenter.base.pseudonyms import Pseudonyms


class Workspace:
    """One workspace folder.

    Args:
        root: The folder; it is made when something is first written to it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = Log(root / "log.jsonl")

    @property
    def config(self) -> Path:
        """The config as run, defaults filled in."""
        return self.root / "cohort.yaml"

    @property
    def store(self) -> Path:
        """The packed data set: self-contained, opens when copied alone."""
        return self.root / "store"

    @property
    def decisions(self) -> Path:
        """What people decided: signed JSON lines."""
        return self.root / "decisions.jsonl"

    @property
    def report(self) -> Path:
        """The report page."""
        return self.root / "report.html"

    def stage(self, name: str) -> Path:
        """The folder of one stage, made if need be."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def table(self, stage: str, name: str) -> Path:
        """A table of a stage; `StaleArtefact` is raised where that stage has not been run."""
        path = self.root / stage / f"{name}.parquet"
        if not path.exists():
            raise StaleArtefact(f"{stage} has not been run in this workspace: isocenter {stage}")
        return path

    def done(self, stage: str) -> dict[str, Any] | None:
        """What a finished stage left in `done.json`, or None."""
        path = self.root / stage / "done.json"
        return read_json(path) if path.exists() else None

    def is_fresh(self, stage: str, key: str) -> bool:
        """Whether a stage was finished with the same inputs, options and version."""
        done = self.done(stage)
        return done is not None and done["key"] == key

    def start(self, stage: str) -> Path:
        """Take back a stage's mark before its tables change; returns its folder."""
        folder = self.stage(stage)
        (folder / "done.json").unlink(missing_ok=True)
        return folder

    def finish(self, stage: str, key: str, **facts: Any) -> dict[str, Any]:
        """Mark a stage as finished: `facts` are its counts, and the digest is that of its tables' meaning."""
        record = {"stage": stage, "key": key, **facts}
        write_json(self.stage(stage) / "done.json", record)
        return record

    def key_of(self, stage: str, version: int, *parts: Any) -> str:
        """The digest of a stage's version, inputs and options."""
        return digest_of([stage, version, *parts])

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace: one run at a time; a second one is refused, a dead one's hold is gone."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.root / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(
                    "another run is using this workspace; wait for it or choose another one"
                ) from None
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove the half-written files of a run that was killed; nobody else writes while we hold the lock."""
        for leftover in self.root.rglob(".*.tmp-*"):
            leftover.unlink(missing_ok=True)

    def pseudonyms(self) -> Pseudonyms:
        """The workspace's keyed names; the key is made on first use and readable by its owner only."""
        path = self.root / "secret.key"
        if not path.exists():
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, _write_key)
        if path.stat().st_mode & 0o077:
            raise ConfigError("secret.key can be read by others: chmod 600 it")
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except ValueError:
            raise ConfigError("secret.key holds something else than hexadecimal digits") from None
        if len(key) < 16:
            raise ConfigError("secret.key is too short: it must hold at least 32 hexadecimal digits")
        return Pseudonyms(key)


def _write_key(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
