"""Tuples of arrays handed to compiled code by address.

Numba looks at every argument of a call from Python. For a batch of centres these are 50 arrays and 13 microseconds, ten
times what a step of one centre takes; for one array that says where they are it is less than one.
"""

import hashlib
from typing import Any

import numpy as np
from numba import types
from numba.core.errors import TypingError
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numpy.typing import NDArray

from mhgym.engines.columns import Chance, Plan, State

_intrinsic: Any = intrinsic  # which hides the first argument
_SCALARS = {
    "f": types.float64,
    "i": types.int64,
    "u": types.uint64,
    "s": types.float32,
    "c": types.int8,
    "b": types.boolean,
}


def kind_of(tuple_class: type, fields: str) -> Any:
    """Numba's type of a named tuple of arrays.

    Args:
        tuple_class: Class of the tuple.
        fields: For each field a letter and the number of dimensions: `f2` is `float64[:, :]`; `i` is int64, `u` uint64,
            `s` float32, `c` int8, `b` bool.
    """
    arrays = [types.Array(_SCALARS[field[0]], int(field[1]), "C") for field in fields.split()]
    return types.BaseTuple.from_types(arrays, tuple_class)  # type: ignore[no-untyped-call]


def layout_of(kind: Any) -> int:
    """A number that stands for the types of the fields of a tuple and their order, the same in every process."""
    return int.from_bytes(hashlib.sha256(str(kind).encode()).digest()[:7], "big")


PLAN = kind_of(Plan, "f1 i1 f1 f1 f1 i2 f1 i1 f2 i2 f2 f2 i2 f2 i2 f1 f1 f1")
CHANCE = kind_of(Chance, "i1 i1 f3 i3 u3 f3 f4")
STATE = kind_of(State, "f2 i2 f3 i3 f4 i2 f3 i3 f3 f4 i4 f3 i3 i3 f3 i3 f2 i3 f2")


def room_for(kind: Any) -> NDArray[np.int64]:
    """Room for the addresses and shapes of a tuple of this type, empty."""
    context = cpu_target.target_context
    return np.zeros(context.get_abi_sizeof(context.get_value_type(kind)) // 8, dtype=np.int64)


@_intrinsic
def write_addresses(typing_context, room, values, kind):  # type: ignore[no-untyped-def]
    """Write where the arrays of a tuple of this type are; the caller keeps them alive, and they may not move."""
    if values != kind.instance_type:
        raise TypingError(f"the arrays must be {kind.instance_type}, got {values}")

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        builder.store(arguments[1], _pointer(context, builder, signature.args[0], arguments[0], values))
        return context.get_dummy_value()

    return types.void(room, values, kind), generate


@_intrinsic
def read_addresses(typing_context, room, kind, layout):  # type: ignore[no-untyped-def]
    """The tuple of this type that was written; it counts no references, so only a kernel without them may read it.

    `layout` is `layout_of(kind)`, held in a closure of the kernel: so Numba's cache keeps kernels of different layouts
    apart, and none reads addresses in an order in which they were not written.
    """
    tuple_type = kind.instance_type

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.load(_pointer(context, builder, signature.args[0], arguments[0], tuple_type))

    return tuple_type(room, kind, layout), generate


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, tuple_type: Any) -> Any:
    """Where the data of an array begins, as a pointer to a tuple."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(data, context.get_value_type(tuple_type).as_pointer())
