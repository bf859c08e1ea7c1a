"""What the simulator of Chiang et al. 2024 gives on the real month: figures only, as mean and standard deviation.

`published` is their public simulator (crisis-des) as it stands, over 30 or 40 replications. `repaired` is the same with
two edits that anyone can repeat, over 50 replications of a transcription that reproduces `published`:

1. Arrival clock. An interrupt subtracts the time since the last arrival from the gap that is left, and a second group
   that leaves within one gap subtracts it again, so that arrivals run ahead of the day: 91 to 144 minutes by day 30.
   The edit resets `start_time` after each interrupt.
2. Double-booked seats. When full-time staff and duty officer break in the same minute (01:15, 11:15, 18:00), a caller
   put off by one can take an idle seat of the other, which its break then misses: the chat runs through the break, and
   the seat is put back twice and stays double to the end of the month, in 0.6 to 0.9 cases a month. The edit yields a
   timeout of 0 before an interrupted user queues again.

On common draws (20 seeds a setting for kept 30, 14 for the others) the clock moves conversion by +.11 to +.26 points,
the seats by +.09 to +.16, each with a standard error of .05 to .08; what is left between theirs and ours is +.01 to
+.05.
"""

from dataclasses import dataclass
from typing import Any

Figures = dict[str, tuple[float, float]]

REPAIRED_REPLICATIONS = 50


@dataclass(frozen=True)
class Setting:
    """One configuration of their simulator.

    Attributes:
        name: What it is.
        overrides: The same for `OpenUpPaper`.
        replications: Behind `published`.
        published: Mean and standard deviation by measure.
        repaired: Likewise, with the two edits.
    """

    name: str
    overrides: dict[str, Any]
    replications: int
    published: Figures
    repaired: Figures


SETTINGS = (
    Setting(
        name="zombies kept, cutoff 30",
        overrides={"cutoff": 30.0, "zombies": "kept", "queue_discipline": "paper"},
        replications=30,
        published={
            "conversion, share of visitors": (0.370638, 0.004737),
            "direct, share of accepted": (0.404401, 0.007687),
            "answered after waiting, share of accepted": (0.0917552, 0.003729),
            "abandoned in the first queue, share of accepted": (0.503766, 0.006862),
            "mean chat, minutes": (49.7146, 0.6318),
            "mean wait of the answered, minutes": (0.74162, 0.04151),
            "valid cases, share of accepted": (0.471079, 0.006084),  # counts over the mean number accepted
            "abandoned in transfer, share of accepted": (0.045024, 0.002191),
        },
        repaired={
            "conversion, share of visitors": (0.367548, 0.00248),
            "direct, share of accepted": (0.402899, 0.00574),
            "answered after waiting, share of accepted": (0.0882442, 0.00404),
            "abandoned in the first queue, share of accepted": (0.508816, 0.00429),
            "mean chat, minutes": (49.5708, 0.498),
            "valid cases, share of accepted": (0.466793, 0.00425),
            "mean wait of the answered, minutes": (0.742006, 0.038),
            "abandoned in transfer, share of accepted": (0.0462746, 0.00182),
        },
    ),
    Setting(
        name="zombies kept, cutoff 10",
        overrides={"cutoff": 10.0, "zombies": "kept", "queue_discipline": "paper"},
        replications=40,
        published={
            "conversion, share of visitors": (0.376366, 0.004738),
            "direct, share of accepted": (0.412603, 0.009119),
            "answered after waiting, share of accepted": (0.091393, 0.004386),
            "abandoned in the first queue, share of accepted": (0.495975, 0.007671),
            "mean chat, minutes": (49.7102, 0.6154),
            "mean wait of the answered, minutes": (0.733154, 0.05366),
            "valid cases, share of accepted": (0.478945, 0.005585),  # counts over the mean number accepted
            "abandoned in transfer, share of accepted": (0.047333, 0.002164),
        },
        repaired={
            "conversion, share of visitors": (0.373483, 0.00253),
            "direct, share of accepted": (0.41197, 0.0053),
            "answered after waiting, share of accepted": (0.0871022, 0.00396),
            "abandoned in the first queue, share of accepted": (0.500887, 0.00415),
            "mean chat, minutes": (49.4691, 0.495),
            "valid cases, share of accepted": (0.47432, 0.00414),
            "mean wait of the answered, minutes": (0.720232, 0.0433),
            "abandoned in transfer, share of accepted": (0.0489836, 0.00221),
        },
    ),
    Setting(
        name="zombies evicted, cutoff 30",
        overrides={"cutoff": 30.0, "zombies": "evicted"},
        replications=40,
        published={
            "conversion, share of visitors": (0.411534, 0.003725),
            "direct, share of accepted": (0.437609, 0.006646),
            "answered after waiting, share of accepted": (0.113473, 0.004294),
            "abandoned in the first queue, share of accepted": (0.448845, 0.005322),
            "mean chat, minutes": (49.6954, 0.6078),
            "mean wait of the answered, minutes": (0.750978, 0.03835),
            "valid cases, share of accepted": (0.523853, 0.004743),  # counts over the mean number accepted
            "abandoned in transfer, share of accepted": (0.050838, 0.002168),
        },
        repaired={
            "conversion, share of visitors": (0.408512, 0.00234),
            "direct, share of accepted": (0.433884, 0.00539),
            "answered after waiting, share of accepted": (0.111998, 0.00298),
            "abandoned in the first queue, share of accepted": (0.454075, 0.00429),
            "mean chat, minutes": (49.5867, 0.481),
            "valid cases, share of accepted": (0.518663, 0.00428),
            "mean wait of the answered, minutes": (0.761205, 0.0329),
            "abandoned in transfer, share of accepted": (0.0519895, 0.00197),
        },
    ),
)

#: Drop-outs of the first queue by hour of the day in their simulator as published, zombies kept, cut-off 30 minutes:
#: means over 30 replications.
DROPPED_BY_HOUR = (
    *(254.9, 211.43, 76.37, 33.1, 46.17, 17.1, 35.03, 59.6, 56.5, 79.47, 91.83, 196.9),
    *(109.93, 135.93, 119.17, 133.03, 100.0, 16.07, 127.37, 194.73, 319.7, 397.33, 400.67, 250.33),
)

#: What the paper says, over 1,500 bootstrapped months of its simulator; no spread is published.
PAPER_CONVERSION = {"base": 0.3696, "optimum": 0.5481, "saturation": 0.6408}
#: Gains over the base case in the paper's words, as shares.
PAPER_GAINS = {
    "mean chat of 40 minutes": {"first_answer_conversion": 0.03, "direct_share": 0.04},
    "zombies evicted": {"first_answer_conversion": 0.041, "direct_share": 0.035, "answered_after_wait_share": 0.045},
}
#: Share of all drop-outs from 14:00 to 17:00 and from 19:00 to 24:00.
PAPER_DROPPED = {(14, 17): 0.1098, (19, 24): 0.4598}
#: The 24 counsellors of the optimum by role: the only numbers with its headcount, cost of 46 and capacity of 56. The
#: split over the shifts is not published.
OPTIMUM_TOTALS = {"volunteers": 10, "full_time": 11, "duty_officers": 3}
