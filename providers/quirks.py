"""What a kind of server can and cannot do, as data: a new fact is a field with a documented default, never an `if`.

The defaults are those of a careful stranger: an unknown compatible server is taken to speak plain OpenAI and no more.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quirks:
    """Facts about one kind of server.

    ``lists_models``  it answers ``GET …/models``; where it does not, the registry's ``models`` are the list
    ``models_query``  what is asked for with that list (Anthropic pages by 20 unless told otherwise)
    ``probe_path``    a free call that shows whether the server is there and takes the key
    """

    lists_models: bool = True
    models_query: str = ""
    probe_path: str = "/models"


UNKNOWN = Quirks()
