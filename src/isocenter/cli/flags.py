"""Flags of the commands: those that many share, and one for every declared option of a section."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from isocenter.base.documents import parse_yaml
from isocenter.base.errors import ConfigError, ConfigProblem
from isocenter.base.options import Option, options_of

ConfigFile = Annotated[Path, typer.Argument(help="The cohort's config file.", show_default=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell what would come of it; build nothing.")]
InWorkspace = Annotated[Path, typer.Option("--workspace", help="Folder of the tables, store and report.")]
Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", help="Folder for tables, store and report, instead of the config's."),
]
Jobs = Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="How many processes work at once.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Seed of everything that is drawn by lot.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set any key of the config, e.g. split.strategy=grouped."
    ),
]


@dataclass(frozen=True, slots=True)
class Request:
    """What a command that runs the pipeline was asked for."""

    config: Path
    overrides: dict[str, object] = field(default_factory=dict)
    jobs: int | None = None
    as_json: bool = False
    dry_run: bool = False


def run_flags(*, dry_run: bool = False, **sections: type) -> Callable[[Callable[[Request], None]], Any]:
    """Decorator: gives a command the flags of a run, and one per option of each section of the config.

    Args:
        dry_run: Whether the command can tell what it would do.
        sections: Key of the config to the dataclass of its options.
    """

    def decorate(command: Callable[[Request], None]) -> Any:
        flags = {f"{s}__{o.name}": (s, o) for s, owner in sections.items() for o in options_of(owner)}

        def asked(
            config: ConfigFile = Path("cohort.yaml"),
            *,
            workspace: Workspace = None,
            jobs: Jobs = None,
            seed: Seed = None,
            assignments: Assignments = None,
            as_json: AsJson = False,
            dry_run: DryRun = False,
            **given: Any,
        ) -> None:
            overrides = assigned(assignments or [])
            overrides |= {
                f"{s}.{o.name}": value_of(o, given[n])
                for n, (s, o) in flags.items()
                if given[n] not in (None, [])
            }
            overrides |= {} if workspace is None else {"workspace": str(workspace)}
            overrides |= {} if seed is None else {"seed": seed}
            command(Request(config, overrides, jobs, as_json, dry_run))

        asked.__name__, asked.__doc__ = command.__name__, command.__doc__
        return _signed(asked, flags, without=() if dry_run else ("dry_run",))

    return decorate


def option_flags(*owners: type) -> Callable[[Callable[..., None]], Any]:
    """Decorator: gives a command one flag per option of dataclasses, as the keyword `options` of those that were given."""

    def decorate(command: Callable[..., None]) -> Any:
        known = {o.name: o for owner in owners for o in options_of(owner)}

        def asked(**given: Any) -> None:
            chosen = {
                n: value_of(known[n], v) for n, v in given.items() if n in known and v not in (None, [])
            }
            command(**{n: v for n, v in given.items() if n not in known}, options=chosen)

        own = inspect.signature(command, eval_str=True).parameters.values()
        kept = [p for p in own if p.name != "options"]
        added = [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(o))
            for n, o in known.items()
        ]
        asked.__name__, asked.__doc__ = command.__name__, command.__doc__
        asked.__signature__ = inspect.Signature([*kept, *added])  # type: ignore[attr-defined]
        asked.__annotations__ = {p.name: p.annotation for p in [*kept, *added]}
        return asked

    return decorate


def assigned(assignments: list[str]) -> dict[str, object]:
    """Overrides of `KEY=VALUE` words; values are read as YAML."""
    out: dict[str, object] = {}
    problems = []
    for word in assignments:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            problems.append(ConfigProblem("--set", f"{word!r} is not KEY=VALUE"))
            continue
        try:
            out[key.strip()] = parse_yaml(value).data
        except ConfigError as error:
            problems.append(ConfigProblem(key, error.problems[0].message))
    if problems:
        raise ConfigError(problems)
    return out


def flag_of(option: Option) -> str:
    """The flag of an option: `--min-dice`."""
    return f"--{option.name.replace('_', '-')}"


def _signed(asked: Any, flags: dict[str, tuple[str, Option]], without: tuple[str, ...]) -> Any:
    """The same function with a signature that spells out every flag, which is what typer reads."""
    own = inspect.signature(asked, eval_str=True).parameters.values()
    kept = [p for p in own if p.kind is not p.VAR_KEYWORD and p.name not in without]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(option))
        for name, (_, option) in flags.items()
    ]
    asked.__signature__ = inspect.Signature([*kept, *added])
    asked.__annotations__ = {p.name: p.annotation for p in [*kept, *added]}
    return asked


def info_of(option: Option) -> Any:
    """What typer is told of the flag that gives an option: its name, its values and its help."""
    help_ = option.help + (f" (default: {shown})" if (shown := _shown(option.default)) else "")
    flag = flag_of(option)
    if option.type is bool:
        return typer.Option(f"{flag}/--no-{flag.removeprefix('--')}", help=help_, show_default=False)
    return typer.Option(flag, metavar=_metavar(option), help=help_, show_default=False)


def _annotation(option: Option) -> Any:
    kind: Any = bool if option.type is bool else list[str] if _is_texts(option) else str
    return Annotated[kind | None, info_of(option)]


def _shown(default: Any) -> str:
    """A default as it would stand in the config, "" where it says nothing."""
    if isinstance(default, bool) or default in (None, "", (), {}) or dataclasses.is_dataclass(default):
        return ""
    if isinstance(default, enum.Enum):
        return str(default.value)
    return str(list(default)) if isinstance(default, tuple) else str(default)


def _metavar(option: Option) -> str:
    if isinstance(option.type, type) and issubclass(option.type, enum.Enum):
        return "|".join(str(m.value) for m in option.type)
    known = {str: "TEXT", int: "INTEGER", float: "NUMBER"}
    return known.get(option.type, "TEXT" if _is_texts(option) else "YAML")


def _is_texts(option: Option) -> bool:
    return get_origin(option.type) is tuple and get_args(option.type)[0] is str


def value_of(option: Option, given: Any) -> object:
    """A flag's value as it would stand in the config; only text stays as it is."""
    is_text = option.type is str or (isinstance(option.type, type) and issubclass(option.type, enum.Enum))
    if is_text or not isinstance(given, str):
        return given
    try:
        return parse_yaml(given).data
    except ConfigError as error:
        raise ConfigError([ConfigProblem(flag_of(option), error.problems[0].message)]) from None
