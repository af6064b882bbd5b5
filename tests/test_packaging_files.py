"""What is needed to install the program: desktop file, metainfo, icons, and what goes into the wheel."""

from __future__ import annotations

import configparser
import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import latentlab
from latentlab import paths
from latentlab.errors import LatentLabError

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"
APPLICATION = "org.latentlab.LatentLab"


@pytest.fixture
def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: dict[str, Any] = tomllib.load(file)
    return found


@pytest.fixture
def script(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A script of the folder ``packaging``, by the name that the test gives."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    module: ModuleType = __import__(request.param)
    return module


def test_the_desktop_file_starts_the_command_and_names_the_windows_id(qapp: object, project: dict[str, Any]):
    from latentlab.ui.app import application

    desktop = configparser.ConfigParser(interpolation=None)
    desktop.optionxform = str  # type: ignore[assignment]  # its keys have capitals
    desktop.read(PACKAGING / f"{APPLICATION}.desktop")
    entry = desktop["Desktop Entry"]
    assert entry["Exec"].split()[0] in project["project"]["scripts"]
    assert entry["Icon"] == APPLICATION
    assert application().desktopFileName() == APPLICATION


def test_the_metainfo_tells_of_this_version_and_licence(project: dict[str, Any]):
    root = ElementTree.parse(PACKAGING / f"{APPLICATION}.metainfo.xml").getroot()
    assert root.findtext("id") == APPLICATION
    assert root.findtext("launchable") == f"{APPLICATION}.desktop"
    assert root.findtext("project_license") == project["project"]["license"]
    assert root.findtext("provides/binary") in project["project"]["scripts"]
    release = root.find("releases/release")
    assert release is not None
    assert release.get("version") == project["project"]["version"] == latentlab.__version__


@pytest.mark.parametrize("script", ["make_icons"], indirect=True)
def test_the_icons_are_those_that_the_script_makes(script: ModuleType, tmp_path: Path):
    made = script.make_icons(tmp_path)
    kept = {file.relative_to(PACKAGING / "icons") for file in (PACKAGING / "icons").rglob("*.*")}
    assert {file.relative_to(tmp_path) for file in made} == kept
    for file in made:
        other = PACKAGING / "icons" / file.relative_to(tmp_path)
        if file.suffix == ".svg":
            assert file.read_bytes() == other.read_bytes()
            continue
        pixels = [np.asarray(Image.open(one).convert("RGBA"), int) for one in (file, other)]
        assert pixels[0].shape == (*(int(file.parts[-3].split("x")[0]),) * 2, 4)
        assert np.abs(pixels[0] - pixels[1]).max() <= 8  # another version of resvg may round otherwise


def test_resources_and_models_go_where_an_installed_package_looks_for_them(
    project: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) == {"latentlab", *wheel["sources"]}
    assert wheel["force-include"] == {"CREDITS.md": "latentlab/_bundled/CREDITS.md"}
    for folder, place in wheel["sources"].items():
        (tmp_path / place / "one").mkdir(parents=True)
        (tmp_path / place / "one" / "config.json").write_text("{}")
        monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "latentlab")
        assert paths.bundled(folder, "one", "config.json").is_relative_to(tmp_path)
    assert list(paths.bundled_models()) == ["one"]
    with pytest.raises(LatentLabError, match=r"lacks its bundled file resources/other"):
        paths.bundled("resources", "other")


@pytest.mark.parametrize("script", ["check_wheel"], indirect=True)
def test_a_wheel_without_a_model_or_a_licence_or_with_a_run_is_refused(
    script: ModuleType, project: dict[str, Any], tmp_path: Path
):
    if not (ROOT / ".git").exists():
        pytest.skip("only git tells what belongs into the wheel")
    assert set(project["project"]["license-files"]) == set(script.LICENCES)
    assert all((ROOT / name).is_file() for name in script.LICENCES)
    bundled = [f"latentlab/_bundled/{name}" for name in script.tracked("models", "resources", "CREDITS.md")]
    info = "latentlab_desktop-0.1.0.dist-info"
    names = [*bundled, *script.tracked("latentlab"), f"{info}/METADATA"]
    names += [f"{info}/licenses/{name}" for name in script.LICENCES]

    def wheel_of(names: list[str]) -> Path:
        with zipfile.ZipFile(tmp_path / "one.whl", "w") as archive:
            for name in names:
                archive.writestr(name, b"")
        return tmp_path / "one.whl"

    script.check_wheel(wheel_of(names))
    model = "latentlab/_bundled/models/faces-vae/model.safetensors"
    with pytest.raises(SystemExit, match=r"faces-vae/model\.safetensors"):
        script.check_wheel(wheel_of([name for name in names if name != model]))
    with pytest.raises(SystemExit, match="lacks licences"):
        script.check_wheel(wheel_of([name for name in names if name != f"{info}/licenses/LICENSE"]))
    with pytest.raises(SystemExit, match="left beside"):
        script.check_wheel(wheel_of([*names, "latentlab/_bundled/models/faces-vae/run/state"]))


@pytest.mark.parametrize("script", ["check_bundle"], indirect=True)
def test_cudas_libraries_are_known_by_name(script: ModuleType):
    named = ("libcudart.so.13", "libtorch_cuda.so", "libc10_cuda.so", "libcudnn_ops.so.9", "libnccl.so.2")
    assert all(script.is_cuda(name) for name in named)
    others = (
        "libtorch_cpu.so",
        "libtorch_nodevice.so",
        "libcurl.so.4",
        "libopenvino.so.2641",
        "libcups.so.2",
    )
    assert not any(script.is_cuda(name) for name in others)


@pytest.mark.parametrize("script", ["without_cuda"], indirect=True)
def test_what_stands_in_for_cuda_says_that_there_is_no_device(script: ModuleType):
    assert "return 100;" in script._definition("cudaGetDeviceCount", "T")
    assert "return 0;" in script._definition("cudaGetLastError", "T")
    assert script.CUDA_LIBRARY.search("libcudnn_ops.so.9")
    assert not script.CUDA_LIBRARY.search("libtorch_cpu.so")


def test_a_bundles_program_is_the_command_and_the_python_of_its_own_jobs(tmp_path: Path):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PACKAGING / "entry.py"), *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    assert run("--version").stdout == f"latentlab {latentlab.__version__}\n"
    settings = {"version": 1, "kind": "dance", "asked": 0.0, "settings": {}}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    run("-m", "latentlab.jobs", str(tmp_path))
    last = json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])
    assert last["event"] == "failed"
    assert "no work of the kind 'dance'" in last["message"]
    # An ONNX graph's process, started by its file, finds that nobody asks it anything.
    runner = ROOT / "latentlab" / "families" / "onnx_process.pyc"
    assert run("-P", str(runner)).stderr.endswith("EOFError\n")


@pytest.mark.parametrize("script", ["build"], indirect=True)
def test_the_licences_of_what_is_in_a_bundle_go_with_it(script: ModuleType, tmp_path: Path):
    without = script.add_licences(tmp_path)
    folders = {folder.name.lower(): list(folder.iterdir()) for folder in (tmp_path / "licenses").iterdir()}
    assert all(folders.values())
    licensed = __import__("check_bundle").LICENSED
    assert set(licensed) <= set(folders)
    assert not set(without) & set(folders)
    assert any(
        "GNU LESSER GENERAL PUBLIC LICENSE" in text.read_text() for text in folders["pyside6_essentials"]
    )
    assert not [name for name in folders if name.startswith("nvidia")]
