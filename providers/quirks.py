"""What a kind of server and its models can and cannot do, as data: a new fact is a field with a documented default.

Two tables, both asked and never guessed around: `Quirks` is about the server as such (does it list models?),
`Capabilities` about what a model may be told in a request. The defaults are those of a careful stranger: an unknown
compatible server is taken to speak plain OpenAI and no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from providers.model_facts import FAMILIES, SERVERS, Facts
from providers.wire.capabilities import Capabilities

NO_FACTS: Facts = {}


@dataclass(frozen=True, slots=True)
class Quirks:
    """Facts about one kind of server.

    ``lists_models``  it answers ``GET …/models``; where it does not, the registry's ``models`` are the list
    ``models_query``  what is asked for with that list (Anthropic pages by 20 unless told otherwise)
    ``probe_path``    a free call that shows whether the server is there and takes the key
    ``health_path``   below the base URL: 200, or 503 while it loads a model; "" where there is no such page
    ``slots_path``    below the base URL: how many calls it works on at once, and on how many now; "" for none
    """

    lists_models: bool = True
    models_query: str = ""
    probe_path: str = "/models"
    health_path: str = ""
    slots_path: str = ""


UNKNOWN = Quirks()


def capabilities(kind: str, model: str, overrides: Iterable[Facts] = (), *, like: str = "") -> Capabilities:
    """What ``model`` can be told at a server of ``kind``.

    ``like`` names the row of `SERVERS` that describes the server better than its kind does ("" for none: it is the
    kind's own). Each of ``overrides`` wins over what stands before it: the registry's word for a provider, then that
    for a model.
    """
    facts = _known(like or kind, model.lower())
    for override in overrides:
        facts = {**facts, **override}
    return Capabilities(**facts)


@lru_cache(maxsize=256)
def _known(server: str, model: str) -> Facts:
    facts = SERVERS.get(server, NO_FACTS)
    for row in FAMILIES:
        if (not row.servers or server in row.servers) and row.pattern.search(model):
            facts = {**facts, **row.facts}
    return facts
