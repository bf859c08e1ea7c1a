"""What people say about themselves and what patients may ask of a volunteer (WPI 2024, Table 1 and the prototype).

Five questions in this order. A volunteer has one option each; `other` is also "prefer not to say", and nobody can ask
for it. A patient's wish is a bit set of the options that would do, empty for no preference; age is asked relative to
the patient's own.
"""

from typing import NamedTuple

import numpy as np

OTHER = "other"

GENDERS = ("agender", "man", "woman", "non_binary", "transfeminine", "transmasculine", OTHER)
ETHNICITIES = (
    *("hispanic_or_latino", "american_indian_or_alaska_native", "asian", "black_or_african_american"),
    *("native_hawaiian_or_pacific_islander", "white", OTHER),
)
RELIGIONS = ("no_religious_background", "christian", "buddhist", "hindu", "jewish", "muslim", "sikh", OTHER)
ORIENTATIONS = ("asexual", "bisexual", "gay_or_lesbian", "heterosexual", "pansexual", "queer", OTHER)
#: Patients under 18 need a guardian's consent; volunteers are adults.
AGES = ("under_18", "18_to_35", "36_to_55", "over_55")
MINOR = AGES.index("under_18")
AGE_WISHES = ("same", "older", "younger")

SEVERITIES = 7  # the number of screening questions that are answered yes, 0 to 6


class Question(NamedTuple):
    """One of the five questions.

    Attributes:
        name: Column of the files.
        options: What a volunteer can be.
        wishes: What a patient can ask for.
    """

    name: str
    options: tuple[str, ...]
    wishes: tuple[str, ...]


QUESTIONS = (
    Question("gender", GENDERS, GENDERS[:-1]),
    Question("ethnicity", ETHNICITIES, ETHNICITIES[:-1]),
    Question("religion", RELIGIONS, RELIGIONS[:-1]),
    Question("orientation", ORIENTATIONS, ORIENTATIONS[:-1]),
    Question("age", AGES, AGE_WISHES),
)
AGE = 4  # index of the question about age
FIFTHS = len(QUESTIONS)  # a compatibility score is a number of fifths: of preferences that are met
NO_PREFERENCE = 0


def _accepted_ages() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """`[age, wish]` bit set of the volunteers' ages that meet a patient's wish, for patients of each age."""
    table = np.zeros((len(AGES), 1 << len(AGE_WISHES)), dtype=np.int64)
    for own in range(len(AGES)):
        same, older = 1 << own, (1 << len(AGES)) - (2 << own)
        for wish in range(table.shape[1]):
            groups = (same, older, (1 << own) - 1)
            table[own, wish] = sum(group for bit, group in enumerate(groups) if wish >> bit & 1)
    return table


ACCEPTED_AGES = _accepted_ages()
