"""Observations: a flat float32 vector with a published layout."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mhgym.domain import RISKS, ROLES, CallerType
from mhgym.mdp.blocks import BlockLayout
from mhgym.mdp.slots import shown_rows
from mhgym.view import CentreView

Floats = NDArray[np.float64]

#: Times are scaled by these; every entry is clipped to [LOW, HIGH].
HOUR, TEN, DAY = 60.0, 10.0, 1440.0
LOW, HIGH = -1.0, 10.0

GLOBAL_FEATURES = (
    "elapsed_share",  # minutes so far / horizon
    "hours_left",  # until arrivals stop
    "clock_sin",  # sine of the time of day, if minute 0 is midnight
    "clock_cos",  # its cosine
    "waiting",  # contacts in the queue / N
    "overflow",  # contacts that no slot shows / N
    "on_duty",  # counsellors on duty / C
    "can_take",  # counsellors who can take something / C
    "arrivals_last_hour",  # arrivals in the last 60 minutes / 10
)
QUEUE_FEATURES = (
    "present",  # 0 for a slot that shows nobody
    "wait",  # minutes in the queue / 10
    "patience",  # predicted minutes / 10
    "wait_over_patience",  # minutes in the queue / predicted minutes
    "transferred",  # answered before and sent back
    "repeat",  # a repeat caller
    *(f"risk_{risk}" for risk in RISKS),  # one of them is 1
)
COUNSELLOR_FEATURES = (
    "present",  # 0 for padding
    "on_duty",  # signed in
    "on_break",  # away within the shift
    "can_take",  # could take something new now
    "load",  # contacts in hand / capacity
    "capacity",  # contacts at once / 10
    "chats",  # contacts taken since sign-in / 10
    "new",  # to the service
    "idle",  # hours since the longest-idle free slot became free
    "busy",  # hours of unbroken contact
    "hours_to_sign_out",  # 0 off duty
    "release",  # predicted hours until the first contact in hand is over
    *(f"role_{role}" for role in ROLES),  # one of them is 1
)
PAIR_FEATURES = (
    "legal",  # may be assigned now
    "quality",  # predicted feedback in [0, 1]
    "service_time",  # predicted hours
)
#: What is seen beyond that in a centre with inboxes, in blocks of their own behind the others.
INBOX_FEATURES = {
    "queue_inbox": (
        "in_inbox",  # waits in somebody's inbox
        "bridges",  # of its wait so far / 10
    ),
    "counsellors_inbox": (
        "pending",  # contacts in the inbox / 10
        "room",  # further contacts that it takes now / 10
    ),
    "pairs_inbox": (
        "in_this_inbox",  # the contact waits in the inbox of this counsellor
    ),
}


@dataclass(frozen=True)
class ObservationLayout(BlockLayout):
    """Where things stand in the flat observation: globals, queue `[N, Q]`, counsellors `[C, K]`, pairs `[N, C, P]`.

    With inboxes three blocks follow, see `INBOX_FEATURES`.

    Attributes:
        num_slots: N queue slots.
        num_counsellors: C counsellors, padding included.
        inboxes: Whether the centre has inboxes.
    """

    num_slots: int
    num_counsellors: int
    inboxes: bool = False

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block, in order."""
        n, c = self.num_slots, self.num_counsellors
        sizes = {"queue_inbox": (n,), "counsellors_inbox": (c,), "pairs_inbox": (n, c)}
        more = {name: (*sizes[name], len(features)) for name, features in INBOX_FEATURES.items() if self.inboxes}
        return {
            "globals": (len(GLOBAL_FEATURES),),
            "queue": (n, len(QUEUE_FEATURES)),
            "counsellors": (c, len(COUNSELLOR_FEATURES)),
            "pairs": (n, c, len(PAIR_FEATURES)),
            **more,
        }

    def encode(self, view: CentreView) -> NDArray[np.float32]:
        """`[size]` the view as a vector, in a fresh array.

        Raises:
            ValueError: If the view has more counsellors than the layout.
        """
        if len(view.staff) > self.num_counsellors:
            raise ValueError(f"the layout holds {self.num_counsellors} counsellors, the view has {len(view.staff)}")
        flat = np.zeros(self.size, dtype=np.float32)
        blocks = self.split(flat)
        rows = shown_rows(len(view.waiting), self.num_slots)
        blocks["globals"][:] = self._globals(view, len(rows))
        blocks["queue"][: len(rows)] = _queue(view, rows)
        blocks["counsellors"][: len(view.staff)] = _counsellors(view)
        pairs = np.stack([view.legal[rows], view.quality[rows], view.service_time[rows] / HOUR], axis=-1)
        blocks["pairs"][: len(rows), : len(view.staff)] = pairs
        if self.inboxes:
            _write_inboxes(view, rows, blocks)
        return np.clip(flat, LOW, HIGH, out=flat)

    def _globals(self, view: CentreView, num_shown: int) -> list[float]:
        angle = 2.0 * math.pi * (view.now % DAY) / DAY
        waiting = len(view.waiting)
        recent = len(view.arrivals) - np.searchsorted(view.arrivals, view.now - HOUR, side="right")
        return [
            view.now / view.horizon,
            (view.horizon - view.now) / HOUR,
            math.sin(angle),
            math.cos(angle),
            waiting / self.num_slots,
            (waiting - num_shown) / self.num_slots,
            view.staff.on_duty.sum() / self.num_counsellors,
            view.staff.can_take.sum() / self.num_counsellors,
            float(recent) / TEN,
        ]


def _write_inboxes(view: CentreView, rows: NDArray[np.int64], blocks: dict[str, NDArray[np.float32]]) -> None:
    inbox, size = view.waiting.inbox[rows], len(view.staff)
    blocks["queue_inbox"][: len(rows)] = np.column_stack([inbox >= 0, view.waiting.bridges[rows] / TEN])
    blocks["counsellors_inbox"][:size] = np.column_stack([view.staff.pending, view.staff.room]) / TEN
    blocks["pairs_inbox"][: len(rows), :size, 0] = inbox[:, None] == np.arange(size)


def _queue(view: CentreView, rows: NDArray[np.int64]) -> Floats:
    waiting = view.waiting
    wait, patience = view.wait[rows], waiting.patience[rows]
    columns = [
        np.ones(len(rows)),
        wait / TEN,
        patience / TEN,
        wait / patience,
        waiting.transferred[rows],
        waiting.caller_type[rows] == CallerType.REPEAT,
        *(waiting.risk[rows] == code for code in range(len(RISKS))),
    ]
    return np.column_stack(columns)


def _counsellors(view: CentreView) -> Floats:
    staff, now = view.staff, view.now
    release = np.full(len(staff), np.inf)
    np.minimum.at(release, view.in_hand.counsellor, view.in_hand.remaining)
    columns = [
        np.ones(len(staff)),
        staff.on_duty,
        staff.on_break,
        staff.can_take,
        staff.in_hand / staff.capacity,
        staff.capacity / TEN,
        staff.chats / TEN,
        staff.new,
        np.nan_to_num((now - staff.idle_since) / HOUR),
        np.nan_to_num((now - staff.busy_since) / HOUR),
        np.nan_to_num((staff.off_at - now) / HOUR),
        np.where(np.isinf(release), 0.0, release) / HOUR,
        *(staff.role == code for code in range(len(ROLES))),
    ]
    return np.column_stack(columns)
