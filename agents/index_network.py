"""The index-rule network: every pair of a caller and a counsellor is scored by the same small network.

A caller, a counsellor and the pair of them are encoded from their features and those of the centre; each caller then
hears of all counsellors and each counsellor of all callers, by the mean over their pairs. Nothing depends on the order
of queue or roster, nor on their sizes, so that one network serves any of both. Only callers and counsellors who are
there are computed: a centre shows a handful of pairs where its layout has hundreds.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mhgym.mdp.observation import (
    COUNSELLOR_FEATURES,
    GLOBAL_FEATURES,
    PAIR_FEATURES,
    QUEUE_FEATURES,
    ObservationLayout,
)

_ON_DUTY, _ON_BREAK = COUNSELLOR_FEATURES.index("on_duty"), COUNSELLOR_FEATURES.index("on_break")
#: Logit of a pair that may not be assigned: its probability is 0, and its share of the entropy too.
ILLEGAL = -1e8
_PRESENT, _LEGAL = QUEUE_FEATURES.index("present"), PAIR_FEATURES.index("legal")


class Groups(NamedTuple):
    """Rows that belong to groups.

    Attributes:
        of: `[T]` the group of each row.
        share: `[S, 1]` 1 / rows of each of the `S` groups, 1 for an empty one.
    """

    of: Tensor
    share: Tensor

    @classmethod
    def count(cls, of: Tensor, size: int) -> "Groups":
        """Groups whose rows are counted."""
        ones = torch.ones_like(of, dtype=torch.float32)
        return cls(of, 1.0 / ones.new_zeros(size).scatter_add(0, of, ones).clamp(min=1.0).unsqueeze(1))

    def mean(self, values: Tensor) -> Tensor:
        """`[S, d]` means of rows `[T, d]`; 0 for an empty group."""
        total = values.new_zeros(self.share.shape[0], values.shape[1])
        return total.scatter_add(0, self.of.unsqueeze(1).expand_as(values), values) * self.share

    def spread(self, values: Tensor) -> Tensor:
        """`[T, d]` for each row what its group has `[S, d]`."""
        return values.index_select(0, self.of)


class Scene(NamedTuple):
    """Who is there in a batch of `B` centres: `Q` waiting contacts, `K` counsellors on duty, and their `T` pairs.

    Attributes:
        centre: `[B, G]` features of the centre, and whatever else the network is told, such as reward weights.
        callers: `[Q, F]` features.
        counsellors: `[K, F]` features.
        pairs: `[T, F]` features.
        caller_at: Centre of each caller.
        counsellor_at: Centre of each counsellor.
        pair_at: Centre of each pair.
        caller_of: Caller of each pair.
        counsellor_of: Counsellor of each pair.
        legal: `[L]` which pairs may be assigned now.
        legal_at: Centre of each of those.
        action: `[L]` the action of each of those in the flat table of all centres, `B * (N * C + 1)`.
        num_actions: `N * C + 1`.
    """

    centre: Tensor
    callers: Tensor
    counsellors: Tensor
    pairs: Tensor
    caller_at: Groups
    counsellor_at: Groups
    pair_at: Groups
    caller_of: Groups
    counsellor_of: Groups
    legal: Tensor
    legal_at: Groups
    action: Tensor
    num_actions: int


def scene_of(flat: Tensor, layout: ObservationLayout) -> Scene:
    """Find who is there in observations `[B, size + W]`; the last `W` features are put beside those of the centre.

    Raises:
        ValueError: If the observations are shorter than the layout.
    """
    if flat.shape[-1] < layout.size:
        raise ValueError(f"the layout has {layout.size} features, the observation {flat.shape[-1]}")
    block = {name: flat[:, part].reshape(-1, *layout.shapes[name]) for name, part in layout.slices.items()}
    num_slots, num_counsellors = layout.num_slots, layout.num_counsellors
    there = block["queue"][:, :, _PRESENT] > 0
    desks = block["counsellors"]
    on_duty = (desks[:, :, _ON_DUTY] > 0) | (desks[:, :, _ON_BREAK] > 0)
    b, i, j = (there.unsqueeze(2) & on_duty.unsqueeze(1)).nonzero(as_tuple=True)
    pairs = block["pairs"].flatten(0, 2).index_select(0, (b * num_slots + i) * num_counsellors + j)
    legal = (pairs[:, _LEGAL] > 0).nonzero().squeeze(1)
    num_actions = num_slots * num_counsellors + 1
    action = b * num_actions + i * num_counsellors + j
    callers, counsellors = block["queue"][there], desks[on_duty]
    size = flat.shape[0]
    return Scene(
        centre=torch.cat([block["globals"], flat[:, layout.size :]], dim=1),
        callers=callers,
        counsellors=counsellors,
        pairs=pairs,
        caller_at=Groups.count(there.nonzero()[:, 0], size),
        counsellor_at=Groups.count(on_duty.nonzero()[:, 0], size),
        pair_at=Groups.count(b, size),
        caller_of=Groups.count(_ranks(there).index_select(0, b * num_slots + i), callers.shape[0]),
        counsellor_of=Groups.count(_ranks(on_duty).index_select(0, b * num_counsellors + j), counsellors.shape[0]),
        legal=legal,
        legal_at=Groups.count(b.index_select(0, legal), size),
        action=action.index_select(0, legal),
        num_actions=num_actions,
    )


def _ranks(flags: Tensor) -> Tensor:
    """How many are set before each, in the flat order."""
    return flags.flatten().long().cumsum(0) - 1


class Encoded(NamedTuple):
    """What the encoder makes of a scene.

    Attributes:
        context: `[B, d]` of each centre.
        pairs: `[T, d]` of each pair.
        legal: `[L, d]` of each legal pair.
    """

    context: Tensor
    pairs: Tensor
    legal: Tensor


class Encoder(nn.Module):
    """Encodes a centre, the callers and counsellors in it, and their pairs.

    Args:
        width: d, features of everything hidden.
        num_extra: W, features that the centre has beyond the observation.
    """

    def __init__(self, width: int, num_extra: int = 0) -> None:
        super().__init__()
        self.centre = nn.Linear(len(GLOBAL_FEATURES) + num_extra, width)
        self.caller = nn.Linear(len(QUEUE_FEATURES), width)
        self.counsellor = nn.Linear(len(COUNSELLOR_FEATURES), width)
        self.pair = nn.Linear(len(PAIR_FEATURES), width)
        self.caller_in_pair = nn.Linear(width, width, bias=False)
        self.counsellor_in_pair = nn.Linear(width, width, bias=False)
        self.context = nn.Linear(5 * width, width)

    def forward(self, scene: Scene) -> Encoded:
        """Encode a scene."""
        centre = self.centre(scene.centre)
        callers = torch.relu(self.caller(scene.callers) + scene.caller_at.spread(centre))
        counsellors = torch.relu(self.counsellor(scene.counsellors) + scene.counsellor_at.spread(centre))
        pairs = torch.relu(
            self.pair(scene.pairs)
            + scene.caller_of.spread(self.caller_in_pair(callers))
            + scene.counsellor_of.spread(self.counsellor_in_pair(counsellors))
        )
        legal = pairs.index_select(0, scene.legal)
        means = [
            torch.relu(centre),
            scene.caller_at.mean(callers),
            scene.counsellor_at.mean(counsellors),
            scene.pair_at.mean(pairs),
            scene.legal_at.mean(legal),
        ]
        return Encoded(torch.relu(self.context(torch.cat(means, dim=1))), pairs, legal)


class IndexRuleActor(nn.Module):
    """Scores every legal pair, and HOLD from the context.

    Args:
        width: d.
        num_extra: W, features that the centre has beyond the observation.
    """

    def __init__(self, width: int = 64, num_extra: int = 0) -> None:
        super().__init__()
        self.encoder = Encoder(width, num_extra)
        self.heard_by_caller = nn.Linear(width, width, bias=False)
        self.heard_by_counsellor = nn.Linear(width, width, bias=False)
        self.context = nn.Linear(width, width, bias=False)
        self.pair = nn.Linear(width, width)
        self.score = nn.Linear(width, 1)
        self.hold = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
        initialise(self)
        for last in (self.score, self.hold[-1]):
            nn.init.orthogonal_(last.weight, gain=0.01)  # begin near the uniform policy

    def forward(self, scene: Scene) -> Tensor:
        """`[B, N * C + 1]` scores, the logits of a policy; `ILLEGAL` where no pair may be assigned."""
        encoded = self.encoder(scene)
        heard = self.heard_by_caller(scene.caller_of.mean(encoded.pairs))
        told = self.heard_by_counsellor(scene.counsellor_of.mean(encoded.pairs))
        hidden = (
            self.pair(encoded.legal)
            + heard.index_select(0, scene.caller_of.of.index_select(0, scene.legal))
            + told.index_select(0, scene.counsellor_of.of.index_select(0, scene.legal))
            + scene.legal_at.spread(self.context(encoded.context))
        )
        scores = self.score(torch.relu(hidden)).squeeze(1)
        size = scene.centre.shape[0]
        table = scores.new_full((size * scene.num_actions,), ILLEGAL).index_copy(0, scene.action, scores)
        held = self.hold(encoded.context).squeeze(1)
        last = torch.arange(1, size + 1) * scene.num_actions - 1
        return table.index_copy(0, last, held).reshape(size, scene.num_actions)


class IndexRuleCritic(nn.Module):
    """Predicts what is left to gain, for each reward component.

    Args:
        width: d.
        num_extra: W, features that the centre has beyond the observation.
        num_components: K reward components.
    """

    def __init__(self, width: int = 64, num_extra: int = 0, num_components: int = 4) -> None:
        super().__init__()
        self.encoder = Encoder(width, num_extra)
        self.value = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, num_components))
        initialise(self)

    def forward(self, scene: Scene) -> Tensor:
        """`[B, K]` values."""
        values: Tensor = self.value(self.encoder(scene).context)
        return values


def initialise(network: nn.Module) -> None:
    """Draw orthogonal weights, and no bias."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.orthogonal_(module.weight, gain=math.sqrt(2.0))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
