"""Keyed draws and the outcome of a pair, as scalar compiled functions that every engine calls.

A draw depends on a key, a counsellor and a purpose only, never on the order in which decisions are taken: common random
numbers across policies come from this. All functions that call one another live in this one file, since Numba's
cache does not notice an edited helper elsewhere.

Layouts (float64 rows, column names below): `values[i]` a caller, `staff[j]` a counsellor, `law` the outcome law. Where
people have profiles of d entries, these are the last d columns of both, and counsellors have the columns before them.
"""

import math

import numpy as np
from numpy.typing import NDArray

from mhgym.compiling import allocating_kernel, inlined_kernel, kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Columns of a caller's row.
FEEDBACK_MEAN, SERVICE_MEAN, SENIOR, FEEDBACK_SHIFT, SERVICE_SHIFT, PATIENCE, PATIENCE_MEAN, REMAINING_NOISE = range(8)
NUM_CALLER_VALUES = 8
# Columns of a counsellor's row.
FEEDBACK_EFFECT, SERVICE_EFFECT, STAFF_SENIOR, AGE, MESSAGE_RATIO = range(5)
NUM_STAFF_VALUES = 5
# Further columns of a counsellor's row where people have profiles: what true feedback gains beyond the predictions,
# which no view shows, and its standard deviation; what feedback lacks at first, and the answers after which 1/e of it
# is left. The profile follows.
UNKNOWN_EFFECT, UNKNOWN_SD, LEARNING_GAP, LEARNING_ANSWERS = range(5, 9)
FIRST_PROFILE = 9
# Columns of a caller's keys.
PREDICTION_KEY, ERROR_KEY = range(2)
# Entries of an outcome law.
(
    PAIR_FEEDBACK_SD,
    PAIR_SERVICE_SD,
    PAIR_CORRELATION,
    SENIOR_BONUS,
    FEEDBACK_PER_CHAT,
    SERVICE_PER_CHAT,
    FEEDBACK_ERROR_SD,
    SERVICE_ERROR_SD,
    PREDICTED_MIN,
    PREDICTED_MAX,
    SERVICE_MIN,
    SERVICE_MAX,
) = range(12)
# What a keyed draw is for.
_FEEDBACK, _SERVICE, _FEEDBACK_ERROR, _SERVICE_ERROR, _FIRST_BRIDGE = range(5)

_FEEDBACK_LOW, _FEEDBACK_HIGH = 1.0, 5.0  # the five-point scale of Kleinerman et al. 2022


@inlined_kernel
def keyed_uniform(key: np.uint64, counsellor: int, purpose: int) -> float:
    """A uniform draw in (0, 1) from a key: SplitMix64's finaliser (Steele, Lea & Flood 2014) over the mixed words."""
    z = np.uint64(key) + np.uint64(counsellor + 1) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = z + np.uint64(purpose + 1) * np.uint64(0xD1342543DE82EF95)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@kernel
def _tail(r: float) -> float:
    """The outer branches of Wichura's AS 241, for r = sqrt(-log(tail probability))."""
    if r <= 5.0:
        r -= 1.6
        num = 7.74545014278341407640e-4
        num = num * r + 2.27238449892691845833e-2
        num = num * r + 2.41780725177450611770e-1
        num = num * r + 1.27045825245236838258e0
        num = num * r + 3.64784832476320460504e0
        num = num * r + 5.76949722146069140550e0
        num = num * r + 4.63033784615654529590e0
        num = num * r + 1.42343711074968357734e0
        den = 1.05075007164441684324e-9
        den = den * r + 5.47593808499534494600e-4
        den = den * r + 1.51986665636164571966e-2
        den = den * r + 1.48103976427480074590e-1
        den = den * r + 6.89767334985100004550e-1
        den = den * r + 1.67638483018380384940e0
        den = den * r + 2.05319162663775882187e0
        return num / (den * r + 1.0)
    r -= 5.0
    num = 2.01033439929228813265e-7
    num = num * r + 2.71155556874348757815e-5
    num = num * r + 1.24266094738807843860e-3
    num = num * r + 2.65321895265761230930e-2
    num = num * r + 2.96560571828504891230e-1
    num = num * r + 1.78482653991729133580e0
    num = num * r + 5.46378491116411436990e0
    num = num * r + 6.65790464350110377720e0
    den = 2.04426310338993978564e-15
    den = den * r + 1.42151175831644588870e-7
    den = den * r + 1.84631831751005468180e-5
    den = den * r + 7.86869131145613259100e-4
    den = den * r + 1.48753612908506148525e-2
    den = den * r + 1.36929880922735805310e-1
    den = den * r + 5.99832206555887937690e-1
    return num / (den * r + 1.0)


