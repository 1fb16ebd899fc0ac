"""Mail: composes notices as text and HTML, and hands them to the mail server.

Says exactly how handing over went, because a mail that may have gone out must not be sent again: `Refused` means that
the server did not take it, `Unknown` that nobody knows.
"""

from __future__ import annotations

import email.policy
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

import jinja2

from resources.notice_pages import Told
from resources.settings import Settings

SMTP_SECONDS = 20
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class MailRefused(Exception):
    """The mail server did not take the mail; it may be tried again unless `is_final`."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class MailUnknown(Exception):
    """The connection ended after the mail was handed over and before the server answered."""


def compose(notices: Sequence[Told], *, builder_name: str, to: str, settings: Settings) -> EmailMessage:
    """Return one mail about several notices, each with the way to the page that shows it."""
    first, more = notices[0].notice.title, len(notices) - 1
    subject = " ".join(f"{first}{f' (and {more} more)' if more else ''}".split())
    said = {
        "notices": notices,
        "builder_name": builder_name,
        "address": settings.public_base_url,
        "subject": subject,
    }
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = settings.smtp_from
    mail["To"] = to
    mail["Message-ID"] = make_msgid(domain=settings.smtp_from.rpartition("@")[2] or "localhost")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_TEMPLATES.get_template("notices.txt").render(said))
    mail.add_alternative(_TEMPLATES.get_template("notices.html").render(said), subtype="html")
    return mail


def send(mail: EmailMessage, settings: Settings) -> None:
    """Hand a mail to the mail server, or raise MailRefused or MailUnknown."""
    try:
        server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=SMTP_SECONDS)
    except (OSError, smtplib.SMTPException) as error:
        raise MailRefused(f"the mail server did not answer ({type(error).__name__})") from error
    try:
        _address(server, mail, settings)
        _hand_over(server, mail)
    finally:
        server.close()


def _address(server: smtplib.SMTP, mail: EmailMessage, settings: Settings) -> None:
    try:
        server.ehlo_or_helo_if_needed()
        if settings.smtp_starttls:
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if settings.smtp_username:
            server.login(settings.smtp_username, settings.smtp_password.get_secret_value())
        for code, answer in (server.mail(settings.smtp_from), server.rcpt(str(mail["To"]))):
            if code >= 400:
                raise MailRefused(f"{code} {answer.decode(errors='replace')}", is_final=code >= 500)
    except (OSError, smtplib.SMTPException) as error:
        raise MailRefused(f"the mail server refused the conversation ({type(error).__name__})") from error


def _hand_over(server: smtplib.SMTP, mail: EmailMessage) -> None:
    try:
        code, answer = server.data(mail.as_bytes(policy=email.policy.SMTP))
    except smtplib.SMTPDataError as error:
        raise MailRefused(
            f"{error.smtp_code} {error.smtp_error!r}", is_final=error.smtp_code >= 500
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailUnknown(f"no answer after the mail was handed over ({type(error).__name__})") from error
    if code >= 400:
        raise MailRefused(f"{code} {answer.decode(errors='replace')}", is_final=code >= 500)
