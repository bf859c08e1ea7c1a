"""Why a network decides as it does: the score of every candidate, the features that moved it, and simple rules beside.

Scores are attributed to features by integrated gradients (Sundararajan, Taly & Yan 2017), along the straight path from
an observation of zeros in which the same people are there: the attributions add up to what the score gained on it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.first_come import FirstCome
from agents.index_rules import CMT
from agents.learned import Learned
from agents.network_card import FEATURES
from mhgym.mdp.observation import ObservationLayout
from mhgym.policy import policy_rng
from mhgym.scenario import Scenario
from mhgym.view import HOLD, CentreView, Pair

#: Points of the path; attributions then add up within a hundredth.
STEPS = 64


@dataclass(frozen=True)
class Candidate:
    """One thing that could be done.

    Attributes:
        pair: Row of the view and counsellor, or `HOLD`.
        words: For people.
        score: Of the network.
        probability: That the policy in training would do it.
        attributions: Names of features with what each added to the score, the largest first.
        rest: What all other features added, those of other people among them.
    """

    pair: Pair
    words: str
    score: float
    probability: float
    attributions: tuple[tuple[str, float], ...]
    rest: float


@dataclass(frozen=True)
class Explanation:
    """One decision.

    Attributes:
        minute: When.
        candidates: The legal pairs and HOLD, the highest score first; the first is what the network does.
        rules: What simple rules would do, by name.
    """

    minute: float
    candidates: tuple[Candidate, ...]
    rules: dict[str, str]

    def text(self) -> str:
        """For people."""
        lines = [f"minute {self.minute:.1f}: {self.candidates[0].words}"]
        lines += [f"  {name} would: {words}" for name, words in self.rules.items()]
        for candidate in self.candidates:
            lines.append(f"{candidate.score:+8.3f}  {candidate.probability:6.1%}  {candidate.words}")
            named = ", ".join(f"{name} {value:+.3f}" for name, value in candidate.attributions)
            lines.append(f"                  {named}; all else {candidate.rest:+.3f}")
        return "\n".join(lines)


def explain(policy: Learned, scenario: Scenario, view: CentreView, num_attributions: int = 4) -> Explanation:
    """Explain what a network decides.

    Args:
        policy: The network.
        scenario: The centre.
        view: What is decided on.
        num_attributions: Features named for each candidate.
    """
    policy.reset(scenario, policy_rng("", policy.name))
    obs, mask = policy.see(view)
    layout, actions = policy.layout, policy.actions
    with torch.no_grad():
        logits = policy.score(obs)[0]
    legal = np.flatnonzero(mask[0].numpy())
    scores = logits[legal]
    probabilities = torch.softmax(scores, dim=0)
    attributions = integrated_gradients(policy, obs, legal)
    candidates = []
    for place in torch.argsort(scores, descending=True, stable=True).tolist():
        pair = actions.decode(int(legal[place]), view)
        slot, counsellor = divmod(int(legal[place]), layout.num_counsellors) if pair != HOLD else (-1, -1)
        named, rest = name_attributions(attributions[place], layout, slot, counsellor)
        best = sorted(named.items(), key=lambda item: -abs(item[1]))
        left = rest + sum(attribution for _, attribution in best[num_attributions:])
        score, probability = float(scores[place]), float(probabilities[place])
        candidates.append(
            Candidate(pair, describe(pair, view), score, probability, tuple(best[:num_attributions]), left)
        )
    rules = {}
    for rule in (FirstCome(), CMT()):
        rule.reset(scenario, policy_rng("", rule.name))
        rules[rule.name] = describe(rule.act(view), view)
    return Explanation(view.now, tuple(candidates), rules)


def integrated_gradients(policy: Learned, obs: Tensor, actions: NDArray[np.int64]) -> NDArray[np.float32]:
    """`[len(actions), size]` what each feature of one observation `[1, size]` adds to the score of each action."""
    shares = (torch.arange(STEPS) + 0.5) / STEPS
    path = (shares.unsqueeze(1) * obs).requires_grad_()
    logits = policy.score(path)
    result = []
    for action in actions.tolist():
        (gradient,) = torch.autograd.grad(logits[:, action].sum(), path, retain_graph=True)
        result.append((gradient.mean(dim=0) * obs[0]).numpy())
    return np.array(result)


def name_attributions(
    attributions: NDArray[np.float32],
    layout: ObservationLayout,
    slot: int,
    counsellor: int,
) -> tuple[dict[str, float], float]:
    """Credits `[size]` by name, of the centre and of a pair's own people, and the sum of all others.

    Args:
        attributions: Of every feature.
        layout: Of the observation.
        slot: Of the caller; -1 for none.
        counsellor: -1 for none.
    """
    blocks = layout.split(attributions)
    own = {"centre": ("globals", blocks["globals"])}
    if slot >= 0:
        own["caller"] = ("queue", blocks["queue"][slot])
        own["counsellor"] = ("counsellors", blocks["counsellors"][counsellor])
        own["pair"] = ("pairs", blocks["pairs"][slot, counsellor])
    named = {
        f"{who} {name}": float(attribution)
        for who, (block, values) in own.items()
        for name, attribution in zip(FEATURES[block], values, strict=True)
    }
    return named, float(attributions.sum()) - sum(named.values())


def describe(pair: Pair, view: CentreView) -> str:
    """A decision in words."""
    if pair == HOLD:
        return "hold"
    waiting, row = view.waiting, pair.row
    minutes = view.now - waiting.joined_at[row]
    return f"contact {waiting.contact[row]} (waiting {minutes:.1f} min) to counsellor {pair.counsellor}"
