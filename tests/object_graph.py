"""Whether one object leads to another: what must be forgotten must not be kept anywhere."""

import gc
from asyncio import AbstractEventLoop
from types import FunctionType, ModuleType


def leads_to(root: object, wanted: object) -> bool:
    """Follow every reference from ``root``, but into modules, classes, event loops and the globals of functions."""
    ahead, seen = [root], set[int]()
    while ahead:
        one = ahead.pop()
        if one is wanted:
            return True
        if id(one) in seen or isinstance(one, type | ModuleType | AbstractEventLoop):
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType):
            ahead += [one.__closure__, one.__defaults__, one.__kwdefaults__]
        else:
            ahead += gc.get_referents(one)
    return False
