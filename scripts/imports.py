"""Imports every module of the installed package; those that need a training framework are told and passed over."""

import importlib
import pkgutil
import platform

import isocenter

OPTIONAL = {"torch", "monai", "torchio", "tensorflow", "jax"}


def main() -> None:
    """Import all modules; any other failure is an exception."""
    passed_over = []
    found = [m.name for m in pkgutil.walk_packages(isocenter.__path__, "isocenter.")]
    names = [name for name in found if not name.endswith("__main__")]
    for name in names:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in OPTIONAL:
                raise
            passed_over.append(name)
    without = f"; without a training framework: {', '.join(passed_over)}" if passed_over else ""
    print(f"Python {platform.python_version()}: {len(names) - len(passed_over)} modules imported{without}")


main()
