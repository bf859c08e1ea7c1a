"""A second implementation of the ERAN centres under two rules, written from their specification alone.

It shares nothing with the library: it imports none of it, draws from another generator in another order, and looks for
the next minute at which something can happen instead of keeping a calendar of events. Agreement of the two is therefore
evidence that both do what the specification says.

Source of every number and of every sentence quoted: `eran-presets.json`, the file of the calibrated population. It
leaves open how equal indices are ordered; here the first caller goes first, then the counsellor listed first.
"""

import math

import numpy as np
from numba import njit

# EranStandard and EranHeavy: counsellors, minutes, calls an hour, fewest and most calls of a shift.
CENTRES = {"EranStandard": (3, 120.0, 7.0, 10, 18), "EranHeavy": (4, 60.0, 10.0, 10, math.inf)}
POLICIES = ("fcfs", "cmt")
CMT = POLICIES.index("cmt")
BLOCK = 2000  # shifts drawn at once

# common: counsellors.
AGE_MEAN, AGE_SD, AGE_LOW, AGE_HIGH, SENIOR = 52.0, 15.0, 22.0, 82.0, 65.0  # years
AGE_EFFECT, RATIO_EFFECT = -0.526, 0.416  # Likert per SD
MINUTES_AGE_EFFECT, MINUTES_COUNSELLOR_SD = 1.5, 5.0  # minutes per SD of age, minutes
# common: pairs.
LATENT_MEAN, LATENT_SD, SENIOR_BONUS, FATIGUE = 4.47, 2.2, 0.55, 0.159  # Likert; the last per earlier chat
MINUTES_BASE, MINUTES_CALLER_SD, MINUTES_PAIR_SD, MINUTES_PER_CHAT, CORRELATION = 14.0, 4.8, 8.0, 1.3, -0.25
PREDICTED_LOW, PREDICTED_HIGH, TRUE_LOW, TRUE_HIGH = 3.0, 50.0, 3.0, 80.0  # minutes
FEEDBACK_ERROR_SD, MINUTES_ERROR_SD, CALLER_SHARE = 0.475, 25.6, 0.5  # Likert, minutes, share of both variances
INDEX_FLOOR = 0.02  # index_quality_scale: max((class - 1) / 4, .02)
# common: callers; cumulative shares of all groups but the last, and ratios of the groups' mean patience to the overall.
PATIENCE = 321.9 / 60.0  # minutes
DEVICE_SHARES, DEVICE_RATIOS = np.cumsum([0.5887]), np.array([266.0, 402.0]) / 321.9
GENDER_SHARES, GENDER_RATIOS = np.cumsum([0.6]), np.array([344.1, 288.7]) / 321.9
AGE_SHARES = np.cumsum([0.15, 0.27, 0.26, 0.16, 0.1])
AGE_RATIOS = np.array([290.0, 300.0, 305.0, 238.0, 520.0, 467.7]) / 321.9
SWING = 0.2  # arrival_profile: lambda * (1 + .2 sin(2 pi t / T))

# "s chosen so that the total latent sd is feedback_latent_sd": z(age) is a normal clipped at ±2, whose variance is
# P(|Z| < 2) - 4 phi(2) + 4 P(|Z| > 2).
_INSIDE, _DENSITY = math.erf(math.sqrt(2.0)), math.exp(-2.0) / math.sqrt(2.0 * math.pi)
AGE_VARIANCE = _INSIDE - 4.0 * _DENSITY + 4.0 * (1.0 - _INSIDE)
PAIR_SD = math.sqrt(LATENT_SD**2 - AGE_EFFECT**2 * AGE_VARIANCE - RATIO_EFFECT**2)


def split_error(rng, sd, of_caller, shape):
    """`[S, n, C]` errors of which the given share of the variance is common to a caller: `of_caller`, `[S, n, 1]`."""
    return sd * (math.sqrt(CALLER_SHARE) * of_caller + math.sqrt(1.0 - CALLER_SHARE) * rng.standard_normal(shape))


def draw_arrivals(rng, size, minutes, per_hour, fewest, most):
    """`[S, n]` minutes of arrival, infinite beyond a shift's number: both number and minutes by rejection."""
    number = np.full(size, -1)
    while (wrong := (number < fewest) | (number > most)).any():
        number[wrong] = rng.poisson(per_hour * minutes / 60.0, wrong.sum())
    arrived = np.full((size, number.max()), np.nan)
    while (empty := np.isnan(arrived)).any():
        proposed = minutes * rng.random(empty.sum())
        kept = rng.random(len(proposed)) * (1.0 + SWING) < 1.0 + SWING * np.sin(2.0 * math.pi * proposed / minutes)
        arrived[empty] = np.where(kept, proposed, np.nan)
    arrived[np.arange(number.max()) >= number[:, None]] = np.inf
    return np.sort(arrived)


def draw_staff(rng, shape):
    """Of counsellors `[S, 1, C]`: effect on latent feedback, effect on minutes, whether over 65."""
    age = np.clip(AGE_MEAN + AGE_SD * rng.standard_normal(shape), AGE_LOW, AGE_HIGH)
    z = (age - AGE_MEAN) / AGE_SD
    feedback = AGE_EFFECT * z + RATIO_EFFECT * rng.standard_normal(shape)
    minutes = MINUTES_AGE_EFFECT * z + MINUTES_COUNSELLOR_SD * rng.standard_normal(shape)
    return feedback, minutes, age > SENIOR


