"""Telling people by themselves: alerts and the weekly digest, by webhook, e-mail or Slack.

matters     what is the matter right now, told once when it turns
letters     what an alert says, as text, HTML and JSON
senders     one message to one receiver, whole or not at all
post        from the ledger's box to the receivers, beside the worker and never in its way
weekly      the digest: when it is due, and where it goes

Promise: at least once, in the order of things, with the same number each time; a dead receiver costs nobody else
anything. No person's data leaves but a record's key and link, unless syncd.toml says otherwise.
"""
