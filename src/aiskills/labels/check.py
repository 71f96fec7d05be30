"""What is wrong with labels: contradictions, offsets beyond the text, offers that are not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiskills.labels.records import MentionLabel, OfferLabel
from aiskills.schema import STATUS_ORDER, Definition


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: What kind, as a few words.
        uid: The offer.
        what: What exactly.
    """

    kind: str
    uid: str
    what: str


def check_labels(
    offers: Sequence[OfferLabel],
    mentions: Sequence[MentionLabel],
    lengths: Mapping[str, int] | None = None,
) -> list[Finding]:
    """Looks for labels that cannot all be true.

    Args:
        offers: Labels of offers.
        mentions: Labels of mentions.
        lengths: Characters of ``title + newline + description`` of each offer, by identifier;
            None to leave texts aside.

    Returns:
        What is wrong, by kind: offers labelled twice, and differently; mentions labelled twice,
        and differently; a mention that says more than its offer; offers of one draw with and
        without a probability; and with `lengths`, offers that are not among them and offsets
        beyond their text.
    """
    findings = _twice(offers, mentions) + _stronger(offers, mentions) + _without(offers)
    return findings if lengths is None else findings + _elsewhere(offers, mentions, lengths)


def _twice(offers: Sequence[OfferLabel], mentions: Sequence[MentionLabel]) -> list[Finding]:
    found: list[Finding] = []
    said: dict[str, set[tuple[str, str]]] = {}
    for offer in offers:
        said.setdefault(offer.uid, set()).add((offer.strict, offer.study))
    for uid, both in said.items():
        if len(both) > 1:
            told = " and ".join(f"strict {a}, study {b}" for a, b in sorted(both))
            found.append(Finding("offer labelled in two ways", uid, told))
    places: dict[tuple[str, int, int], set[str]] = {}
    for mention in mentions:
        key = (mention.uid, mention.start, mention.end)
        places.setdefault(key, set()).add(f"{mention.status} {mention.definition or ''}".strip())
    found += [
        Finding("mention labelled in two ways", uid, f"{start} to {end}: {' and '.join(sorted(s))}")
        for (uid, start, end), s in places.items()
        if len(s) > 1
    ]
    return found


def _stronger(offers: Sequence[OfferLabel], mentions: Sequence[MentionLabel]) -> list[Finding]:
    by_uid = {offer.uid: offer for offer in offers}
    found = []
    for mention in mentions:
        offer = by_uid.get(mention.uid)
        if offer is None or mention.definition is None:
            continue
        status = offer.strict if mention.definition is Definition.STRICT else offer.study
        if STATUS_ORDER.index(mention.status) > STATUS_ORDER.index(status):
            what = (
                f"{mention.start} to {mention.end}: {mention.status}, "
                f"the offer {status} under {mention.definition}"
            )
            found.append(Finding("mention says more than its offer", mention.uid, what))
    return found


def _without(offers: Sequence[OfferLabel]) -> list[Finding]:
    known = Counter(offer.set for offer in offers if offer.inclusion is not None)
    return [
        Finding("no probability in a draw that has them", offer.uid, f"set {offer.set or '(none)'}")
        for offer in offers
        if offer.inclusion is None and known[offer.set]
    ]


def _elsewhere(
    offers: Sequence[OfferLabel], mentions: Sequence[MentionLabel], lengths: Mapping[str, int]
) -> list[Finding]:
    uids = dict.fromkeys([*(o.uid for o in offers), *(m.uid for m in mentions)])
    found = [Finding("not among the offers", uid, "") for uid in uids if uid not in lengths]
    places = [(o.uid, start, end) for o in offers for start, end in o.evidence]
    places += [(m.uid, m.start, m.end) for m in mentions]
    found += [
        Finding("beyond the text", uid, f"{start} to {end}, of {lengths[uid]} characters")
        for uid, start, end in dict.fromkeys(places)
        if uid in lengths and end > lengths[uid]
    ]
    return found
