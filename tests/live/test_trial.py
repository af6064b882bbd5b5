from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch

from latentlab.errors import SettingsError
from latentlab.live import trial
from latentlab.live.frames import DeviceOverride
from latentlab.live.runtime import can_compile
from latentlab.live.trial import Verdict, best, cache_key, keep, measure, recall, strays
from latentlab.live.ways import Way, candidates, check_override, first_guess

CPU = torch.device("cpu")
ONE, TWO = Way("bfloat16", True, 1), Way("bfloat16", True, 2)
PLAIN = Way("float32", False, 1)


def test_the_fastest_way_wins():
    assert best({ONE: 4.0, TWO: 2.0, PLAIN: 9.0}) == TWO
    assert best({ONE: 4.0, PLAIN: 3.0}) == PLAIN


def test_threads_that_gain_little_are_left_to_the_window():
    assert best({ONE: 4.0, TWO: 3.9}) == ONE
    assert best({ONE: 4.0, TWO: 3.0}) == TWO


def test_a_processor_is_left_to_the_window_where_a_frame_is_short():
    assert best({ONE: 1.6, TWO: 1.0}, processors=2) == ONE
    assert best({ONE: 16.0, TWO: 10.0}, processors=2) == TWO
    assert best({ONE: 1.6, TWO: 1.0}, processors=4) == TWO


def test_times_are_medians_of_every_way_measured_in_turns():
    calls: list[str] = []

    def form(name: str, seconds: float):
        def run() -> None:
            calls.append(name)
            time.sleep(seconds)

        return run

    forms = {ONE: form("one", 0.002), PLAIN: form("plain", 0.012)}
    steps = list(measure(forms, rounds=2, runs=2))
    assert len(steps) == 4
    assert set(steps[0]) == {ONE}
    assert 1.9 <= steps[-1][ONE] < steps[-1][PLAIN]
    assert steps[-1][PLAIN] >= 11.9
    assert "".join(name[0] for name in calls) == "oooppp" * 2  # a warm-up and two runs each, in turns


def test_a_slow_network_is_not_measured_longer_than_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial, "_LONGEST", 0.01)
    calls = []

    def call() -> None:
        calls.append(1)
        time.sleep(0.02)

    list(measure({ONE: call}, rounds=1, runs=50))
    assert len(calls) == 2


def _answer(noise: float, of: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    answer = [torch.full((2, 16, 16, 4), 128.0), torch.full((2, 4), 0.25)]
    answer[of] = answer[of] + noise * torch.randn(answer[of].shape, generator=generator)
    return [answer[0].round().to(torch.uint8), answer[1]]


@pytest.mark.parametrize(
    ("answer", "out"),
    [
        (_answer(0.0), False),
        (_answer(0.8), False),
        (_answer(2.0), True),
        (_answer(0.01, of=1), False),
        (_answer(0.2, of=1), True),
        (_answer(float("nan"), of=1), True),
    ],
)
def test_a_way_whose_answers_stray_is_out(answer: list[torch.Tensor], out: bool):
    assert strays(answer, _answer(0.0)) is out


def test_wrong_pixels_in_one_place_are_enough_to_be_out():
    answer = _answer(0.0)
    answer[0][0, :2, :2] += 50
    assert strays(answer, _answer(0.0))


def test_a_verdict_is_kept_for_the_next_start():
    verdict = Verdict(ONE, TWO, {"1 picture, bfloat16 compiled, 1 thread": 3.5})
    key = cache_key(CPU, ["a network"], "no wish")
    assert recall(key) is None
    keep(key, verdict)
    assert recall(key) == verdict
    assert recall(cache_key(CPU, ["another network"], "no wish")) is None
    assert recall(cache_key(CPU, ["a network"], "another wish")) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"single": 1}', '{"single": {"precision": "x"}}'])
def test_a_damaged_memory_is_as_good_as_none(text: str, isolated_cache: Path):
    key = cache_key(CPU, [text], "")
    keep(key, Verdict(ONE, TWO))
    (isolated_cache / "trials" / f"{key}.json").write_text(text, encoding="utf-8")
    assert recall(key) is None


def test_wishes_leave_out_what_they_exclude():
    ways = candidates(CPU, DeviceOverride(precision="float32", threads=3), many=True)
    assert {way.precision for way in ways} == {"float32"}
    assert {way.threads for way in ways} == {3}
    assert Way("float32", False, 3) in ways


def test_plain_float32_is_always_among_the_ways():
    assert Way("float32", False, 1) in candidates(CPU, DeviceOverride(), many=False)


def test_a_precision_that_is_not_here_gives_way_to_float32(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("latentlab.live.ways.can_compile", lambda precision: precision == "float32")
    wish = DeviceOverride(precision="bfloat16", threads=2)
    assert candidates(CPU, wish, many=False) == [Way("float32", True, 2), Way("float32", False, 2)]


def test_a_verdict_is_not_kept_for_another_runtime(monkeypatch: pytest.MonkeyPatch):
    before = cache_key(CPU, ["a network"], "")
    monkeypatch.setattr("latentlab.live.trial.version", lambda: "another")
    assert cache_key(CPU, ["a network"], "") != before


def test_single_pictures_are_in_8_bits_only_if_wished_for():
    assert not [way for way in candidates(CPU, DeviceOverride(), many=False) if way.precision == "int8"]
    wished = candidates(CPU, DeviceOverride(precision="int8"), many=False)
    many = candidates(CPU, DeviceOverride(), many=True)
    there = [way for way in many if way.precision == "int8"]
    assert {way.precision for way in wished} == {"int8" if there else "float32"}


def test_nothing_is_rendered_in_8_bits_before_it_has_been_compared():
    for many in (False, True):
        assert first_guess(CPU, DeviceOverride(), many).precision in ("bfloat16", "float32")
        assert first_guess(CPU, DeviceOverride(precision="int8"), many).precision == "float32"


@pytest.mark.skipif(not can_compile("float32"), reason="no OpenVINO here")
def test_the_first_frame_is_rendered_by_a_compiled_network():
    assert first_guess(CPU, DeviceOverride(), many=False).compiled


@pytest.mark.parametrize("override", [DeviceOverride(precision="float8"), DeviceOverride(threads=0)])
def test_a_wish_outside_what_there_is_is_refused(override: DeviceOverride):
    with pytest.raises(SettingsError, match=r"must be|unknown"):
        check_override(override)
