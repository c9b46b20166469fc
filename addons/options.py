"""Every ``--set patchbay_…`` option, in one table. What is not about mitmproxy is a setting of the registry instead."""

from dataclasses import dataclass

from mitmproxy.addonmanager import Loader


@dataclass(frozen=True, slots=True)
class Option:
    """One option of ours."""

    name: str
    type: type
    default: int
    help: str


FLOW_BODY_LIMIT = Option(
    "patchbay_flow_body_limit", int, 1 << 20, "Bytes of an answer that its flow keeps, for mitmweb and saved flows."
)
OPTIONS = (FLOW_BODY_LIMIT,)


def declare(loader: Loader) -> None:
    """Tell mitmproxy of our options."""
    for option in OPTIONS:
        loader.add_option(option.name, option.type, option.default, option.help)
