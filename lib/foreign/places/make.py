#!/usr/bin/env python3
"""Makes countries.tsv and regions.tsv beside this script from the Unicode CLDR and from ISO 3166.

    npm pack cldr-core cldr-localenames-full cldr-subdivisions-full iso-3166
    for file in *.tgz; do mkdir "${file%-*.tgz}"; tar xzf "$file" -C "${file%-*.tgz}" --strip-components=1; done
    ./make.py DIRECTORY
"""

import json
import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

# The languages in which every country is named: those of the European Union and its neighbours, and
# others with many speakers. A country is named in its own official languages besides.
LANGUAGES = """ar bg ca cs da de el en es et fa fi fr ga he hi hr hu id is it ja ko lt lv mk ms mt nl no
pl pt ro ru sk sl sq sr sr-Latn sv th tr uk vi zh zh-Hant""".split()

# Names and codes that shops write, and that neither source has.
MORE = {
    "BO": ["Bolivia, Plurinational State of"],
    "BS": ["Bahamas, The"],
    "CD": ["Congo, the Democratic Republic of the", "Zaire"],
    "CI": ["Cote d'Ivoire", "Ivory Coast"],
    "CZ": ["Czech Republic"],
    "FK": ["Falkland Islands"],
    "FM": ["Micronesia", "Micronesia, Federated States of"],
    "GB": ["Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "U.K.",
           "UK", "United Kingdom (UK)"],
    "GM": ["Gambia, The"],
    "GR": ["EL", "Hellas"],
    "IR": ["Iran, Islamic Republic of"],
    "KP": ["Korea, Democratic People's Republic of", "DPRK"],
    "KR": ["Korea, Republic of", "Republic of Korea"],
    "LA": ["Lao", "Lao PDR"],
    "LY": ["Libyan Arab Jamahiriya"],
    "MD": ["Moldova, Republic of", "Republic of Moldova"],
    "MK": ["Macedonia", "Macedonia, the former Yugoslav Republic of", "FYROM"],
    "NL": ["Holland"],
    "PS": ["Palestine", "Palestinian Territory, Occupied"],
    "RU": ["Russian Federation"],
    "SZ": ["Swaziland"],
    "TL": ["East Timor"],
    "TW": ["Taiwan, Province of China", "Taiwan, R.O.C."],
    "TZ": ["Tanzania, United Republic of"],
    "US": ["United States of America", "U.S.", "U.S.A.", "United States (US)"],
    "VA": ["Vatican", "Holy See"],
    "VE": ["Venezuela, Bolivarian Republic of"],
    "VN": ["Viet Nam"],
}


def main(sources):
    countries = read_iso(sources / "iso-3166" / "1.js")
    named = name_countries(sources, countries)
    here = Path(__file__).parent
    codes = read_json(sources / "cldr-core/supplemental/codeMappings.json")
    codes = codes["supplemental"]["codeMappings"]
    with open(here / "countries.tsv", "w", encoding="utf-8") as out:
        for code in sorted(named):
            alpha3, numeric = codes[code]["_alpha3"], codes[code].get("_numeric", "")
            print(code, alpha3, numeric, *named[code], sep="\t", file=out)
    with open(here / "regions.tsv", "w", encoding="utf-8") as out:
        for (country, region), names in sorted(name_regions(sources, named).items()):
            print(country, region, *names, sep="\t", file=out)


def name_countries(sources, iso):
    codes = {entry["alpha2"] for entry in iso} | {"XK"}
    names = defaultdict(list)
    for entry in iso:
        names[entry["alpha2"]].append(entry["name"])
    for code, more in MORE.items():
        names[code] += more
    spoken = official_languages(sources)
    for path in sorted((sources / "cldr-localenames-full/main").glob("*/territories.json")):
        language = path.parent.name
        territories = read_json(path)["main"][language]["localeDisplayNames"]["territories"]
        for key, name in territories.items():
            code = key.split("-")[0]
            known = language in LANGUAGES or language in spoken[code]
            # Abbreviations of other languages look like codes: "RU" is the United Kingdom in Catalan.
            if code in codes and known and (language == "en" or not re.fullmatch("[a-z]{1,3}", fold(name))):
                names[code] += spellings(name, language)
    return without_shared(names, lambda code: "")


def name_regions(sources, countries):
    names = defaultdict(list)
    # Nested subdivisions, such as the provinces of Spain, stand beside those that hold them.
    for entry in read_iso(sources / "iso-3166" / "2.js"):
        country, region = entry["code"].split("-")
        names[country, region] += spellings(entry["name"], "")
    aliases = read_json(sources / "cldr-core/supplemental/aliases.json")
    old = set(aliases["supplemental"]["metadata"]["alias"]["subdivisionAlias"])
    # The other languages of the CLDR name the parts of the United Kingdom only.
    english = read_json(sources / "cldr-subdivisions-full/subdivisions/en/en.json")["subdivisions"]
    for key, name in english["localeDisplayNames"]["subdivisions"].items():
        if key not in old:
            names[key[:2].upper(), key[2:].upper()] += spellings(name, "en")
    names = {code: of for code, of in names.items() if code[0] in countries}
    return without_shared(names, lambda code: code[0])


def official_languages(sources):
    info = read_json(sources / "cldr-core/supplemental/territoryInfo.json")
    spoken = defaultdict(set)
    for code, of in info["supplemental"]["territoryInfo"].items():
        for language, how in of.get("languagePopulation", {}).items():
            if how.get("_officialStatus"):
                spoken[code].add(language.replace("_", "-"))
    return spoken


def spellings(name, language):
    """A name as people write it who lack a key for one of its letters."""
    found = [name, name.replace("St. ", "Saint ")]
    if language == "en":
        found += [text.replace("&", "and") for text in found]
    if language in ("de", ""):
        found += [text.translate(UMLAUTS) for text in found]
    return found + [text.translate(LETTERS) for text in found]


# `fold` takes accents off; these are no accents.
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
LETTERS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"})


def without_shared(names, within):
    """Leaves out each name that would stand for two places, and each spelling that comes twice."""
    places = defaultdict(set)
    for code, of in names.items():
        for name in of:
            places[within(code), fold(name)].add(code)
    kept = {}
    for code, of in names.items():
        seen = {}
        for name in of:
            if len(places[within(code), fold(name)]) == 1:
                seen.setdefault(fold(name), name)
        kept[code] = [name for folded, name in seen.items() if folded]
    return kept


def fold(name):
    """As `fold` in src/table/places.rs."""
    letters = unicodedata.normalize("NFKD", name.lower()).removeprefix("the ")
    return "".join(c for c in letters if not re.match(r"[\s\u0300-\u036f\u2000-\u206f]", c)
                   and not (c < "\x80" and not c.isalnum()))


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_iso(path):
    """The entries of a module of iso-3166, which is JavaScript."""
    entries = []
    for body in re.findall(r"\n  \{(.*?)\n  \}", path.read_text(encoding="utf-8"), re.S):
        entry = {}
        for key, single, double in re.findall(r"(\w+): (?:'((?:[^'\\]|\\.)*)'|\"([^\"]*)\")", body):
            entry[key] = (single or double).replace("\\'", "'")
        if entry.get("state", "assigned") == "assigned":
            entries.append(entry)
    return entries


if __name__ == "__main__":
    main(Path(sys.argv[1]))
