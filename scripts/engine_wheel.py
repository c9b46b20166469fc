"""llama.cpp's own server from the xllamacpp wheel, as a program: `python -m scripts.engine_wheel FILE PORT CTX`.

It stands in a process of its own because creating the server holds Python's lock until the model is loaded, and because
a crash of the engine must not be a crash of the proxy.
"""

import signal
import sys
from pathlib import Path

HOST = "127.0.0.1"


def serve(model: Path, port: int, context: int) -> None:
    """Serve ``model`` on ``port`` of loopback until SIGTERM; ``context`` in tokens, 0 is the model's own.

    Exits with a word when llama.cpp refuses the file or the port; its own words are on standard error by then.
    """
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {model.stem}
    parameters.hostnames = [HOST]
    parameters.port = port
    parameters.n_ctx = context
    parameters.use_jinja = True
    parameters.endpoint_metrics = True
    # Until the model is loaded SIGTERM keeps its default meaning: Python could not run a handler now.
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        sys.exit(str(error))
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    signal.pause()
    del server


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