@inlined_kernel
def normal_quantile(u: float) -> float:
    """The standard normal quantile by algorithm AS 241 (Wichura 1988), relative error about 1e-16."""
    q = u - 0.5
    if abs(q) > 0.425:
        value: float = _tail(math.sqrt(-math.log(u if q < 0.0 else 1.0 - u)))
        return -value if q < 0.0 else value
    r = 0.180625 - q * q
    num = 2.5090809287301226727e3
    num = num * r + 3.3430575583588128105e4
    num = num * r + 6.7265770927008700853e4
    num = num * r + 4.5921953931549871457e4
    num = num * r + 1.3731693765509461125e4
    num = num * r + 1.9715909503065514427e3
    num = num * r + 1.3314166789178437745e2
    num = num * r + 3.3871328727963666080e0
    den = 5.2264952788528545610e3
    den = den * r + 2.8729085735721942674e4
    den = den * r + 3.9307895800092710610e4
    den = den * r + 2.1213794301586595867e4
    den = den * r + 5.3941960214247511077e3
    den = den * r + 6.8718700749205790830e2
    den = den * r + 4.2313330701600911252e1
    return q * num / (den * r + 1.0)


@inlined_kernel
def keyed_normal(key: np.uint64, counsellor: int, purpose: int) -> float:
    """A standard normal draw from a key, by inversion."""
    drawn: float = normal_quantile(keyed_uniform(key, counsellor, purpose))
    return drawn


@inlined_kernel
def latent_pair(law, values, keys, staff, known, i, j):  # type: ignore[no-untyped-def]
    """Latent feedback and minutes that the models predict for caller `i` and counsellor `j` before any fatigue.

    `known[i, j]` holds them for the first callers of a planner's trace, who are known by their predictions only.
    """
    if i < known.shape[0]:
        return known[i, j, 0], known[i, j, 1]
    feedback = values[i, FEEDBACK_MEAN] + staff[j, FEEDBACK_EFFECT]
    feedback += law[SENIOR_BONUS] * values[i, SENIOR] * staff[j, STAFF_SENIOR]
    for k in range(1, staff.shape[1] - FIRST_PROFILE + 1):
        feedback += values[i, values.shape[1] - k] * staff[j, staff.shape[1] - k]
    minutes = values[i, SERVICE_MEAN] + staff[j, SERVICE_EFFECT]
    if law[PAIR_FEEDBACK_SD] > 0.0 or law[PAIR_SERVICE_SD] > 0.0:
        first = keyed_normal(keys[i, PREDICTION_KEY], j, _FEEDBACK)
        second = keyed_normal(keys[i, PREDICTION_KEY], j, _SERVICE)
        rho = law[PAIR_CORRELATION]
        feedback += law[PAIR_FEEDBACK_SD] * first
        minutes += law[PAIR_SERVICE_SD] * (rho * first + math.sqrt(1.0 - rho * rho) * second)
    return feedback, minutes


@inlined_kernel
def predict_latent(law, feedback, minutes, chats):  # type: ignore[no-untyped-def]
    """What the models predict given the latent values of a pair: feedback on the five-point scale, minutes of service.

    `chats` counts the counsellor's earlier contacts in this shift; each lowers feedback and lengthens service.
    """
    feedback = np.rint(feedback - law[FEEDBACK_PER_CHAT] * chats)
    minutes += law[SERVICE_PER_CHAT] * chats
    return (
        min(max(feedback, _FEEDBACK_LOW), _FEEDBACK_HIGH),
        min(max(minutes, law[PREDICTED_MIN]), law[PREDICTED_MAX]),
    )


