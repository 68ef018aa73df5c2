"""A team's chat, by the incoming webhooks of Slack (and Mattermost) and of Microsoft Teams."""

import json
from typing import Any

from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from core import outbound
from core.quick import Compiled
from messaging.choices import ChatStyle
from messaging.models import ChatHook
from messaging.outbox import Rendered
from stores.models import Store

_TIMEOUT_SECS = 10


def body_for(style: str, rendered: Rendered) -> dict[str, Any]:
    """What the webhook is sent. Shoppers' words are text there, never markup and never a mention."""
    if style == ChatStyle.TEAMS:
        return _card(rendered)
    # https://api.slack.com/reference/surfaces/formatting: these three and no others are escaped.
    lines = [f"*{_slack(rendered.subject)}*", *(f"> {_slack(line)}" for line in rendered.text.splitlines() if line)]
    link = [f"<{rendered.url}|{_slack(_('Open the case'))}>"] if rendered.url else []
    return {"text": "\n".join([*lines, *link]), "unfurl_links": False, "unfurl_media": False}


def _slack(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A zero-width space keeps asterisks and the like from pairing up, and @here from calling everybody.
    return "".join(f"\u200b{c}\u200b" if c in "*_~`@" else c for c in escaped)


def _card(rendered: Rendered) -> dict[str, Any]:
    """An adaptive card: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors."""
    # TextRun, unlike TextBlock, reads no Markdown.
    title = {"type": "TextRun", "text": rendered.subject, "weight": "Bolder"}
    blocks = [{"type": "RichTextBlock", "inlines": [title]}]
    blocks += [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]}
        for line in rendered.text.splitlines()
        if line
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": blocks,
    }
    if rendered.url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": _("Open the case"), "url": rendered.url}]
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def hooks_of(store: Store, *, severe: bool) -> list[ChatHook]:
    """The chats that are told of a case at this store."""
    return [hook for hook in _listening(store.pk, store.node.above) if severe or not hook.severe_only]


_listening = Compiled(
    lambda store_id, nodes: ChatHook.objects.filter(
        Q(store=store_id) | Q(node__in=RawSQL("SELECT unnest(%s::bigint[])", [nodes])), retired_at=None
    ),
    -1,
    [-2],
)


def send_to_chat(hook: ChatHook, rendered: Rendered) -> outbound.Answer:
    """Post one message. Raises outbound.Forbidden and outbound.Unreachable."""
    body = json.dumps(body_for(hook.style, rendered), ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return outbound.post(hook.url or "", body, headers, timeout_secs=_TIMEOUT_SECS)
