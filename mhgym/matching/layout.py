"""What a learner sees of a week and what its actions mean: a flat vector of named blocks, and pairs of shown things."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mhgym.matching.arrivals import DAY, HORIZON, STARTS, Floats
from mhgym.matching.online import HOLD, Offer, WeekView
from mhgym.matching.traits import FIFTHS, SEVERITIES
from mhgym.matching.week import BLOCKS, DAYS, SLOTS, Ints
from mhgym.mdp.blocks import BlockLayout

#: Every entry is clipped to [LOW, HIGH].
LOW, HIGH = 0.0, 10.0
TEN = 10.0

GLOBAL_FEATURES = (
    "elapsed_share",  # of the week
    "next_review",  # days until it; 0 if none is to come
    "waiting",  # patients without an offer / N
    "with_options",  # patients who can be offered something / N
    "overflow",  # of these, not shown / N
    "volunteers",  # who have come / 10
    "patients_last_day",  # who came in the last 24 hours / 10
    "volunteers_last_day",  # who came in the last 24 hours / 10
    *(f"open_hours_{day}" for day in range(DAYS)),  # volunteer-hours that somebody can be offered / 10
)
PATIENT_FEATURES = (
    "present",  # 0 for a place that shows nobody
    "severity",  # answers of 6 that are yes / 6
    "waited",  # days since the patient came
    "given",  # offers so far / k
    "options",  # hours of volunteers that the patient can be offered / 10
    "due",  # share of the options that will be gone at the next review
    "best",  # compatibility of the best option
)
OPTION_FEATURES = (
    "present",  # 0 for a place that shows nothing
    "compatibility",  # share of the five questions on which the volunteer suits
    "days_ahead",  # until the meeting
    "due",  # will be gone at the next review
    "rivals",  # other patients who could have this hour / 10
    "rival_severity",  # of the most severe of them / 6
    "volunteer_hours",  # open hours of the volunteer / 10
)


@dataclass(frozen=True, eq=False)
class Shown:
    """The options that have a place in observation and action.

    Attributes:
        patients: `[n]` numbers of the patients shown, at most N.
        options: `[N, M]` indices in the view's options, -1 for none.
    """

    patients: Ints
    options: Ints


@dataclass(frozen=True)
class WeekLayout(BlockLayout):
    """Where things stand: globals, patients `[N, F]`, options `[N, M, G]`; action `patient * M + option`, HOLD last.

    What would be lost until the next review has precedence, for the rest can be decided later. So patients with such an
    option come first, then the more severe, then who came first; of each patient such options come first, then the more
    compatible, then those with fewest rivals, then the earliest.

    Attributes:
        num_patients: N patients shown.
        num_options: M options shown of each.

    Raises:
        ValueError: If either is not at least 1.
    """

    num_patients: int
    num_options: int

    def __post_init__(self) -> None:
        if min(self.num_patients, self.num_options) < 1:
            raise ValueError(
                f"a layout shows at least 1 patient with 1 option, got {self.num_patients} and {self.num_options}"
            )

    @property
    def num_actions(self) -> int:
        """N·M + 1."""
        return self.num_patients * self.num_options + 1

    @property
    def hold(self) -> int:
        """The action that stands for HOLD."""
        return self.num_actions - 1

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block, in order."""
        n, m = self.num_patients, self.num_options
        return {
            "globals": (len(GLOBAL_FEATURES),),
            "patients": (n, len(PATIENT_FEATURES)),
            "options": (n, m, len(OPTION_FEATURES)),
        }

    def show(self, view: WeekView) -> Shown:
        """Choose what is shown of a view."""
        own, severity = view.options, view.week.patients.severity
        size = len(severity)
        has_due = np.bincount(own.patient[view.due], minlength=size) > 0
        able = np.flatnonzero(np.bincount(own.patient, minlength=size))
        first = able[np.lexsort((able, -severity[able], ~has_due[able]))][: self.num_patients]
        row = np.full(size, -1)
        row[first] = np.arange(len(first))
        ranked = np.lexsort((own.volunteer, own.slot, rivals(view)[0], -own.fifths, ~view.due, own.patient))
        patient = own.patient[ranked]
        place = np.arange(len(ranked)) - np.searchsorted(patient, patient)
        kept = (row[patient] >= 0) & (place < self.num_options)
        options = np.full((self.num_patients, self.num_options), -1)
        options[row[patient[kept]], place[kept]] = ranked[kept]
        return Shown(first, options)

    def mask(self, shown: Shown) -> NDArray[np.int8]:
        """`[N * M + 1]` the legal actions, in a fresh array."""
        return np.append(shown.options.ravel() >= 0, True).astype(np.int8)

    def decode(self, action: int, view: WeekView, shown: Shown) -> Offer:
        """The offer that an action stands for; HOLD where there is none."""
        if not 0 <= action < self.hold:
            return HOLD
        option = int(shown.options.flat[action])
        return HOLD if option < 0 else view.offer(option)

    def encode_action(self, offer: Offer, view: WeekView, shown: Shown) -> int:
        """The action that stands for an offer; HOLD's if it is not shown."""
        own = view.options
        matches = (own.patient == offer.patient) & (own.volunteer == offer.volunteer) & (own.slot == offer.slot)
        place = np.flatnonzero(np.append(matches, False)[shown.options.ravel()])  # -1 is the one appended
        return int(place[0]) if len(place) else self.hold

    def encode(self, view: WeekView, shown: Shown) -> NDArray[np.float32]:
        """`[size]` the view as a vector, in a fresh array."""
        flat = np.zeros(self.size, dtype=np.float32)
        blocks = self.split(flat)
        blocks["globals"][:] = self._globals(view, len(shown.patients))
        blocks["patients"][: len(shown.patients)] = _patients(view, shown.patients)
        present = shown.options >= 0
        blocks["options"][present] = _options(view)[shown.options[present]]
        return np.clip(flat, LOW, HIGH, out=flat)

    def _globals(self, view: WeekView, num_shown: int) -> list[float]:
        able, hours = np.unique(view.options.patient), _hours(view)
        days = np.bincount(np.unique(hours) % SLOTS // BLOCKS, minlength=DAYS)
        ahead = view.next_review - view.now
        return [
            view.now / HORIZON,
            ahead / DAY if math.isfinite(ahead) else 0.0,
            float((view.given == 0).sum()) / self.num_patients,
            len(able) / self.num_patients,
            (len(able) - num_shown) / self.num_patients,
            len(view.week.volunteers) / TEN,
            float((view.patient_at > view.now - DAY).sum()) / TEN,
            float((view.volunteer_at > view.now - DAY).sum()) / TEN,
            *(days / TEN).tolist(),
        ]


def rivals(view: WeekView) -> tuple[Ints, Ints]:
    """For each option, who else could have its hour.

    Returns:
        `[n]` the number of other patients, and `[n]` the severity of the most severe of them, 0 if there are none.
    """
    numbers = np.unique(_hours(view), return_inverse=True)[1]
    severity = view.week.patients.severity[view.options.patient]
    order = np.lexsort((severity, numbers))
    most = np.searchsorted(numbers[order], numbers, side="right") - 1  # place of the most severe of each hour
    most_of_others = np.where(order[most] == np.arange(len(numbers)), most - 1, most)
    others = np.bincount(numbers)[numbers] - 1
    return others, np.where(others > 0, severity[order[most_of_others]], 0)


def _patients(view: WeekView, rows: Ints) -> Floats:
    """`[n, F]` features of patients."""
    own, size = view.options, len(view.week.patients)
    number = np.bincount(own.patient, minlength=size)
    best = np.zeros(size)
    np.maximum.at(best, own.patient, own.fifths / FIFTHS)
    columns = [
        np.ones(size),
        view.week.patients.severity / (SEVERITIES - 1),
        (view.now - view.patient_at) / DAY,
        view.given / view.most_offers,
        number / TEN,
        np.bincount(own.patient[view.due], minlength=size) / np.maximum(number, 1),
        best,
    ]
    return np.column_stack(columns)[rows]


def _options(view: WeekView) -> Floats:
    """`[n, G]` features of all options."""
    own = view.options
    others, severity = rivals(view)
    open_hours = np.bincount(np.unique(_hours(view)) // SLOTS, minlength=len(view.week.volunteers))
    columns = [
        np.ones(len(own)),
        own.fifths / FIFTHS,
        (STARTS[own.slot] - view.now) / DAY,
        view.due,
        others / TEN,
        severity / (SEVERITIES - 1),
        open_hours[own.volunteer] / TEN,
    ]
    return np.column_stack(columns)


def _hours(view: WeekView) -> Ints:
    """`[n]` a number for each option's volunteer and hour."""
    return view.options.volunteer * SLOTS + view.options.slot
