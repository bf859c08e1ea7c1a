"""Frames of real and crowded views: within bounds, complete, the same for the same view."""

import dataclasses
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhgym.domain import Counsellor, Risk, Role, Roster, Shift
from mhgym.engines.reference import ReferenceEngine
from mhgym.presets import make_scenario
from mhgym.rendering import palette
from mhgym.rendering.ansi import ROWS, WIDTH, render_ansi
from mhgym.rendering.labels import clock
from mhgym.trace import Trace
from mhgym.view import CentreView, InHand, Phase, Staff, Waiting


def block(kind, size, **columns):
    """A part of a view; columns that pictures do not use are 0."""
    return kind(**{field.name: np.zeros(size) for field in dataclasses.fields(kind)} | columns)


def crowd(waiting=3, counsellors=2, capacity=2, busy=1, off_duty=0, now=125.0):
    """A view in which the first counsellors hold `busy` contacts each and the last `off_duty` are away."""
    on_duty = np.arange(counsellors) < counsellors - off_duty
    in_hand = np.where(on_duty, busy, 0)
    held = np.repeat(np.arange(counsellors), in_hand)
    k = len(held)
    arrived = now - np.arange(waiting, 0, -1.0)
    return CentreView(
        now=now,
        horizon=1440.0,
        waiting=block(
            Waiting,
            waiting,
            contact=1000 + np.arange(waiting),
            arrived_at=arrived,
            joined_at=arrived,
            transferred=np.arange(waiting) % 5 == 4,
            caller_type=np.arange(waiting) % 2,
            risk=np.arange(waiting) % 3,
            patience=np.full(waiting, 7.5),
            remaining=np.where(np.arange(waiting) % 5 == 4, 12.0, np.nan),
        ),
        staff=block(
            Staff,
            counsellors,
            role=np.arange(counsellors) % 4,
            capacity=np.full(counsellors, capacity),
            on_duty=on_duty,
            on_break=np.zeros(counsellors, dtype=bool),
            can_take=on_duty & (in_hand < capacity),
            in_hand=in_hand,
        ),
        in_hand=block(
            InHand,
            k,
            contact=np.arange(k),
            counsellor=held,
            phase=np.arange(k) % 3,
            started_at=np.arange(k, dtype=np.float64),
            risk=np.arange(k) % 3,
            predicted=np.full(k, 40.0),
            remaining=np.full(k, 10.0),
        ),
        legal=np.ones((waiting, counsellors), dtype=bool),
        quality=np.ones((waiting, counsellors)),
        service_time=np.full((waiting, counsellors), 40.0),
        arrivals=np.arange(1000.0 + waiting),
    )


crowds = st.builds(
    crowd,
    waiting=st.integers(0, 120),
    counsellors=st.integers(1, 45),
    capacity=st.integers(1, 12),
    busy=st.integers(0, 3),
    off_duty=st.integers(0, 45),
)


@pytest.fixture(scope="module")
def render_frame():
    pytest.importorskip("PIL")
    from mhgym.rendering.frame import render_frame

    return render_frame


def views_of(name, limit):
    """Views of an episode in which the first legal pair is always taken."""
    scenario = make_scenario(name)
    engine = ReferenceEngine(scenario)
    engine.reset(Trace.sample(scenario, 0))
    views = []
    while engine.advance() and len(views) < limit:
        view = engine.view()
        views.append(view)
        engine.assign(*(int(index) for index in np.argwhere(view.legal)[0]))
    return scenario, views


# ---------------------------------------------------------------------------------------- text


@settings(max_examples=80, deadline=None)
@given(view=crowds)
def test_text_frames_fit_a_terminal_and_count_everybody(view):
    lines = render_ansi(view).split("\n")

    assert len(lines) <= ROWS
    assert max(map(len, lines)) <= WIDTH
    split = next(index for index, line in enumerate(lines) if line.startswith("counsellors"))
    shown = sum("#1" in line for line in lines[2:split])
    hidden = sum(int(line.split()[1]) for line in lines[2:split] if line.strip().startswith("..."))
    assert shown + hidden == len(view.waiting)


def test_text_tells_what_a_dispatcher_knows():
    text = render_ansi(crowd(waiting=5, counsellors=3, capacity=1, off_duty=1), ["Ann", "Ben", "Cai"])

    assert text.startswith("02:05  5 waiting, 2 in hand, 0 free slots, 1005 visits so far, arrivals until day 2 00:00")
    oldest = text.split("\n")[2].split()
    assert oldest[:5] == ["0", "#1000", "5.0m", "7.5m", "low"]
    assert "transferred, 12m left" in text
    assert "  0 Ann                      volunteer     1/1   full            #0 10m" in text
    assert "#1 wrap-up 10m" in text
    assert "off duty (1): Cai" in text


def test_the_longest_wait_stands_first_even_if_the_queue_is_in_another_order():
    view = crowd(waiting=3)
    shuffled = dataclasses.replace(view.waiting, joined_at=view.waiting.joined_at[[1, 2, 0]])
    lines = render_ansi(dataclasses.replace(view, waiting=shuffled)).split("\n")

    assert [line.split()[1] for line in lines[2:5]] == ["#1002", "#1000", "#1001"]


