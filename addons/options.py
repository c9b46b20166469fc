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
KEEP_FLOWS = Option(
    "patchbay_keep_flows", int, 2000, "Flows that mitmweb and mitmproxy keep: the oldest unmarked ones go; 0 keeps all."
)
OPTIONS = (FLOW_BODY_LIMIT, KEEP_FLOWS)


def declare(loader: Loader) -> None:
    """Tell mitmproxy of our options."""
    for option in OPTIONS:
        loader.add_option(option.name, option.type, option.default, option.help)
