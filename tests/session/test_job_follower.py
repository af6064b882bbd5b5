"""Who follows is left without being waited for, and is not heard any more; how fast something goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from latentlab.errors import Cancelled, SettingsError
from latentlab.session.job_follower import Following, JobFollower
from latentlab.session.pace import Pace, time_words


class Room:
    """A follower, and what was told on the session's thread."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.told: list[str] = []
        self.follower = JobFollower(desk._calls.put, "test")

    def begin(self, work) -> None:
        self.follower.begin(work, self.told.append, lambda: self.told.append("stopped"), "It went wrong")

    def wait(self, *told: str) -> None:
        self.desk.wait(lambda: self.told == list(told))


@pytest.fixture
def room(desk) -> Iterator[Room]:
    room = Room(desk)
    yield room
    room.follower.close()


def test_what_is_told_comes_on_the_sessions_thread(room: Room) -> None:
    threads = []

    def work(following: Following) -> None:
        following.tell(lambda: threads.append(threading.current_thread()))
        following.tell(room.told.append, "done")

    room.begin(work)
    room.wait("done")
    assert threads == [threading.current_thread()]


def test_the_one_before_is_left_at_once_and_not_heard(room: Room) -> None:
    held, leaves = threading.Event(), threading.Event()

    def slow(following: Following) -> None:
        following.tell(room.told.append, "late, though told before")
        leaves.set()
        held.wait(30)
        following.tell(room.told.append, "late")

    room.begin(slow)
    assert leaves.wait(30)
    began = time.monotonic()
    room.begin(lambda following: following.tell(room.told.append, "newest"))
    assert time.monotonic() - began < 1.0, "nobody waits for its thread"
    held.set()
    room.wait("newest")
    room.follower.close()
    assert room.told == ["newest"]


def test_who_waits_hears_that_it_is_left(room: Room) -> None:
    ended = threading.Event()

    def work(following: Following) -> None:
        while following.wait():
            pass
        ended.set()

    room.begin(work)
    room.follower.leave()
    assert ended.wait(10)


def test_a_wish_to_stop_reaches_the_work_and_its_reporter(room: Room) -> None:
    def work(following: Following) -> None:
        reporter = following.reporter(lambda _event: None)
        while following.wait():
            reporter.raise_if_cancelled()

    room.begin(work)
    room.follower.cancel()
    room.wait("stopped")


def test_a_job_is_asked_to_stop_also_where_it_is_left_at_once(room: Room) -> None:
    asked, ended = threading.Event(), threading.Event()

    class Job:
        def cancel(self) -> None:
            asked.set()

    def work(following: Following) -> None:
        while following.wait(Job()):
            pass
        ended.set()

    room.begin(work)
    room.follower.cancel()
    room.follower.leave()
    assert ended.wait(10)
    assert asked.is_set()


def test_what_goes_wrong_is_said(room: Room) -> None:
    def ours(_following: Following) -> None:
        raise ValueError("a fault")

    def theirs(_following: Following) -> None:
        raise SettingsError("Choose another folder.")

    def left(following: Following) -> None:
        following.leave()
        raise Cancelled

    room.begin(theirs)
    room.wait("Choose another folder.")
    room.begin(ours)
    room.wait("Choose another folder.", "It went wrong: ValueError: a fault")
    room.begin(left)
    room.follower.close()
    assert len(room.told) == 2


def test_the_pace_is_that_of_the_last_seconds() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.rate is None
    for second, done in ((0, 300), (0.1, 300), (1, 302)):
        now[0] = second
        pace.tell(done)
    assert pace.rate is None, "that is too short to say"
    for second in range(2, 40):
        now[0] = float(second)
        pace.tell(300 + 2 * second)
    assert pace.rate == pytest.approx(2.0)
    for second in range(40, 60):
        now[0] = float(second)
        pace.tell(380 + 8 * (second - 40))
    assert pace.rate == pytest.approx(8.0), "what was before does not count"
    pace.tell(3)
    assert pace.rate is None, "something else has begun"
    assert [time_words(x) for x in (0.2, 59, 61, 3599, 5400)] == ["1 s", "59 s", "1 min", "60 min", "1.5 h"]
