"""Where a future that was drawn from a view begins."""

from mhgym.engines.posterior import Drawn
from mhgym.engines.protocol import KnownHand, KnownWaiting, Situation
from mhgym.view import CentreView, Phase


def situation_of(view: CentreView, drawn: Drawn, number: int) -> Situation:
    """Where one of the futures begins."""
    staff = view.staff
    return Situation(
        now=view.now,
        waiting=_waiting(view, drawn, number),
        in_hand=_in_hand(view, drawn, number),
        chats=tuple(staff.chats.tolist()),
        taken=tuple(staff.taken.tolist()),
        on_duty=tuple(staff.on_duty.tolist()),
        off_at=tuple(staff.off_at.tolist()),
        back_at=tuple(staff.back_at.tolist()),
        break_due=tuple(staff.break_due.tolist()),
        idle_since=tuple(staff.idle_since.tolist()),
        busy_since=tuple(staff.busy_since.tolist()),
        arrivals=tuple(view.arrivals.tolist()),
    )


def _waiting(view: CentreView, drawn: Drawn, number: int) -> tuple[KnownWaiting, ...]:
    queue, leaves_at = view.waiting, drawn.leaves_at[number]
    return tuple(
        KnownWaiting(
            contact=int(drawn.rank[row]),
            joined_at=float(queue.joined_at[row]),
            transferred=bool(queue.transferred[row]),
            zombie=bool(leaves_at[row] <= view.now),
            leaves_at=float(leaves_at[row]),
            remaining=float(drawn.remaining[number, row]),
            predicted_rest=float(queue.remaining[row]),
            inbox=int(queue.inbox[row]),
            bridges=int(queue.bridges[row]),
        )
        for row in range(len(queue))
    )


def _in_hand(view: CentreView, drawn: Drawn, number: int) -> tuple[KnownHand, ...]:
    held = view.in_hand
    return tuple(
        KnownHand(
            contact=int(drawn.rank[len(view.waiting) + k]),
            counsellor=int(held.counsellor[k]),
            phase=Phase(int(held.phase[k])),
            started_at=float(held.started_at[k]),
            service_end=float(drawn.service_end[number, k]),
            end=float(drawn.end[number, k]),
            predicted=float(held.predicted[k]),
            inbox=int(held.inbox[k]),
            bridges=int(held.bridges[k]),
        )
        for k in range(len(held))
    )
