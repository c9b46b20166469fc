"""ConversationCommands: the view *Conversation* as a file or a text, to be edited where mitmproxy has no editor for it.

mitmproxy edits a view in place; mitmweb's edit box takes the body as it is (12.2), and mitmdump has none.
``patchbay.conversation.save`` writes the YAML to a file, ``patchbay.conversation.load`` reads it back,
``patchbay.conversation.put`` takes the text itself, as mitmweb's API hands it over.
"""

from pathlib import Path

from mitmproxy import command, contentviews, ctx, exceptions, flow, hooks, http, types

from addons.flows.content_views import Conversation, ConversationRefused, Seen, edit, seen
from addons.views.refused import EditRefused


class ConversationCommands:
    """Gives a flow's conversation out, and takes it back."""

    @command.command("patchbay.conversation.save")  # type: ignore[untyped-decorator]  # mitmproxy gives it no types
    def save(self, flow: flow.Flow, part: str, path: types.Path) -> None:
        """Write the conversation of a flow's "request" or "response" to a file, as YAML to be edited."""
        found = _part(flow, part)
        text = Conversation().prettify(
            found.message.get_content(strict=False) or b"",
            contentviews.Metadata(flow=found.flow, http_message=found.message),
        )
        try:
            Path(path).expanduser().write_text(text, encoding="utf-8")
        except OSError as error:
            raise exceptions.CommandError(f"{path} cannot be written: {error.strerror}") from error

    @command.command("patchbay.conversation.load")  # type: ignore[untyped-decorator]  # mitmproxy gives it no types
    def take(self, flow: flow.Flow, part: str, path: types.Path) -> None:
        """Put an edited conversation out of a file into a flow's "request" or "response"."""
        try:
            text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise exceptions.CommandError(f"{path} cannot be read: {error}") from error
        self.put(flow, part, types.CmdArgs(text))

    @command.command("patchbay.conversation.put")  # type: ignore[untyped-decorator]  # mitmproxy gives it no types
    def put(self, flow: flow.Flow, part: str, text: types.CmdArgs) -> None:
        """Put an edited conversation, given as it is, into a flow's "request" or "response"."""
        found = _part(flow, part)
        try:
            body = edit(found, text)
        except EditRefused as error:
            raise ConversationRefused(f"{error}. Nothing was changed.") from error
        flow.backup()
        found.message.content = body
        ctx.master.addons.trigger(hooks.UpdateHook([flow]))


def _part(of: flow.Flow, part: str) -> Seen:
    if part not in ("request", "response"):
        raise exceptions.CommandError('say "request" or "response"')
    message = (of.request if part == "request" else of.response) if isinstance(of, http.HTTPFlow) else None
    found = seen(contentviews.Metadata(flow=of, http_message=message))
    if found is None:
        raise exceptions.CommandError(f"this flow has no {part} of a call of a model")
    return found