def draw_patience(rng, shape):
    """Of callers `[S, n]`: mean and true patience, and whether they are 65 or older."""
    device, gender = (
        np.searchsorted(DEVICE_SHARES, rng.random(shape)),
        np.searchsorted(GENDER_SHARES, rng.random(shape)),
    )
    age = np.searchsorted(AGE_SHARES, rng.random(shape))
    mean = PATIENCE * DEVICE_RATIOS[device] * GENDER_RATIOS[gender] * AGE_RATIOS[age]
    return np.stack([mean, rng.exponential(mean)], axis=-1), age == len(AGE_SHARES)


def draw_pairs(rng, old, counsellors):
    """Of pairs `[S, n, C, 4]`: latent feedback and minutes before fatigue, and the errors of both."""
    shape, of_callers = (*old.shape, counsellors), (*old.shape, 1)
    feedback_effect, minutes_effect, senior = draw_staff(rng, (len(old), 1, counsellors))
    match, rest = rng.standard_normal(shape), rng.standard_normal(shape)
    correlated = CORRELATION * match + math.sqrt(1.0 - CORRELATION**2) * rest
    latent = LATENT_MEAN + feedback_effect + PAIR_SD * match + SENIOR_BONUS * (old[..., None] & senior)
    of_caller = MINUTES_CALLER_SD * rng.standard_normal(of_callers)
    minutes = MINUTES_BASE + minutes_effect + of_caller + MINUTES_PAIR_SD * correlated
    feedback_error = split_error(rng, FEEDBACK_ERROR_SD, rng.standard_normal(of_callers), shape)
    minutes_error = split_error(rng, MINUTES_ERROR_SD, rng.standard_normal(of_callers), shape)
    return np.stack([latent, minutes, feedback_error, minutes_error], axis=-1)


@njit(cache=True)
def likert(value):
    """`clip(round(value), 1, 5)`."""
    return min(max(math.floor(value + 0.5), 1.0), 5.0)


@njit(cache=True)
def predict(pair, chats):
    """Predicted class of feedback and predicted minutes, after so many earlier chats of the counsellor."""
    minutes = min(max(pair[1] + MINUTES_PER_CHAT * chats, PREDICTED_LOW), PREDICTED_HIGH)
    return likert(pair[0] - FATIGUE * chats), minutes


@njit(cache=True)
def choose(policy, now, answered, free_at, chats, arrived, patience, pairs):
    """The pair to route, or -1, -1: the first caller to the longest idle, or the largest CMT index."""
    best, chosen, by = -1.0, -1, -1
    for i in range(len(answered)):
        waiting = not answered[i] and arrived[i] <= now < arrived[i] + patience[i, 1]
        for j in range(len(free_at)):
            if waiting and free_at[j] <= now:
                index = now - free_at[j]
                if policy == CMT:
                    score, minutes = predict(pairs[i, j], chats[j])
                    index = max((score - 1.0) / 4.0, INDEX_FLOOR) / (minutes * patience[i, 0])
                if index > best:
                    best, chosen, by = index, i, j
        if policy != CMT and chosen >= 0:
            break
    return chosen, by


@njit(cache=True)
def next_minute(now, arrived, free_at):
    """The first minute after `now` at which a caller arrives or a counsellor becomes free; infinite if none."""
    soonest = np.inf
    for minute in arrived:
        if now < minute < soonest:
            soonest = minute
    for minute in free_at:
        if now < minute < soonest:
            soonest = minute
    return soonest


@njit(cache=True)
def play(policy, arrived, patience, pairs):
    """One shift, empty at first and served to its end; answered calls and the sum of (feedback - 1) / 4."""
    free_at, chats = np.zeros(pairs.shape[1]), np.zeros(pairs.shape[1], np.int64)
    answered, number, total = np.zeros(len(arrived), np.bool_), 0.0, 0.0
    now = next_minute(-1.0, arrived, free_at)
    while now < np.inf:
        i, j = choose(policy, now, answered, free_at, chats, arrived, patience, pairs)
        if i < 0:
            now = next_minute(now, arrived, free_at)
            continue
        score, minutes = predict(pairs[i, j], chats[j])
        answered[i] = True
        number += 1.0
        total += (likert(score + pairs[i, j, 2]) - 1.0) / 4.0
        free_at[j] = now + min(max(minutes + pairs[i, j, 3], TRUE_LOW), TRUE_HIGH)
        chats[j] += 1
    return number, total


@njit(cache=True)
def play_shifts(arrived, patience, pairs):
    """`[S, 2, 2]` by shift and policy: answered calls and the sum of (feedback - 1) / 4."""
    rows = np.empty((len(arrived), len(POLICIES), 2))
    for k in range(len(arrived)):
        for policy in range(len(POLICIES)):
            rows[k, policy] = play(policy, arrived[k], patience[k], pairs[k])
    return rows


def shifts(preset, number):
    """`[number]` `quality_served` and `quantity` by (policy, name); both policies meet the same shifts."""
    counsellors, *law = CENTRES[preset]
    rng, offered, played = np.random.Generator(np.random.MT19937(list(CENTRES).index(preset))), [], []
    for first in range(0, number, BLOCK):
        arrived = draw_arrivals(rng, min(BLOCK, number - first), *law)
        patience, old = draw_patience(rng, arrived.shape)
        offered.append(np.isfinite(arrived).sum(axis=1))
        played.append(play_shifts(arrived, patience, draw_pairs(rng, old, counsellors)))
    calls, rows = np.concatenate(offered), np.concatenate(played)
    values = {}
    for i, policy in enumerate(POLICIES):
        values[policy, "quality_served"] = rows[:, i, 1] / rows[:, i, 0]
        values[policy, "quantity"] = rows[:, i, 0] / calls
    return values
