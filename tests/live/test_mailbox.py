from __future__ import annotations

import threading
import time

from latentlab.live.mailbox import ENCODE, MAIN, OPEN, Mailbox


def _taken(mailbox: Mailbox) -> list[tuple[str, object]]:
    found = []
    while (letter := mailbox.take(timeout=0)) is not None:
        found.append((letter.slot, letter.request))
        mailbox.done()
    return found


def test_only_the_newest_request_of_a_slot_is_kept():
    mailbox = Mailbox()
    for request in range(100):
        mailbox.put(MAIN, request)
    assert _taken(mailbox) == [(MAIN, 99)]


def test_the_most_urgent_goes_first_and_the_others_take_turns():
    mailbox = Mailbox()
    for slot in ("grid", "strip", MAIN, ENCODE, OPEN):
        mailbox.put(slot, slot)
    mailbox.put("grid", "newer")
    assert _taken(mailbox) == [
        (OPEN, OPEN),
        (ENCODE, ENCODE),
        (MAIN, MAIN),
        ("grid", "newer"),
        ("strip", "strip"),
    ]


def test_a_channel_that_asks_all_the_time_does_not_starve_another():
    mailbox = Mailbox()
    mailbox.put("grid", 1)
    mailbox.put("strip", 1)
    order = []
    for _ in range(4):
        letter = mailbox.take(timeout=0)
        assert letter is not None
        order.append(letter.slot)
        mailbox.put(letter.slot, 2)
        mailbox.done()
    assert order == ["grid", "strip", "grid", "strip"]


def test_only_more_urgent_requests_interrupt():
    mailbox = Mailbox()
    mailbox.put("strip", 1)
    assert mailbox.take_before("grid") is None
    mailbox.put(MAIN, 2)
    letter = mailbox.take_before("grid")
    assert letter is not None
    assert letter.slot == MAIN
    assert mailbox.take_before(MAIN) is None


def test_idle_means_nothing_waits_and_nothing_is_in_work():
    mailbox = Mailbox()
    assert mailbox.is_idle()
    mailbox.put(MAIN, 1)
    assert not mailbox.is_idle()
    mailbox.take()
    assert not mailbox.is_idle()
    assert not mailbox.wait_idle(timeout=0)
    mailbox.done()
    assert mailbox.wait_idle(timeout=0)


def test_clearing_keeps_one_slot():
    mailbox = Mailbox()
    for slot in (MAIN, ENCODE, OPEN):
        mailbox.put(slot, slot)
    mailbox.clear(keep=OPEN)
    assert _taken(mailbox) == [(OPEN, OPEN)]


def test_a_waiting_taker_is_woken_by_a_request_and_by_closing():
    mailbox = Mailbox()
    found: list[object] = []

    def take() -> None:
        while (letter := mailbox.take()) is not None:
            found.append(letter.request)
            mailbox.done()

    thread = threading.Thread(target=take, name="latentlab-test")
    thread.start()
    mailbox.put(MAIN, "one")
    assert mailbox.wait_idle(timeout=5)
    mailbox.close()
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert found == ["one"]
    mailbox.put(MAIN, "late")
    assert mailbox.take(timeout=0) is None


def test_a_letter_says_when_it_was_put_in():
    mailbox = Mailbox()
    before = time.perf_counter()
    mailbox.put(MAIN, 1)
    letter = mailbox.take()
    assert letter is not None
    assert before <= letter.at <= time.perf_counter()