@inlined_kernel
def inexperience(staff, j, taken):  # type: ignore[no-untyped-def]
    """What feedback of counsellor `j` lacks after so many answers, Likert points: a learning curve."""
    if staff.shape[1] <= NUM_STAFF_VALUES or staff[j, LEARNING_GAP] == 0.0:
        return 0.0
    return staff[j, LEARNING_GAP] * math.exp(-taken / staff[j, LEARNING_ANSWERS])


@inlined_kernel
def bridge_minutes(mean, keys, i, j, number):  # type: ignore[no-untyped-def]
    """Minutes for which counsellor `j` bridges the wait of caller `i` for the `number`-th time; exponential."""
    return -mean * math.log(keyed_uniform(keys[i, PREDICTION_KEY], j, _FIRST_BRIDGE + number))


@inlined_kernel
def realise_predicted(law, values, keys, staff, i, j, feedback, minutes):  # type: ignore[no-untyped-def]
    """What truly happens given the prediction: feedback on the five-point scale, minutes of service.

    Truth is the prediction plus an error, part of it common to the caller and part of it the pair's own, and what is
    not known of the counsellor.
    """
    feedback += values[i, FEEDBACK_SHIFT]
    if staff.shape[1] > NUM_STAFF_VALUES:
        feedback += staff[j, UNKNOWN_EFFECT]
    minutes += values[i, SERVICE_SHIFT]
    if law[FEEDBACK_ERROR_SD] > 0.0:
        feedback += law[FEEDBACK_ERROR_SD] * keyed_normal(keys[i, ERROR_KEY], j, _FEEDBACK_ERROR)
    if law[SERVICE_ERROR_SD] > 0.0:
        minutes += law[SERVICE_ERROR_SD] * keyed_normal(keys[i, ERROR_KEY], j, _SERVICE_ERROR)
    return (
        min(max(np.rint(feedback), _FEEDBACK_LOW), _FEEDBACK_HIGH),
        min(max(minutes, law[SERVICE_MIN]), law[SERVICE_MAX]),
    )


@inlined_kernel
def predict_pair(law, values, keys, staff, known, i, j, chats, taken=0):  # type: ignore[no-untyped-def]
    """`predict_latent` of caller `i` and counsellor `j`, who has answered `taken` contacts in all."""
    feedback, minutes = latent_pair(law, values, keys, staff, known, i, j)
    return predict_latent(law, feedback - inexperience(staff, j, taken), minutes, chats)


@inlined_kernel
def realise_pair(law, values, keys, staff, known, i, j, chats, taken=0):  # type: ignore[no-untyped-def]
    """`realise_predicted` of caller `i` and counsellor `j`."""
    feedback, minutes = predict_pair(law, values, keys, staff, known, i, j, chats, taken)
    return realise_predicted(law, values, keys, staff, i, j, feedback, minutes)


@allocating_kernel
def predict_pairs(law, values, keys, staff, known, rows, chats, taken):  # type: ignore[no-untyped-def]
    """`predict_pair` for callers `rows` `[n]` and every counsellor: feedback and minutes, each `[n, C]`."""
    feedback = np.empty((rows.size, chats.size))
    minutes = np.empty((rows.size, chats.size))
    for a in range(rows.size):
        for j in range(chats.size):
            feedback[a, j], minutes[a, j] = predict_pair(
                law, values, keys, staff, known, rows[a], j, chats[j], taken[j]
            )
    return feedback, minutes


@kernel
def interpolate(x, knots, heights):  # type: ignore[no-untyped-def]
    """Piecewise linear through (`knots`, `heights`), flat outside."""
    if x <= knots[0]:
        return heights[0]
    for k in range(1, knots.size):
        if x <= knots[k]:
            share = (x - knots[k - 1]) / (knots[k] - knots[k - 1])
            return heights[k - 1] + share * (heights[k] - heights[k - 1])
    return heights[-1]


@inlined_kernel
def predict_remaining(knots, error_sd, floor, remaining, noise, predicted, elapsed):  # type: ignore[no-untyped-def]
    """Predicted remaining minutes of a contact in service.

    With an error model (`knots` not empty): the true remaining time plus one noise per contact, whose standard
    deviation varies continuously with the true remaining time. Without: the predicted service time less the time
    elapsed.
    """
    if knots.size == 0:
        return max(floor, predicted - elapsed)
    return max(floor, remaining + interpolate(remaining, knots, error_sd) * noise)