def test_states_of_counsellors():
    view = crowd(counsellors=5, capacity=2, busy=1)
    staff = dataclasses.replace(
        view.staff,
        on_duty=np.array([True, True, True, True, False]),
        on_break=np.array([False, True, False, False, False]),
        can_take=np.array([True, False, False, False, False]),
        back_at=np.array([np.nan, 135.0, np.nan, np.nan, np.nan]),
        break_due=np.array([0.0, 0.0, 15.0, 0.0, 0.0]),
    )
    text = render_ansi(dataclasses.replace(view, staff=staff))

    for words in ("free", "break to 02:15", "break due", "closing", "overtime"):
        assert text.count(words) == (2 if words == "free" else 1), words  # the title counts free slots


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, "00:00"), (59.99, "00:59"), (1439, "23:59"), (1440, "day 2 00:00"), (3000, "day 3 02:00")],
)
def test_clock(minutes, expected):
    assert clock(minutes) == expected


def test_names_must_match_the_counsellors(render_frame):
    for draw in (render_ansi, render_frame):
        with pytest.raises(ValueError, match="one for each of 2 counsellors, got 1"):
            draw(crowd(), ["Ann"])


# ---------------------------------------------------------------------------------------- pictures


@settings(max_examples=20, deadline=None)
@given(view=crowds, size=st.sampled_from([(960, 540), (640, 480), (480, 270)]))
def test_pictures_have_the_size_asked_for(render_frame, view, size):
    frame = render_frame(view, size=size)

    assert frame.shape == (size[1], size[0], 3)
    assert frame.dtype == np.uint8
    assert len(np.unique(frame[..., 0])) > 10


@pytest.mark.parametrize(("name", "limit"), [("EranHeavy", 20), ("OpenUp", 60)])
def test_pictures_of_an_episode_follow_the_view_and_leave_it_alone(render_frame, name, limit):
    scenario, views = views_of(name, limit)
    view = views[-1]
    before = render_ansi(view)
    first, second = render_frame(views[0], scenario.roster.names()), render_frame(view, scenario.roster.names())

    assert np.array_equal(second, render_frame(view, scenario.roster.names()))
    assert not np.array_equal(first, second)
    assert render_ansi(view) == before


@pytest.mark.parametrize("risk", list(Risk))
def test_each_risk_has_its_colour_in_the_queue(render_frame, risk):
    def amount(view):
        queue = render_frame(view)[80:500, :370]
        return int(np.all(queue == palette.RISK[risk], axis=2).sum())

    view = crowd(waiting=4)
    of_risk = dataclasses.replace(view.waiting, risk=np.full(4, risk))
    others = dataclasses.replace(view.waiting, risk=np.full(4, (risk + 1) % 3))

    assert amount(dataclasses.replace(view, waiting=of_risk)) > 1000
    assert amount(dataclasses.replace(view, waiting=others)) == 0


def test_a_contact_in_service_looks_unlike_wrap_up_and_zombie(render_frame):
    view = crowd(waiting=0, counsellors=1, capacity=1)
    frames = [
        render_frame(dataclasses.replace(view, in_hand=dataclasses.replace(view.in_hand, phase=np.array([phase]))))
        for phase in Phase
    ]

    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])


def test_a_picture_too_small_to_read_is_refused(render_frame):
    with pytest.raises(ValueError, match="at least 480 × 270 pixels, got 100 × 50"):
        render_frame(crowd(), size=(100, 50))


def test_names_of_a_roster_are_the_default_labels():
    roster = Roster(tuple(Counsellor(role, (Shift(0, 60),)) for role in Role))

    assert render_ansi(crowd(counsellors=4)) == render_ansi(crowd(counsellors=4), roster.names())


# ---------------------------------------------------------------------------------------- window


@pytest.fixture
def pygame(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    return pytest.importorskip("pygame")


def test_a_window_opens_with_the_first_frame_and_shows_it(pygame, render_frame):
    from mhgym.rendering.window import Window

    window = Window()
    assert not window.is_open
    for size in ((640, 480), (960, 540)):
        frame = render_frame(crowd(), size=size)
        window.show(frame)
        assert window.is_open
        assert np.array_equal(pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1), frame)
    window.close()
    window.close()

    assert not window.is_open


def test_a_window_that_the_user_closes_stays_closed(pygame):
    from mhgym.rendering.window import Window

    frame = np.zeros((60, 80, 3), dtype=np.uint8)
    window = Window()
    window.show(frame)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    window.show(frame)
    assert not window.is_open
    window.show(frame)

    assert not window.is_open


def test_a_window_refuses_what_is_no_frame():
    from mhgym.rendering.window import Window

    with pytest.raises(ValueError, match=r"uint8 of shape \[H, W, 3\], got float64"):
        Window().show(np.zeros((60, 80, 3)))


# ---------------------------------------------------------------------------------------- missing libraries


def test_a_missing_library_is_named_with_its_extra(monkeypatch, render_frame):
    from mhgym.rendering.window import Window

    for library in ("PIL", "pygame"):
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"needs Pillow: pip install mhgym\[render\]"):
        render_frame(crowd())
    with pytest.raises(ImportError, match=r"needs pygame: pip install mhgym\[render\]"):
        Window().show(np.zeros((9, 9, 3), dtype=np.uint8))
