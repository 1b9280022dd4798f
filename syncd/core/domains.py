"""Web domains: what a company is recognised by, however its address is written.

Promise: every way to write the address of one site compares as one domain, in its ASCII form; nothing is guessed, and
no name is looked up. A subdomain is another domain: without the world's list of suffixes nobody knows where a company's
own name begins, and `shop.acme.com` may be somebody else's.
"""

from __future__ import annotations

import re
from typing import Final

from syncd.core.model import Bad

MAX_DOMAIN_CHARS: Final = 253
"""Longest name that the domain name system carries."""

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/*")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")

FREE_MAIL: Final = frozenset(
    """
    163.com 126.com aim.com aol.com att.net bigpond.com bluewin.ch bol.com.br btinternet.com charter.net comcast.net
    cox.net duck.com earthlink.net email.com fastmail.com fastmail.fm free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com
    gmx.de gmx.net googlemail.com hey.com hotmail.be hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it
    icloud.com inbox.ru interia.pl laposte.net libero.it live.be live.co.uk live.com live.de live.fr live.nl mac.com
    mail.com mail.de mail.ru mailbox.org me.com msn.com naver.com o2.pl online.de onet.pl optonline.net orange.fr
    outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me posteo.de proton.me protonmail.ch protonmail.com qq.com
    rambler.ru rediffmail.com rocketmail.com rogers.com sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sky.com
    t-online.de talktalk.net telenet.be terra.com.br tutanota.com uol.com.br verizon.net virgilio.it virginmedia.com
    wanadoo.fr web.de wp.pl xs4all.nl yahoo.ca yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.au yahoo.com.br
    yahoo.de yahoo.es yahoo.fr yahoo.it yandex.com yandex.ru ymail.com zoho.com
    """.split()  # noqa: SIM905 - a list of them would fill three screens
)
"""Domains that everybody may have an address at. They belong to no company that anybody is recognised by."""


def domain_of(text: str) -> str | Bad:
    """The domain that a web address, a host name or an e-mail address (in small letters, no spaces around it) belongs
    to: `acme.com` for `https://www.acme.com/about`, `acme.com.` and `info@acme.com`; letters beyond ASCII as the name
    system spells them (`xn--…`)."""
    host = re.split(r"[/?#\\]", _SCHEME.sub("", text), maxsplit=1)[0].rpartition("@")[2].partition(":")[0].strip(". ")
    while host.startswith("www."):
        host = host[4:]
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return Bad("it is not a web domain")
    labels = host.split(".")
    fits = len(labels) > 1 and len(host) <= MAX_DOMAIN_CHARS and all(map(_LABEL.fullmatch, labels))
    return host if fits and not labels[-1].isdigit() else Bad("it is not a web domain")


def spellings(name: str) -> tuple[str, ...]:
    """The common ways to write the address of a domain's site, for look-ups that find only what is written exactly
    so."""
    hosts = (name, f"www.{name}")
    return (*hosts, *(f"{scheme}://{host}{end}" for scheme in ("https", "http") for host in hosts for end in ("", "/")))
