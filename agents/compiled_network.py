"""The index-rule network in compiled code: some ten microseconds for a centre, a hundredth of what torch takes for one.

The same sums as `agents.index_network`, over one observation after the other, in single precision. Nothing is
trained here; weights are taken from the modules.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.index_network import ILLEGAL, Encoder, IndexRuleActor, IndexRuleCritic
from mhgym.compiling import inlined_kernel, kernel
from mhgym.mdp.observation import (
    COUNSELLOR_FEATURES,
    GLOBAL_FEATURES,
    PAIR_FEATURES,
    QUEUE_FEATURES,
    ObservationLayout,
)

Floats = NDArray[np.float32]

_GLOBALS, _QUEUE = len(GLOBAL_FEATURES), len(QUEUE_FEATURES)
_COUNSELLOR, _PAIR = len(COUNSELLOR_FEATURES), len(PAIR_FEATURES)
_PRESENT, _LEGAL = QUEUE_FEATURES.index("present"), PAIR_FEATURES.index("legal")
_ON_DUTY, _ON_BREAK = COUNSELLOR_FEATURES.index("on_duty"), COUNSELLOR_FEATURES.index("on_break")


class Layer(NamedTuple):
    """A linear layer.

    Attributes:
        weight: `[inputs, outputs]`.
        bias: `[outputs]`.
    """

    weight: Floats
    bias: Floats


class EncoderLayers(NamedTuple):
    """Layers of `agents.index_network.Encoder`, by its names."""

    centre: Layer
    caller: Layer
    counsellor: Layer
    pair: Layer
    caller_in_pair: Layer
    counsellor_in_pair: Layer
    context: Layer


class ActorLayers(NamedTuple):
    """Layers of `agents.index_network.IndexRuleActor` after its encoder, by its names; HOLD has two."""

    heard_by_caller: Layer
    heard_by_counsellor: Layer
    context: Layer
    pair: Layer
    score: Layer
    hold: Layer
    hold_score: Layer


class CriticLayers(NamedTuple):
    """Layers of `agents.index_network.IndexRuleCritic` after its encoder."""

    hidden: Layer
    value: Layer


def _layer(module: nn.Module) -> Layer:
    assert isinstance(module, nn.Linear)

    def copy(tensor: Tensor) -> Floats:
        return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)

    bias = np.zeros(module.out_features, dtype=np.float32) if module.bias is None else copy(module.bias)
    return Layer(copy(module.weight.T), bias)


def _encoder(encoder: Encoder) -> EncoderLayers:
    return EncoderLayers(*(_layer(getattr(encoder, name)) for name in EncoderLayers._fields))


class CompiledActor:
    """An index-rule actor for observations of one layout.

    Args:
        actor: Whose weights are copied.
        layout: N queue slots and C counsellors.
    """

    def __init__(self, actor: IndexRuleActor, layout: ObservationLayout) -> None:
        self._sizes = layout.num_slots, layout.num_counsellors
        self._encoder = _encoder(actor.encoder)
        plain = (getattr(actor, name) for name in ActorLayers._fields[:5])
        self._layers = ActorLayers(*map(_layer, (*plain, actor.hold[0], actor.hold[2])))

    def __call__(self, obs: Floats) -> Floats:
        """`[B, N * C + 1]` scores of observations `[B, size + W]`; `ILLEGAL` where no pair may be assigned."""
        num_slots, num_counsellors = self._sizes
        scores = np.full((len(obs), num_slots * num_counsellors + 1), ILLEGAL, dtype=np.float32)
        room = make_room(*self._sizes, len(self._encoder.centre.bias))
        score_pairs(np.ascontiguousarray(obs), *self._sizes, self._encoder, self._layers, room, scores)
        return scores


class CompiledCritic:
    """An index-rule critic for observations of one layout.

    Args:
        critic: Whose weights are copied.
        layout: N queue slots and C counsellors.
    """

    def __init__(self, critic: IndexRuleCritic, layout: ObservationLayout) -> None:
        self._sizes = layout.num_slots, layout.num_counsellors
        self._encoder = _encoder(critic.encoder)
        self._layers = CriticLayers(_layer(critic.value[0]), _layer(critic.value[2]))

    def __call__(self, obs: Floats) -> Floats:
        """`[B, K]` values of observations `[B, size + W]`."""
        values = np.empty((len(obs), len(self._layers.value.bias)), dtype=np.float32)
        room = make_room(*self._sizes, len(self._encoder.centre.bias))
        predict_values(np.ascontiguousarray(obs), *self._sizes, self._encoder, self._layers, room, values)
        return values


class Room(NamedTuple):
    """What `encode` works in, and what it leaves there.

    Attributes:
        slots: `[N]` the slots with a caller, first come first.
        people: `[C]` the counsellors on duty.
        legal: `[N * C, 2]` caller and counsellor of each legal pair, as ranks in `slots` and `people`.
        centre: `[d]`.
        one: `[d]` of one caller or counsellor.
        callers: `[N, d]` what each caller says to its pairs.
        counsellors: `[C, d]`.
        pairs: `[N * C, d]` pairs, those of one caller together.
        means: `[5 * d]` of centre, callers, counsellors, pairs and legal pairs.
        context: `[d]`.
    """

    slots: NDArray[np.int64]
    people: NDArray[np.int64]
    legal: NDArray[np.int64]
    centre: Floats
    one: Floats
    callers: Floats
    counsellors: Floats
    pairs: Floats
    means: Floats
    context: Floats


def make_room(num_slots: int, num_counsellors: int, width: int) -> Room:
    """Room for observations of this size."""
    num_pairs = num_slots * num_counsellors
    ranks = [(num_slots,), (num_counsellors,), (num_pairs, 2)]
    hidden = [
        (width,),
        (width,),
        (num_slots, width),
        (num_counsellors, width),
        (num_pairs, width),
        (5 * width,),
        (width,),
    ]
    return Room(*(np.empty(shape, np.int64) for shape in ranks), *(np.empty(shape, np.float32) for shape in hidden))


@inlined_kernel
def copy(inputs, out):  # type: ignore[no-untyped-def]
    """Put in `out`."""
    for d in range(out.shape[0]):
        out[d] = inputs[d]


@inlined_kernel
def add(inputs, out):  # type: ignore[no-untyped-def]
    """Add to `out`."""
    for d in range(out.shape[0]):
        out[d] += inputs[d]


@inlined_kernel
def add_product(inputs, weight, out):  # type: ignore[no-untyped-def]
    """Add `inputs @ weight` to `out`; half of what comes out of a rectifier is 0."""
    for k in range(inputs.shape[0]):
        if inputs[k] != 0.0:
            for d in range(out.shape[0]):
                out[d] += inputs[k] * weight[k, d]


@inlined_kernel
def rectify(values):  # type: ignore[no-untyped-def]
    """Put 0 in the place of what is below."""
    for d in range(values.shape[0]):
        values[d] = max(values[d], np.float32(0.0))


@inlined_kernel
def divide(values, number):  # type: ignore[no-untyped-def]
    """A sum to a mean; 0 stays 0 for none."""
    for d in range(values.shape[0]):
        values[d] /= np.float32(max(number, 1))


@inlined_kernel
def find_who_is_there(flat, num_slots, num_counsellors, room):  # type: ignore[no-untyped-def]
    """Write the slots with a caller and the counsellors on duty; how many of each."""
    num_callers, num_people = 0, 0
    for i in range(num_slots):
        if flat[_GLOBALS + i * _QUEUE + _PRESENT] > 0.0:
            room.slots[num_callers] = i
            num_callers += 1
    first = _GLOBALS + num_slots * _QUEUE
    for j in range(num_counsellors):
        desk = flat[first + j * _COUNSELLOR :]
        if desk[_ON_DUTY] > 0.0 or desk[_ON_BREAK] > 0.0:
            room.people[num_people] = j
            num_people += 1
    return num_callers, num_people


@inlined_kernel
def introduce(flat, begin, size, layer, in_pair, room, mean, out):  # type: ignore[no-untyped-def]
    """Encode a caller or counsellor from `size` features, add it to its mean, write what it says to its pairs."""
    copy(layer.bias, room.one)
    add(room.centre, room.one)
    add_product(flat[begin : begin + size], layer.weight, room.one)
    rectify(room.one)
    add(room.one, mean)
    out[:] = 0.0
    add_product(room.one, in_pair.weight, out)


@inlined_kernel
def encode(flat, num_slots, num_counsellors, layers, room):  # type: ignore[no-untyped-def]
    """Encode one observation; how many callers, counsellors and legal pairs there are."""
    num_callers, num_people = find_who_is_there(flat, num_slots, num_counsellors, room)
    width = room.centre.shape[0]
    of_callers, of_people = room.means[width : 2 * width], room.means[2 * width : 3 * width]
    of_pairs, of_legal = room.means[3 * width : 4 * width], room.means[4 * width :]
    first_desk = _GLOBALS + num_slots * _QUEUE
    first_pair = first_desk + num_counsellors * _COUNSELLOR
    told = flat.shape[0] - (layers.centre.weight.shape[0] - _GLOBALS)  # what it is told stands last
    copy(layers.centre.bias, room.centre)
    add_product(flat[:_GLOBALS], layers.centre.weight, room.centre)
    add_product(flat[told:], layers.centre.weight[_GLOBALS:], room.centre)
    room.means[:] = 0.0
    add(room.centre, room.means[:width])
    rectify(room.means[:width])
    for q in range(num_callers):
        begin = _GLOBALS + room.slots[q] * _QUEUE
        introduce(flat, begin, _QUEUE, layers.caller, layers.caller_in_pair, room, of_callers, room.callers[q])
    for k in range(num_people):
        begin, out = first_desk + room.people[k] * _COUNSELLOR, room.counsellors[k]
        introduce(flat, begin, _COUNSELLOR, layers.counsellor, layers.counsellor_in_pair, room, of_people, out)
    num_legal = 0
    for q in range(num_callers):
        for k in range(num_people):
            begin = first_pair + (room.slots[q] * num_counsellors + room.people[k]) * _PAIR
            pair = room.pairs[q * num_people + k]
            copy(layers.pair.bias, pair)
            add(room.callers[q], pair)
            add(room.counsellors[k], pair)
            add_product(flat[begin : begin + _PAIR], layers.pair.weight, pair)
            rectify(pair)
            add(pair, of_pairs)
            if flat[begin + _LEGAL] > 0.0:
                room.legal[num_legal, 0], room.legal[num_legal, 1] = q, k
                num_legal += 1
                add(pair, of_legal)
    divide(of_callers, num_callers)
    divide(of_people, num_people)
    divide(of_pairs, num_callers * num_people)
    divide(of_legal, num_legal)
    copy(layers.context.bias, room.context)
    add_product(room.means, layers.context.weight, room.context)
    rectify(room.context)
    return num_callers, num_people, num_legal


@inlined_kernel
def hear(room, layer, first, step, size, out):  # type: ignore[no-untyped-def]
    """Write what somebody hears from `size` pairs, every `step`-th from `first`."""
    room.one[:] = 0.0
    for k in range(size):
        add(room.pairs[first + k * step], room.one)
    divide(room.one, size)
    out[:] = 0.0
    add_product(room.one, layer.weight, out)


@inlined_kernel
def rectified_sum(hidden, last):  # type: ignore[no-untyped-def]
    """The number that the last layer makes of what is hidden."""
    total = last.bias[0]
    for d in range(hidden.shape[0]):
        total += max(hidden[d], np.float32(0.0)) * last.weight[d, 0]
    return total


@kernel
def score_pairs(obs, num_slots, num_counsellors, encoder, layers, room, scores):  # type: ignore[no-untyped-def]
    """Write the scores of all legal pairs, and of HOLD; the others keep what they have."""
    for b in range(obs.shape[0]):
        num_callers, num_people, num_legal = encode(obs[b], num_slots, num_counsellors, encoder, room)
        for q in range(num_callers):  # what they say to their pairs has been said; now it is what they hear
            hear(room, layers.heard_by_caller, q * num_people, 1, num_people, room.callers[q])
        for k in range(num_people):
            hear(room, layers.heard_by_counsellor, k, num_people, num_callers, room.counsellors[k])
        copy(layers.pair.bias, room.centre)
        add_product(room.context, layers.context.weight, room.centre)
        for n in range(num_legal):
            q, k = room.legal[n]
            copy(room.centre, room.one)
            add(room.callers[q], room.one)
            add(room.counsellors[k], room.one)
            add_product(room.pairs[q * num_people + k], layers.pair.weight, room.one)
            action = room.slots[q] * num_counsellors + room.people[k]
            scores[b, action] = rectified_sum(room.one, layers.score)
        copy(layers.hold.bias, room.one)
        add_product(room.context, layers.hold.weight, room.one)
        scores[b, num_slots * num_counsellors] = rectified_sum(room.one, layers.hold_score)


@kernel
def predict_values(obs, num_slots, num_counsellors, encoder, layers, room, values):  # type: ignore[no-untyped-def]
    """Write the values of all reward components."""
    for b in range(obs.shape[0]):
        encode(obs[b], num_slots, num_counsellors, encoder, room)
        copy(layers.hidden.bias, room.one)
        add_product(room.context, layers.hidden.weight, room.one)
        rectify(room.one)
        copy(layers.value.bias, values[b])
        add_product(room.one, layers.value.weight, values[b])
