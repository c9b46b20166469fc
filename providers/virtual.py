"""The provider without a network: its answers come from timers (see DESIGN section 4)."""

from typing import ClassVar

from providers.provider import Provider
from providers.quirks import Quirks
from providers.wire.endpoints import Dialect

DEMO = "demo"


class Demo(Provider):
    """Answers the model ``demo`` with a built-in text, so that a fresh start can be tried at once."""

    __slots__ = ()
    kind: ClassVar[str] = "demo"
    default_dialects: ClassVar[frozenset[Dialect]] = frozenset(Dialect)
    quirks: ClassVar[Quirks] = Quirks(lists_models=False)
    virtual: ClassVar[bool] = True
