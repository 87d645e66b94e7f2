"""An alert as an e-mail, which mail programs show under the one that it follows.

The first message of an alert has a Message-ID that is made of its key and its beginning: one that
is sent again after a cut connection bears the same, and a server or reader that compares them
shows it once. Whatever follows refers to it (RFC 5322, section 3.6.4).
"""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from hashlib import sha256
from typing import TYPE_CHECKING

from x0tta_cli.alert.channels.plain_text import text_of, title_of
from x0tta_cli.alert.model import Message
from x0tta_cli.core.notices import Severity
from x0tta_cli.core.text import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

# RFC 5321, section 4.5.3.1.7: every server takes 64 KiB. Base64 makes four bytes of three.
MAX_TEXT_BYTES = 40_000
# Lines may have 998 characters (section 4.5.3.1.6).
MAX_LINE = 900
THREAD = "thread"


def thread_of(message: Message, sender: str) -> str:
    """Give the Message-ID of the first message about this alert."""
    began = message.notice.starts_at.timestamp()
    return message.memory.get(THREAD) or _identifier(f"{message.key} {began}", sender)


def compose(
    message: Message, sender: str, recipients: Sequence[str], now: datetime
) -> EmailMessage:
    """Write the e-mail; no text from outside can begin another header or another message."""
    # Seven bits: not every server takes more, and a relay that does not would change the text.
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["From"] = _clean(sender)
    mail["To"] = ", ".join(map(_clean, recipients))
    mail["Subject"] = title_of(message)
    mail["Date"] = format_datetime(now)
    thread = thread_of(message, sender)
    if THREAD in message.memory:
        mail["Message-ID"] = _identifier(f"{message.key} {thread} {message.number}", sender)
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    else:
        mail["Message-ID"] = thread
    # No out-of-office note is to answer (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    if message.notice.severity is Severity.CRITICAL:
        mail["Importance"] = "high"
    text = text_of(message, MAX_TEXT_BYTES)
    is_plain = text.isascii() and max(map(len, text.split("\n"))) <= MAX_LINE
    mail.set_content(text, cte="7bit" if is_plain else "base64")
    return mail


def address_of(text: str) -> str:
    """Give the bare address of `Name <address>`."""
    return parseaddr(text)[1]


def _clean(text: str) -> str:
    name, address = parseaddr(text)
    # Encoded where the mail is written out, for which it has to be Unicode here.
    return formataddr((escape(name), escape(address)), charset="utf-8")


def _identifier(text: str, sender: str) -> str:
    domain = address_of(sender).rpartition("@")[2]
    domain = domain if re.fullmatch(r"[A-Za-z0-9.-]+", domain) else "x0tta.invalid"
    return f"<{sha256(text.encode()).hexdigest()[:40]}@{domain}>"
