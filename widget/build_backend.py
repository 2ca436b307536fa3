"""setuptools, with the widget built first: wheels, editable installs and sdists all contain it.

Two checkouts of the same sources give the same bytes: see repeatable.py.

Nothing is asked for and nothing is built while the built files are current, as they are in an
sdist: whoever installs from one needs neither Node nor npm.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import repeatable
import sources
import toolchain
from setuptools import build_meta
from setuptools.build_meta import prepare_metadata_for_build_editable, prepare_metadata_for_build_wheel

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

Settings = Mapping[str, Any] | None
HERE = Path(__file__).resolve().parent


def _widget_requires() -> list[str]:
    """What building the widget takes: the extra of that name, and Node where the machine has none."""
    if sources.is_current():
        return []
    setup = ConfigParser()
    setup.read(HERE.parent / "setup.cfg", "utf-8")
    extras = setup["options.extras_require"]
    chosen = extras["widget"] if toolchain.node_on_path() else extras["widget"] + extras["node"]
    return chosen.split()


def _build_widget() -> None:
    """Build in a process of its own: its packages may have come after this one started."""
    if sources.is_current():
        return
    result = subprocess.run([sys.executable, str(HERE / "assets.py")], stdout=sys.stderr, check=False)
    if result.returncode != 0:
        sys.exit("The widget could not be built; the reason is above.")


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """PEP 517."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_widget_requires()]


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """PEP 660."""
    return [*build_meta.get_requires_for_build_editable(config_settings), *_widget_requires()]


def get_requires_for_build_sdist(config_settings: Settings = None) -> list[str]:
    """PEP 517."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_widget_requires()]


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """PEP 517: the wheel, with the built widget in it and nothing of an earlier one."""
    _build_widget()
    # setuptools packs whatever its build folder still holds, such as files under old hashes.
    shutil.rmtree(HERE.parent / "build", ignore_errors=True)
    name = str(build_meta.build_wheel(wheel_directory, config_settings, metadata_directory))
    repeatable.rewrite_wheel(Path(wheel_directory) / name)
    return name


def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    """PEP 660: the editable install, with the widget built in place."""
    _build_widget()
    return str(build_meta.build_editable(wheel_directory, config_settings, metadata_directory))


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """PEP 517: the sources of both sides and the built widget."""
    _build_widget()
    name = str(build_meta.build_sdist(sdist_directory, config_settings))
    repeatable.rewrite_sdist(Path(sdist_directory) / name)
    return name
