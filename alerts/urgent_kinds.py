"""The kinds of urgency that have a way of their own.

The model tells five apart. Two more are parts of them that chains answer by other people: somebody is hurt, somebody is
harassed. Words tell them apart, within what has been found to be urgent; what they miss goes the way of the whole.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from django.utils.translation import gettext_lazy as _

from sentiment.labels import URGENCY_LABELS
from sentiment.lexicon import Phrases, Word, available, load

INJURY, HARASSMENT = "injury", "harassment"
KINDS = ("safety", INJURY, "discrimination", HARASSMENT, "legal", "fraud", "data_protection")
URGENCY_NAMES = {**URGENCY_LABELS, INJURY: _("Injury"), HARASSMENT: _("Harassment")}
# Of which kinds of the model each is a part.
PART_OF = {INJURY: ("safety",), HARASSMENT: ("safety", "discrimination")}
_BEFORE, _AFTER = 4, 2
# Entries as in `sentiment/words`, language by language.
_WORDS = {
    INJURY: """
        injur / hurt! / hurts! / wounded / bleed / bled! / blood! / bruis / fractur / sprain / concuss / stitches /
        broke|broken|dislocated ... arm!|leg!|wrist|ankle|hip!|nose!|finger|rib!|ribs!|tooth|teeth / hospital /
        ambulance / unconscious / fainted / passed out / burnt|burned ... hand|arm!|face|finger|skin / scald /
        electrocuted / electric shock / poison / slipped ... fell / fell ... slipped / allergic reaction / anaphyla /
        hit!|hits!|punched|kicked|slapped|beat!|beaten ... me!|him!|son!|daughter|child|kid|face|head! /
        cut ... finger|hand|foot|head!
        verletz / blutet / geblutet / blutend / blut! / knochenbruch / gebrochen / prellung / verstaucht / genäht /
        gehirnerschütterung / krankenhaus / krankenwagen / rettungswagen / notarzt / bewusstlos / ohnmächtig /
        verbrüht / verbrannt ... hand|haut|finger|arm / stromschlag / vergift / lebensmittelvergiftung / gestürzt /
        ausgerutscht / geschlagen / allergischer schock
        травм / поран / кров / зламав / зламал / перелом / забій / струс мозку / лікарн / швидку! / швидка допомога /
        знепритомн / втратив|втратила свідомість / опік / обпік / отруї / отруєн / вдарив / вдарил / ударив / ударил /
        побив / побил / послизнув / послизнул
        ранен / ранил / сломал / ушиб / сотрясен / больниц / скорую! / скорая помощь / потерял|потеряла сознание /
        ожог / обжег / отрави / отравлен / избил / поскользн
        bless / saign / sang! / cassé ... bras|jambe|poignet|cheville|nez|doigt|dent / fracture / entorse / hôpital /
        ambulance / évanoui / inconscient / brûlé / brûlure / intoxication / frappé / glissé ... tomb
        herid / lesion / sangr / fractur / esguince / hospital / ambulancia / desmay / inconsciente / quemad / intoxic /
        golpe / resbal
        ferit / sangu / frattur / distorsion / ospedale / ambulanza / svenut / ustion / intossic / colpit / scivolat /
        pronto soccorso
        gewond / verwond / bloed / gebroken / ziekenhuis / flauwgevallen / bewusteloos / verbrand / voedselvergiftig /
        hersenschudding / geslagen / uitgegleden
        ranny / ranna / zrani / obraże / krwaw / krew! / krwi! / złama / szpital / karetk / pogotowi / zemdl /
        nieprzytomn / poparz / oparz / zatru / uderzył / pobił / skręci / poślizgn
        lesão / sangue / fratur / braço ... partid / ambulância / desmai / queimad / intoxica / agredi / escorreg
        zraně / zranil / poraně / krvác / krev! / zlomil / zlomen / nemocnic / sanitk / záchrank / omdlel / bezvědomí /
        popálen / opařen / otráv / otrav / udeřil / úraz / uklouz
        kom til skade / tilskadekom / kvæst / bløder / blødte / blod! / brækk / besvim / bevidstløs / forbrænd /
        madforgiftning / hjernerystelse / gled ... faldt
        skadad / skadade / blöd / bröt ... armen|benet|foten|handen / sjukhus / ambulans / svimma / medvetslös /
        brändes / matförgift / hjärnskakning / halka
        *إصاب / *أصيب / *اصيب / *جرح / *جروح / *نزيف / *ينزف / *مستشفى / *إسعاف / *اسعاف / *إغماء / *أغمي / *حروق /
        *تسمم / *كسر
    """,
    HARASSMENT: """
        harass / stalk / groped / groping / catcall / touched me / touched ... inappropriate|breast|bottom|thigh /
        followed me / sexual / inappropriate ... comment|remark|touch / intimidat / bully / bullied / leering
        belästig / begrapsch / angegrapsch / angefasst / betatsch / gestalkt / nachgestellt / nachgepfiffen /
        sexuell / anzüglich / eingeschüchtert / mobb / gemobbt
        домаг / домога / домогав / переслідув / сексуальн / лапав / лапал / мацав / чіпляв / цькув / залякув /
        домогал / преследов / приставал / лапала / запугив / непристойн / травили
        harcel / harcèl / attouche / tripot / peloté / sexuel / intimid / sifflé
        acos / manose / intimid / persigui
        molest / palpeggi / palpat / sessual / pedinat
        lastiggevallen / lastig_gevallen / aangerand / betast / seksue / gestalkt / achtervolg / nagefloten
        napast / nęka / obmac / seksual / zastrasz / prześladow
        asséd / assedi / apalp / persegui
        obtěž / osahá / sexuáln / pronásled / šikan / zastraš
        chikane / krænk / befaml / seksuel / forfulgt
        trakasser / ofreda / tafsa / sexuell / förfölj
        *تحرش / *تنمر / *مضايق / *ملاحق / *جنسي
    """,
}


def urgency_name(kind: str) -> str:
    """What people call a kind, in the reader's language; an unknown one as it is."""
    return str(URGENCY_NAMES.get(kind, kind))


def with_parts(found: Sequence[str], words: list[Word]) -> tuple[str, ...]:
    """The kinds that the model has found in a text, and the parts of them that its words name, in their order."""
    if not found:
        return ()
    parts = {part for part, wholes in PART_OF.items() if not set(wholes).isdisjoint(found)}
    named = {hit.label for hit in _phrases().find(words) if not _is_denied(words, hit.words)} if parts else set()
    said = {*found, *(parts & named)}
    return (*(kind for kind in KINDS if kind in said), *(kind for kind in found if kind not in KINDS))


def wholes_of(kinds: Iterable[str]) -> list[str]:
    """The kinds of the model among which texts of these are found."""
    return list(dict.fromkeys(whole for kind in kinds for whole in PART_OF.get(kind, (kind,))))


@cache
def _phrases() -> Phrases:
    entries = ((entry.strip(), kind) for kind, words in _WORDS.items() for entry in re.split("[/\n]", words))
    return Phrases((entry, kind) for entry, kind in entries if entry)


@cache
def _negations() -> frozenset[str]:
    return frozenset(word for language in available() for word in load(language).get("negation", ()))


def _is_denied(words: list[Word], places: tuple[int, ...]) -> bool:
    """As in "nobody was hurt": a negation in the same clause."""
    clauses = {words[place].clause for place in places}
    near = range(max(0, places[0] - _BEFORE), min(len(words), places[-1] + _AFTER + 1))
    return any(words[i].text in _negations() and words[i].clause in clauses for i in near if i not in places)
