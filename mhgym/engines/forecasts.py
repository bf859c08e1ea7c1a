"""What the prediction models say of pairs and of contacts in hand, in the packed arrays; see `engines.columns`."""

import numpy as np

from mhgym.compiling import inner_kernel
from mhgym.domain.contact import LegKind
from mhgym.engines import columns as col
from mhgym.processes import draws

_SERVICE, _BRIDGE = int(LegKind.SERVICE), int(LegKind.BRIDGE)


@inner_kernel
def predict(plan, chance, state, e, i, j):  # type: ignore[no-untyped-def]
    """What the models predict for a pair now, see `draws.predict_pair`; latent values are drawn once and kept."""
    if i >= state.latent.shape[1]:
        feedback, minutes = draws.latent_pair(
            plan.law, chance.callers_f[e], chance.keys[e], chance.staff[e], chance.known[e], i, j
        )
    else:
        if np.isnan(state.latent[e, i, j, 0]):
            state.latent[e, i, j, 0], state.latent[e, i, j, 1] = draws.latent_pair(
                plan.law, chance.callers_f[e], chance.keys[e], chance.staff[e], chance.known[e], i, j
            )
        feedback, minutes = state.latent[e, i, j, 0], state.latent[e, i, j, 1]
    if chance.staff.shape[2] > draws.NUM_STAFF_VALUES:
        feedback -= draws.inexperience(chance.staff[e], j, state.desk_i[e, j, col.TAKEN])
    return draws.predict_latent(plan.law, feedback, minutes, state.desk_i[e, j, col.CHATS])


@inner_kernel
def predict_shown(plan, chance, state, e, i, j):  # type: ignore[no-untyped-def]
    """What a view shows of a pair: predicted quality in [0, 1] and minutes."""
    if plan.rules_i[col.INBOXES] and plan.people_i[j, col.INBOX_SIZE] == 0:
        return 0.0, plan.rules_f[col.BRIDGE_MINUTES]
    feedback, minutes = predict(plan, chance, state, e, i, j)
    if state.contact_i[e, i, col.TRANSFERS] > 0:
        minutes = state.contact_f[e, i, col.PREDICTED_REST]
    return (feedback - 1.0) / 4.0, minutes


@inner_kernel
def predict_rest(plan, chance, state, e, j, k):  # type: ignore[no-untyped-def]
    """What the remaining-time model says of the service in hand `k` of a counsellor."""
    hand, now = state.hand_f[e, j, k], state.clock_f[e, col.NOW]
    return draws.predict_remaining(
        plan.knots,
        plan.error_sd,
        plan.rules_f[col.REMAINING_FLOOR],
        hand[col.SERVICE_END] - now,
        chance.callers_f[e, state.hand_i[e, j, k, col.CONTACT], draws.REMAINING_NOISE],
        hand[col.PREDICTED],
        now - hand[col.STARTED_AT],
    )


@inner_kernel
def predict_hand(plan, chance, state, e, j, k):  # type: ignore[no-untyped-def]
    """What a view shows of the minutes that remain of hand `k` of a counsellor, without the wrap-up after service."""
    hand, leg, now = state.hand_f[e, j, k], state.hand_i[e, j, k, col.LEG], state.clock_f[e, col.NOW]
    if leg == _SERVICE and now < hand[col.SERVICE_END]:
        return predict_rest(plan, chance, state, e, j, k)
    return hand[col.PREDICTED] if leg == _BRIDGE else hand[col.END] - now
