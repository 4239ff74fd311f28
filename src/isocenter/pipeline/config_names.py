"""Checks that every name in a config is known: plug-ins, rules with their options, windows, tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isocenter.base.documents import KeyPath
from isocenter.base.plugins import Plugins
from isocenter.executors.executor import EXECUTORS
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.dataset import LAYOUTS
from isocenter.imaging.windows import WINDOWS
from isocenter.model.selection import PROPERTIES
from isocenter.pipeline.config_draft import Draft, near
from isocenter.pipeline.config_schema import misfit
from isocenter.rules.engine import CATALOGUE
from isocenter.rules.select import ScreenOptions
from isocenter.stages.index.attributes import ATTRIBUTES
from isocenter.stages.split.rows import LESION_SIZE

_BACKENDS: Plugins[Any] = Plugins("isocenter.stores.backends")
_STRATEGIES: Plugins[Any] = Plugins("isocenter.stages.split.strategies")
_METHODS: Plugins[Any] = Plugins("isocenter.agreement.methods")
_BIAS_FIELDS: Plugins[Any] = Plugins("isocenter.imaging.bias_fields")
_TAGS = ("PatientID", "PatientName", "StudyInstanceUID")


def check_names(draft: Draft) -> None:
    """Note every name that no plug-in, rule or table of ours answers to."""
    for section, key, what, known in (
        ("executor", "kind", "executor", EXECUTORS.names()),
        ("store", "backend", "store backend", _BACKENDS.names()),
        ("split", "strategy", "split strategy", ["auto", *_STRATEGIES.names()]),
        ("agreement", "method", "consensus method", _METHODS.names()),
        ("standardise", "bias_field", "method for bias fields", ["none", *_BIAS_FIELDS.names()]),
    ):
        if section in draft.values and (name := getattr(draft.values[section], key)) not in known:
            draft.unknown((section, key), what, name, known)
    for at, source in draft.values.get("sources", {}).items():
        if source.layout not in (layouts := ["files", *LAYOUTS.names()]):
            draft.unknown(("sources", at, "layout"), "layout", source.layout, layouts)
        if source.subject.tag not in _TAGS:
            draft.unknown(("sources", at, "subject", "tag"), "tag for subjects", source.subject.tag, _TAGS)
    for at, annotation in draft.values.get("annotations", {}).items():
        if annotation.format and annotation.format not in ANNOTATIONS.names():
            path = ("annotations", at, "format")
            draft.unknown(path, "annotation format", annotation.format, ANNOTATIONS.names())
    for name, channel in draft.values.get("channels", {}).items():
        _check_windows(draft, name, channel)
        _check_conditions(draft, ("channels", name, "where"), channel.where)
        for at, condition in enumerate(channel.prefer):
            _check_conditions(draft, ("channels", name, "prefer", at), condition)
    if "screen" in draft.values:
        _check_rules(draft, draft.values["screen"])
    if "split" in draft.values:
        for key, known in (("strata", [*ATTRIBUTES, LESION_SIZE]), ("groups", list(ATTRIBUTES))):
            for at, name in enumerate(getattr(draft.values["split"], key)):
                if name not in known:
                    draft.unknown(("split", key, at), "attribute", name, known)


def _check_windows(draft: Draft, name: str, channel: Any) -> None:
    for at, window in enumerate(channel.windows):
        path = ("channels", name, "windows", at)
        if window not in WINDOWS:
            draft.unknown(path, "window", window, WINDOWS)
        elif WINDOWS[window].unit == "HU" and channel.modality != "CT":
            draft.wrong(path, f"the window {window!r} is in HU, which {channel.modality} images are not")


def _check_conditions(draft: Draft, path: KeyPath, conditions: Mapping[str, str]) -> None:
    """A condition on what no image has would hold for none, and nothing would say why."""
    known = {*PROPERTIES, *ATTRIBUTES}
    for name in conditions:
        if name not in known:
            hint = near(name, sorted(known)) or f"known: {', '.join(sorted(known))}"
            draft.wrong((*path, name), "is nothing that an image is chosen by", hint)


def _check_rules(draft: Draft, screen: ScreenOptions) -> None:
    rules = CATALOGUE.names()
    families = {r.partition("/")[0] for r in rules}
    for at, name in enumerate(screen.select):
        if name not in {"all", *families, *rules}:
            draft.unknown(("screen", "select", at), "rule or family", name, {"all", *families, *rules})
    for name in screen.ignore:
        if name not in {*families, *rules}:
            draft.unknown(("screen", "ignore", name), "rule or family", name, {*families, *rules})
    for name in screen.severity:
        if name not in rules:
            draft.unknown(("screen", "severity", name), "rule", name, rules)
    for name, given in screen.options.items():
        if name not in rules:
            draft.unknown(("screen", "options", name), "rule", name, rules)
        else:
            _check_options(draft, name, given)


def _check_options(draft: Draft, rule: str, given: dict[str, Any]) -> None:
    known = {o.name: o for o in CATALOGUE.get(rule).options}
    for key, value in given.items():
        path = ("screen", "options", rule, key)
        if key not in known:
            hint = near(key, list(known)) or f"known: {', '.join(known) or 'it has none'}"
            draft.wrong(path, "is no option of this rule", hint)
        elif problem := misfit(known[key].type, value):
            draft.wrong(path, f"{problem} ({known[key].help})" if known[key].help else problem)
